"""The table's columns and cells, in words: what each says of a network, and what it means."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.models.notes import Note, macs_differ, params_agree
from app.models.ours import OwnTraining
from app.models.tables import Model, View, counts_right
from drnn_core.recipes.readings import mark_of, printed_error, read_otherwise, source_of
from drnn_core.store.retraining import training_changes_of

DASH = "–"


@dataclass(frozen=True)
class Column:
    """A column: ``group`` stands over several of them, ``meaning`` shows when it is pointed at."""

    key: str
    head: str
    group: str
    meaning: str
    words: bool = False


@dataclass(frozen=True)
class Cell:
    """Text of a cell, and what shows when it is pointed at; ``differs`` from what is printed."""

    text: str
    meaning: str = ""
    differs: bool = False


def columns_of(view: View, data_set: str, epochs: int = 0) -> list[Column]:
    """The columns of a table, after the network's name; of one data set.

    What a network is comes first, then how it errs, so that a phone shows both at first sight.
    ``epochs``: of our trainings that do not say how long they were.
    """
    right = counts_right(data_set)
    unit = "G" if right else "M"
    accuracy = "Top-1, %" if right else "Error, %"
    kind = "ImageNet validation set" if right else "CIFAR-10 test set"
    steps = [
        Column(
            "steps",
            "parts",
            "",
            "L: a set of norms for each loop (LVBN); G: gates; I: norms that keep images which "
            "left apart (I-LVBN)",
        )
    ]
    trained = f"; trained for {epochs:,} epochs where no others are said" if epochs else ""
    return [
        *(steps if view == "ablation" else []),
        Column("printed", "printed", accuracy, f"on the {kind}, in the paper"),
        Column(
            "ours",
            "here",
            accuracy,
            f"of ours on the {kind}, mean ± standard deviation over seeds; – where there is "
            f"none{trained}",
        ),
        Column("blocks", "blocks", "", "residual blocks of each stage"),
        Column("loops", "loops", "", "most loops of each stage's recursive blocks; 1: plain"),
        Column("params", "ours", "Parameters, M", "what our network allocates, in millions"),
        Column(
            "as_paper",
            "paper's way",
            "Parameters, M",
            "counted as the paper counts: a gate on every residual block, a set of norms for each "
            "loop on downsampling blocks too, and on CIFAR 1×1 projections as shortcuts. We do not "
            "allocate what nothing would use",
        ),
        Column("params_printed", "printed", "Parameters, M", "in the paper"),
        Column("macs_max", "most", f"Multiply-adds, {unit}", "of one image that runs every loop"),
        Column(
            "macs_expected",
            "expected",
            f"Multiply-adds, {unit}",
            "of one image if every gate opens with the target chance",
        ),
        Column("macs_printed", "printed", f"Multiply-adds, {unit}", "in the paper"),
        Column("loops_max", "most", "Loops", "that an image can run, over all recursive blocks"),
        Column(
            "loops_expected",
            "expected",
            "Loops",
            "of an image if every gate opens with the target chance t: the sum of t^k over blocks "
            "and loops k, of t^(k - 1) where the first loop is unasked",
        ),
        Column("target", "target", "", "t: the opening rate that training aims at"),
    ]


def cells_of(model: Model, ours: Sequence[OwnTraining], epochs: int = 0) -> dict[str, Cell]:
    """The cells of a network by column.

    Args:
        model: the network.
        ours: its trainings, that to show first.
        epochs: that go without saying: what was trained longer or shorter says how long.
    """
    recipe, paper = model.recipe, model.paper
    right = counts_right(recipe.dataset)
    scale, digits = (1e9, 2) if right else (1e6, 1)
    small = 3 if right and model.macs_max < 1e9 else digits
    places = 3 if model.params < 1e7 else 2
    looped = model.loops_max > 0
    return {
        "steps": Cell(_steps(model)),
        "blocks": Cell("-".join(map(str, recipe.blocks))),
        "loops": Cell("-".join(map(str, recipe.loops)) if max(recipe.loops) > 1 else DASH),
        "params": Cell(f"{model.params / 1e6:.{places}f}", f"{model.params:,}"),
        "as_paper": Cell(f"{model.params_as_paper / 1e6:.{places}f}", f"{model.params_as_paper:,}"),
        "params_printed": Cell(
            DASH if paper.params is None else _printed(paper.params, right),
            _agreement(model),
            not params_agree(model),
        ),
        "macs_max": Cell(f"{model.macs_max / scale:.{small}f}", f"{model.macs_max:,}"),
        "macs_expected": Cell(
            f"{model.macs_expected / scale:.{small}f}", f"{model.macs_expected:,}"
        ),
        "macs_printed": Cell(
            _printed_macs(paper.flops, right),
            _macs_meaning(model),
            abs(macs_differ(model)) > 0.025,
        ),
        "loops_max": Cell(str(model.loops_max) if looped else DASH),
        "loops_expected": Cell(f"{model.loops_expected:.2f}" if looped else DASH),
        "target": Cell(DASH if recipe.target is None else f"{recipe.target:g}"),
        "printed": _printed_accuracy(model),
        "ours": _own_accuracy(model, ours, epochs),
    }


def _steps(model: Model) -> str:
    """The parts of table 3 that a network has."""
    recipe = model.recipe
    if max(recipe.loops) == 1:
        return "plain"
    parts = [
        name
        for name, there in (
            ("L", recipe.norm != "naive"),
            ("G", recipe.gated),
            ("I", recipe.norm.startswith("ilvbn") and recipe.gated),
        )
        if there
    ]
    return " + ".join(parts) or "none"


def _printed(params: float, right: bool) -> str:
    """Millions as the paper prints them, with two digits but for the 1.7 of table 1."""
    return f"{params:.2f}" if right or params < 1 else f"{params:g}"


def _printed_macs(flops: float | None, right: bool) -> str:
    """Billions on ImageNet, with three digits below one; millions on CIFAR."""
    if flops is None:
        return DASH
    if not right:
        return f"{flops * 1e3:g}"
    return f"{flops:g}" if flops >= 1 else f"{flops:.3f}"


def _agreement(model: Model) -> str:
    if model.paper.params is None:
        return "the paper does not have this network"
    if params_agree(model):
        return "counted the paper's way it comes out to the last printed digit"
    more = model.paper.params * 1e6 / model.params_as_paper - 1
    return f"{more:+.1%} against our count in the paper's way"


def _macs_meaning(model: Model) -> str:
    if model.paper.flops is None:
        return "the paper prints none"
    return f"{macs_differ(model):+.1%} against what is expected at the target"


def _printed_accuracy(model: Model) -> Cell:
    paper = model.paper
    if model.printed is None and read_otherwise(model.name):
        return printed_cell(model.name)
    if model.printed is None:
        said = "fails: it diverges" if paper.source == "table 3" else ""
        return Cell("fails" if said else DASH, said or "the paper does not have this network")
    top5 = "" if paper.top5 is None else f"; top-5 accuracy {paper.top5:.2f} %"
    return Cell(f"{model.printed:.2f}", f"{paper.source} of the paper{top5}")


def printed_cell(network: str | None) -> Cell:
    """The paper's error of a network, marked if it is of a row that the network reads otherwise."""
    error = printed_error(network)
    if math.isnan(error):
        return Cell(DASH)
    return Cell(f"{error:.2f}{mark_of(network)}", source_of(network))


def _own_accuracy(model: Model, ours: Sequence[OwnTraining], epochs: int) -> Cell:
    if not ours:
        return Cell(DASH, f"no run of this network on {model.recipe.dataset} is here")
    first, *others = ours
    several = len(first.runs) > 1
    what = f"mean ± standard deviation of seeds {first.seeds}: " if several else ""
    meaning = f"{what}run {first.name}, {epochs_text(first)} on {first.data_set}"
    more = [f"{each.accuracy_text} of {each.name}, {epochs_text(each)}" for each in others]
    usual = epochs in (0, first.info.epochs)
    text = first.accuracy_text if usual else f"{first.accuracy_text} ({_epochs(first)})"
    return Cell(text, "; also ".join([meaning, *more]))


def epochs_text(run: OwnTraining) -> str:
    """How long it was trained; by which recipe, if by a variant of ours; what was set of it."""
    variant = [run.recipe] if "-" in run.recipe else []
    return ", ".join([_epochs(run), *variant, *training_changes_of(run.info)])


def _epochs(run: OwnTraining) -> str:
    return f"{run.info.epochs:,} epoch{'s' if run.info.epochs != 1 else ''}"


def marks_of(model: Model, notes: Mapping[int, Note]) -> Sequence[int]:
    """Numbers of the notes on a network."""
    return [number for number, note in notes.items() if model.name in note.networks]
