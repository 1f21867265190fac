"""What recipes are made of: frozen dataclasses of literal data.

A *network recipe* says what a network is, a *training recipe* how it is trained; a *recipe* is
a pair of both. No field is computed from another: a reader finds every number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal

RateLoss = Literal["sampled", "deterministic", "both", "network", "batch"]


@dataclass(frozen=True)
class PaperNumbers:
    """What the paper prints for a network.

    Units: ``error`` in % on the CIFAR-10 test set, ``top1`` and ``top5`` accuracy in % on the
    ImageNet validation set, ``params`` in 1e6, ``flops`` in 1e9 multiply-adds. None where the
    paper prints nothing.
    """

    source: str
    error: float | None = None
    top1: float | None = None
    top5: float | None = None
    params: float | None = None
    flops: float | None = None


@dataclass(frozen=True)
class NetworkRecipe:
    """A network, literally: blocks of each stage, not a formula for them.

    Attributes:
        name: as ``create_model`` takes it.
        title: as the paper writes it.
        blocks: residual blocks of each stage; a stage's first block changes the shape (but the
            first CIFAR stage's) and is always plain.
        loops: most loops of each stage's other blocks; 1 means plain blocks.
        widths: channels of each stage's features.
        strides: of each stage's first block.
        plain: leading blocks of each stage that stay plain where the stage loops.
        form: which class builds it, see ``models/registry.py``.
        dataset: what the paper trains it on.
        num_classes: of that data set.
        image_size: input height and width in pixels.
        resize: both sides of a picture are scaled to so many pixels before the centre crop of
            ``image_size``; None scales the shorter side to ``image_size``.
        norm: kind of LoopNorm in the recursive blocks.
        gated: recursive blocks ask a gate; False runs every loop (R- networks of table 3).
        gate_hidden: d, hidden width of the gate; None for a single fully connected layer.
        gate_initial_rate: opening rate at initialisation.
        gate_every_block: every block is gated and runs at most once (ConvNet-AIG).
        first_loop: whether the gate is asked before the first loop, see ``RecursiveBlock``.
        stride_on: convolution of a bottleneck that has the stride: "1x1", the original form, or
            "3x3" ("v1.5", torchvision's).
        survival: chance of the last block to run in training (stochastic depth); 1 runs all.
        backbone: what a recursified network is made from, see ``models/recursify``.
        most_loops, where: of a recursified network: the loops and the groups of blocks that it
            was asked for; ``loops`` says what came of it.
        target: t, the conditional opening rate that training aims at; None without gates.
        counterpart: the plain network whose accuracy the paper sets it beside.
        training: the paper's training recipe for it, see ``recipes/training.py``.
        paper: the printed numbers.
    """

    name: str
    title: str
    blocks: tuple[int, ...]
    loops: tuple[int, ...] = (1, 1, 1)
    widths: tuple[int, ...] = (16, 32, 64)
    strides: tuple[int, ...] = (1, 2, 2)
    plain: tuple[int, ...] = (1, 1, 1)
    form: Literal[
        "cifar_resnet", "preact_resnet", "rcnn", "resnet", "mobilenetv2", "recursified"
    ] = "cifar_resnet"
    dataset: str = "CIFAR-10"
    num_classes: int = 10
    image_size: int = 32
    resize: int | None = None
    norm: Literal["naive", "lvbn", "ilvbn", "ilvbn_joint"] = "ilvbn"
    gated: bool = True
    gate_hidden: int | None = 16
    gate_initial_rate: float = 0.85
    gate_every_block: bool = False
    first_loop: Literal["gated", "always"] = "gated"
    stride_on: Literal["1x1", "3x3"] = "1x1"
    survival: float = 1.0
    backbone: str = ""
    most_loops: int | None = None
    where: str = "*"
    target: float | None = None
    counterpart: str | None = None
    training: Literal["cifar10", "imagenet", "imagenet_slow", "imagenet_mobile"] = "cifar10"
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
        rate_loss: which opening rate is held at the target, and how, see ``training/losses.py``.
        target_falls: shares of the training between which the rate loss's target falls linearly
            from 1, all loops run, to the network's; None holds it there from the first update on.
        temperature: of the gates' relaxed sample.
        noise_until: share of the training after which the gates decide without noise, as they
            will in evaluation; the noise falls linearly from 1. None keeps it to the end.
        calibrate_gates: after the last update, shift each gate's bias so that its opening rate on
            training images, as evaluation sees them, is the target; with the rate loss "network"
            all by one value, so that their mean rate is. With "batch", which sets the biases at
            every epoch's end in any case, also divide logits by the unit of training.
        augment: "crop" pads and crops at random, "scale" takes a random part of the picture of
            random scale and aspect and brings it to size; both mirror at random.
        pad: pixels of zero padding before the random crop.
        photometric: distort brightness, contrast and saturation at random, each by a factor
            between 1 - photometric and 1 + photometric; 0 leaves colours alone.
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
    rate_loss: RateLoss = "sampled"
    target_falls: tuple[float, float] | None = None
    temperature: float = 1.0
    noise_until: float | None = None
    calibrate_gates: bool = False
    augment: Literal["crop", "scale"] = "crop"
    pad: int = 4
    photometric: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """What ``drnn train`` takes: a network and how to train it."""

    name: str
    network: NetworkRecipe
    training: TrainingRecipe


def completed(
    kind: type[NetworkRecipe | TrainingRecipe], written: Mapping[str, Any]
) -> dict[str, Any]:
    """Settings as a file has them; those that came later had their default value then, too.

    Args:
        kind: whose fields they are.
        written: by name, as JSON: a tuple is a list there.
    """
    defaults = {each.name: each.default for each in fields(kind) if each.default is not MISSING}
    return {**defaults, **written}
