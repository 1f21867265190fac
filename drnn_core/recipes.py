"""Named recipes: literal data, with the paper's numbers beside them (tables 1 and 2, section 4).

A *network recipe* says what a network is, a *training recipe* how it is trained; a *recipe* is
a pair of both, named ``<network>_<training>``, and what ``drnn train`` takes. To add a network
of a known form, add one entry here; to add a form, see ``drnn_core/models/registry.py``.
"""

from __future__ import annotations

import difflib
import fnmatch
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class PaperNumbers:
    """What the paper prints for a network.

    Units: ``error`` in % on the CIFAR-10 test set, ``params`` in 1e6, ``flops`` in 1e9
    multiply-adds. None where the paper prints nothing.
    """

    source: str
    error: float | None = None
    params: float | None = None
    flops: float | None = None


@dataclass(frozen=True)
class NetworkRecipe:
    """A network, literally: blocks of each stage, not a formula for them.

    Attributes:
        name: as ``create_model`` takes it.
        title: as the paper writes it.
        dataset: what the paper trains it on.
        image_size: input height and width in pixels.
        blocks: residual blocks of each stage; a stage's first block downsamples (but the first
            stage's) and is always plain.
        loops: most loops of each stage's other blocks; 1 means plain blocks.
        widths: channels of each stage.
        norm: kind of LoopNorm in the recursive blocks.
        gated: recursive blocks ask a gate; False runs every loop (R- networks of table 3).
        gate_hidden: d, hidden width of the gate; None for a single fully connected layer.
        gate_initial_rate: opening rate at initialisation.
        first_loop: whether the gate is asked before the first loop, see ``RecursiveBlock``.
        target: t, the conditional opening rate that training aims at; None without gates.
        paper: the printed numbers.
    """

    name: str
    title: str
    blocks: tuple[int, ...]
    loops: tuple[int, ...] = (1, 1, 1)
    widths: tuple[int, ...] = (16, 32, 64)
    dataset: str = "CIFAR-10"
    image_size: int = 32
    norm: Literal["naive", "lvbn", "ilvbn", "ilvbn_joint"] = "ilvbn"
    gated: bool = True
    gate_hidden: int | None = 16
    gate_initial_rate: float = 0.85
    first_loop: Literal["gated", "always"] = "gated"
    target: float | None = None
    paper: PaperNumbers | None = None


@dataclass(frozen=True)
class TrainingRecipe:
    """How a network is trained.

    Attributes:
        epochs, batch, lr, momentum, nesterov, weight_decay: of SGD; ``batch`` in images.
        schedule: "steps" divides the rate by ten at each epoch of ``lr_steps``; "one_cycle"
            rises linearly to ``lr`` over ``warmup`` of the steps and falls linearly to 0.
        decay_everything: weight decay on BatchNorm, biases and gates too, as plain SGD does.
        rate_weight: lambda, the weight of the rate loss.
        rate_loss: which opening rate is held at the target, see ``training/losses.py``.
        temperature: of the gates' relaxed sample.
        noise_until: share of the training after which the gates decide without noise, as they
            will in evaluation; the noise falls linearly from 1. None keeps it to the end.
        calibrate_gates: after the last update, shift each gate's bias so that its opening rate on
            training images, as evaluation sees them, is the target.
        pad: pixels of zero padding before the random crop; flips are at random.
    """

    name: str
    epochs: int
    batch: int
    lr: float
    schedule: Literal["steps", "one_cycle"]
    lr_steps: tuple[int, ...] = ()
    warmup: float = 0.0
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 5e-4
    decay_everything: bool = True
    rate_weight: float = 2.0
    rate_loss: Literal["sampled", "deterministic", "both"] = "sampled"
    temperature: float = 1.0
    noise_until: float | None = None
    calibrate_gates: bool = False
    pad: int = 4


@dataclass(frozen=True)
class Recipe:
    """What ``drnn train`` takes: a network and how to train it."""

    name: str
    network: NetworkRecipe
    training: TrainingRecipe


def _table1(error: float, params: float, flops: float) -> PaperNumbers:
    return PaperNumbers("table 1", error=error, params=params, flops=flops)


# Table 1. Blocks are copied from the paper's networks, not computed: its formula
# floor((n - 1) / l) + 1 gives the wrong depth for DR-Res 66.
_CIFAR10_NETWORKS = (
    NetworkRecipe("resnet20", "ResNet-20", (3, 3, 3), paper=_table1(8.75, 0.27, 0.041)),
    NetworkRecipe("resnet56", "ResNet-56", (9, 9, 9), paper=_table1(6.97, 0.85, 0.127)),
    NetworkRecipe("resnet110", "ResNet-110", (18, 18, 18), paper=_table1(6.61, 1.7, 0.255)),
    NetworkRecipe(
        "dr_resnet16_l2",
        "DR-Res 16 (l = 2)",
        blocks=(3, 2, 2),
        loops=(1, 2, 2),
        target=0.7,
        paper=_table1(8.14, 0.18, 0.032),
    ),
    NetworkRecipe(
        "dr_resnet32_l4",
        "DR-Res 32 (l = 4)",
        blocks=(9, 3, 3),
        loops=(1, 4, 4),
        target=0.7,
        paper=_table1(6.73, 0.310, 0.099),
    ),
    NetworkRecipe(
        "dr_resnet40_l2",
        "DR-Res 40 (l = 2)",
        blocks=(9, 5, 5),
        loops=(1, 2, 2),
        target=0.7,
        paper=_table1(6.51, 0.50, 0.110),
    ),
    NetworkRecipe(
        "dr_resnet54_l5",
        "DR-Res 54 (l = 5)",
        blocks=(18, 4, 4),
        loops=(1, 5, 5),
        target=0.7,
        paper=_table1(5.97, 0.45, 0.192),
    ),
    NetworkRecipe(
        "dr_resnet58_l4",
        "DR-Res 58 (l = 4)",
        blocks=(18, 5, 5),
        loops=(1, 4, 4),
        target=0.7,
        paper=_table1(5.79, 0.55, 0.197),
    ),
    NetworkRecipe(
        "dr_resnet66_l3",
        "DR-Res 66 (l = 3)",
        blocks=(18, 7, 7),
        loops=(1, 3, 3),
        target=0.7,
        paper=_table1(5.66, 0.73, 0.214),
    ),
    NetworkRecipe(
        "dr_resnet74_l2",
        "DR-Res 74 (l = 2)",
        blocks=(18, 9, 9),
        loops=(1, 2, 2),
        target=0.7,
        paper=_table1(5.21, 0.92, 0.220),
    ),
)

# Section 4.1: batch 256, 350 epochs, rate 0.1 divided by ten after 150 and 250 epochs, weight
# decay 0.0005, momentum 0.9; pad 4, random crop, flip.
_PAPER = TrainingRecipe(
    name="paper",
    epochs=350,
    batch=256,
    lr=0.1,
    schedule="steps",
    lr_steps=(150, 250),
)

# Ours, for two CPU cores: the same data augmentation and losses, one cycle over few epochs.
_SHORT = TrainingRecipe(
    name="short",
    epochs=20,
    batch=128,
    lr=0.2,
    schedule="one_cycle",
    warmup=0.25,
    nesterov=True,
    decay_everything=False,
    noise_until=0.6,
    calibrate_gates=True,
)

NETWORKS: dict[str, NetworkRecipe] = {recipe.name: recipe for recipe in _CIFAR10_NETWORKS}
TRAININGS: dict[str, TrainingRecipe] = {recipe.name: recipe for recipe in (_PAPER, _SHORT)}


def list_recipes(pattern: str = "*") -> list[str]:
    """Names of all recipes that match a shell pattern, in network order."""
    names = (f"{network}_{training}" for network in NETWORKS for training in TRAININGS)
    return [name for name in names if fnmatch.fnmatch(name, pattern)]


def get_recipe(name: str) -> Recipe:
    """The recipe called ``<network>_<training>``, for example ``dr_resnet16_l2_short``.

    Raises:
        ValueError: no such recipe; the message names near ones and what there is.
    """
    network, _, training = name.rpartition("_")
    if network in NETWORKS and training in TRAININGS:
        return Recipe(name, NETWORKS[network], TRAININGS[training])
    near = list_recipes(f"{name}*") or difflib.get_close_matches(name, list_recipes(), 3, 0.5)
    hint = f" (did you mean {' or '.join(near)}?)" if near else ""
    raise ValueError(
        f"no recipe is called {name!r}{hint}; expected <network>_<training> with a training of "
        f"{', '.join(TRAININGS)} and a network of {', '.join(NETWORKS)}"
    )
