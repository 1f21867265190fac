"""Where a count of ours and a printed number differ: a word on why, or on not knowing why."""

from __future__ import annotations

import math
from dataclasses import dataclass

from app.models.tables import Model


@dataclass(frozen=True)
class Note:
    """What is to be said of some networks, one or two sentences."""

    text: str
    networks: tuple[str, ...]


MEASURED = Note(
    "The printed multiply-adds are measured, ours expected at the target: the paper's gates "
    "opened more or less often than they were trained to.",
    (
        "dr_resnet16_l2",
        "dr_resnet32_l4",
        "dr_resnet40_l2",
        "dr_resnet54_l5",
        "dr_resnet58_l4",
        "dr_resnet66_l3",
        "dr_resnet74_l2",
        "aig_resnet110",
        "aig_resnet101",
    ),
)
NOTES = (
    MEASURED,
    Note(
        "Its longest path costs more than ResNet-110, by 3.7 %: the one network of table 1 of "
        "which this is so.",
        ("dr_resnet66_l3",),
    ),
    Note(
        "More parameters are printed than counted. No width of a two-layer gate on every block "
        "explains it, and the paper does not describe ConvNet-AIG's gate.",
        ("aig_resnet110", "aig_resnet101", "aig_resnet50"),
    ),
    Note("The paper does not print what its gates aimed at; 0.7 is ours.", ("aig_resnet110",)),
    Note(
        "The printed error is that of He et al. (2015), who trained with other batches, another "
        "weight decay and fewer epochs than the paper's own networks were. Trained more like "
        "these, plain networks err less (docs/paper.md).",
        ("resnet20", "resnet56", "resnet110"),
    ),
    Note("The paper prints no multiply-adds for it.", ("rcnn160",)),
    Note(
        "Not in the paper: the blocks of DR-Res 16, each run once, which shows what loops add to "
        "the parameters that are there anyway.",
        ("resnet16",),
    ),
    Note(
        "The printed 3.40 M is the figure of MobileNetV2's own authors; counted it has 3.505 M, "
        "here and in torchvision.",
        ("mobilenetv2",),
    ),
    Note(
        "Stochastic depth leaves bodies out in training only: it costs what the plain network "
        "costs.",
        ("sd_resnet110", "sd_resnet101", "sd_resnet50"),
    ),
    Note(
        "The printed 7.6 G seem to be ResNet-101's: all loops of this network cost 7.35 G.",
        ("r_resnet53_l3_naive", "r_resnet53_l3", "r_resnet53_l3_slow"),
    ),
    Note(
        "With one set of norms for all loops the training diverges, the paper says, and prints "
        "“Fail” for its accuracy. The printed 23.39 M are of the network with a set for each "
        "loop; with one it has 23.33 M.",
        ("r_resnet53_l3_naive",),
    ),
    Note(
        "Trained longer and slower: 180 epochs at a rate of 0.01 and weight decay of 0.0005.",
        ("r_resnet53_l3_slow",),
    ),
)


def notes_on(name: str) -> list[Note]:
    """What is to be said of a network."""
    return [note for note in NOTES if name in note.networks]


def numbered(names: tuple[str, ...]) -> dict[int, Note]:
    """The notes on any of the networks, numbered from 1 in the order in which they come up."""
    found = dict.fromkeys(note for name in names for note in notes_on(name))
    return dict(enumerate(found, 1))


def params_agree(model: Model) -> bool:
    """Whether parameters counted as the paper counts come out to its last digit.

    The paper rounds some numbers and cuts others off.
    """
    printed = model.paper.params
    if printed is None:
        return True
    digits = len(f"{printed:g}".partition(".")[2])
    return abs(model.params_as_paper / 1e6 - printed) < 10**-digits


def macs_differ(model: Model) -> float:
    """The printed multiply-adds over the expected ones, minus 1; NaN where none are printed."""
    if model.paper.flops is None:
        return math.nan
    return model.paper.flops * 1e9 / model.macs_expected - 1
