"""Table 3: what each part of the method brings, over seeds; the paper's is at ImageNet's size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.results.tables import (
    NOTHING,
    by_seed,
    estimate,
    mean_over_seeds,
    spread,
    table,
)
from benchmarks.results.trainings import Trained, alike, command, compared
from drnn_core.analysis.seeds import OverSeeds, over_seeds
from drnn_core.recipes import NETWORKS

# The parts, our network at the size of table 1, and the paper's on ImageNet.
STEPS: tuple[tuple[str, str, str], ...] = (
    ("plain", "resnet56", "resnet101"),
    ("recursive, one BatchNorm", "r_resnet32_l4_naive", "r_resnet53_l3_naive"),
    ("+ L", "r_resnet32_l4", "r_resnet53_l3"),
    ("+ L + G", "dr_resnet32_l4_lvbn", "dr_resnet53_l3_lvbn"),
    ("+ L + G + I", "dr_resnet32_l4", "dr_resnet53_l3"),
)

OPENING = """L: a BatchNorm for each loop (LVBN); G: gates; I: norms that keep images which left
apart (I-LVBN). The paper's is ResNet-101 and R-ResNet 53 on ImageNet; ours is ResNet-56 and R-Res
32 with l = 4, which says nothing of that size. Accuracy in %: mean ± standard deviation over
seeds, in brackets how many; parameters and multiply-adds are ours, of the first column that has
the row. Gated rows are after the gates' last calibration, which moves errors by as much as the
last step does ("What the last calibration of the gates changes", below)."""

BETWEEN = ("data, recipe", "step", "gain by seed", "mean over seeds", "over images",
           "p, all seeds", "told from 0 over seeds")  # fmt: skip

DIFFERENCES = """Each step against the one before, with the same seed and recipe: accuracy gained
in points. Over seeds: 95 % interval of Student's t; over images: bootstrap, seeds held fixed; p:
McNemar's over all seeds with the image as the cluster."""


@dataclass(frozen=True)
class Column:
    """The steps on one data set with one recipe; None where a step was not trained."""

    title: str
    steps: tuple[Trained | None, ...]


def ablation_columns(groups: Sequence[Trained]) -> list[Column]:
    """Every data set and recipe with at least two of the recursive steps."""
    names = [name for _, name, _ in STEPS]
    own = [one for one in groups if one.network in names]
    columns: list[Column] = []
    taken: list[Trained] = []
    for one in own:
        if any(alike(one, other) for other in taken):
            continue
        taken.append(one)
        found = {other.network: other for other in own if alike(one, other)}
        if len(set(found) - {names[0]}) > 1:
            title = f"{one.training.data}, {one.schedule}"
            columns.append(Column(title, tuple(found.get(name) for name in names)))
    return columns


def table_3(groups: Sequence[Trained]) -> str:
    """The rows, the steps between them and the commands; "" without two steps of one kind."""
    columns = ablation_columns(groups)
    if not columns:
        return ""
    heads = (
        "parts", "paper: ImageNet, top-1 %", *(f"ours: {each.title}" for each in columns),
        "params", "MACs, mean",
    )  # fmt: skip
    rows = [
        [
            parts,
            _printed(of_paper),
            *(_accuracy(each.steps[place]) for each in columns),
            *_cost(columns, place),
        ]
        for place, (parts, _, of_paper) in enumerate(STEPS)
    ]
    between = [row for each in columns for row in _between(each)]
    commands = [
        f"- {one.name}: {command(one)}" for each in columns for one in each.steps if one is not None
    ]
    return "\n\n".join(
        [OPENING, table(heads, rows), DIFFERENCES, table(BETWEEN, between), "\n".join(commands)]
    )


def _printed(network: str) -> str:
    paper = NETWORKS[network].paper
    if paper is None:
        return NOTHING
    return "fails: diverges" if paper.top1 is None else f"{paper.top1:.2f}"


def _accuracy(one: Trained | None) -> str:
    if one is None:
        return NOTHING
    found = spread(over_seeds([100 - error for error in one.errors.values()]))
    lost = f"; {one.guessing} at the level of guessing" if one.guessing else ""
    return f"{found} ({len(one.runs)}{lost})"


def _between(column: Column) -> list[list[str]]:
    steps = zip(STEPS, column.steps, strict=True)
    return steps_between(column.title, [(step[0], one) for step, one in steps])


def steps_between(title: str, steps: Sequence[tuple[str, Trained | None]]) -> list[list[str]]:
    """A row of ``BETWEEN`` for each step and the one before it, those not trained left out.

    Args:
        title: of the data set and recipe.
        steps: what each is called, and its trainings.
    """
    there = [(name, one) for name, one in steps if one is not None]
    rows: list[list[str]] = []
    for (before, first), (after, second) in pairwise(there):
        found = compared(second, first)  # a gain of accuracy is what the first errs more
        if found is None:
            continue
        errors, _ = found
        rows.append(
            [
                title,
                f"{before} → {after}{_arithmetic(first, second)}",
                by_seed(errors.by_seed, "+.2f"),
                mean_over_seeds(errors.over_seeds),
                estimate(errors.over_images, "+.2f"),
                f"{errors.p:.2g}",
                _told(errors.over_seeds),
            ]
        )
    return rows


def _arithmetic(before: Trained, after: Trained) -> str:
    """Said of a step whose two ends were not trained in the same precision."""
    first, second = (" and ".join(sorted(each.precisions)) for each in (before, after))
    return "" if first == second else f" ({first} → {second})"


def _told(over: OverSeeds) -> str:
    return NOTHING if over.n < 2 else {1: "gains", -1: "loses", 0: "no"}[over.sign]


def _cost(columns: Sequence[Column], place: int) -> list[str]:
    """Parameters and mean multiply-adds of a step, wherever it was trained, in that order."""
    for one in (column.steps[place] for column in columns):
        if one is not None:
            macs = one.over(lambda run: run.info.metrics.test.macs_mean).mean
            return [f"{one.first.facts.cost.params / 1e6:.3f} M", f"{macs / 1e6:.1f} M"]
    return [NOTHING, NOTHING]
