"""Gradients by loop before training, from what ``python -m benchmarks.gradients`` measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.results.gradients import COLUMNS
from benchmarks.results.tables import table

MEASURED = Path("benchmarks/measured/gradients_at_start.json")

_MEANING = """R-Res 32 of table 3's ablation (every image runs every loop) with more and more
loops, and DR-Res 32, before the first update: gradients of the training loss of one batch of
{images} images of {dataset}, {seeds} seeds (`python -m benchmarks.gradients`). {columns}"""

_KINDS = {"naive": "one for all loops", "lvbn": "LVBN", "ilvbn": "I-LVBN"}

Row = dict[str, Any]


def gradients_at_start(path: Path = MEASURED) -> str:
    """Table and what follows from it."""
    measured = json.loads(path.read_text())
    rows: list[Row] = measured["rows"]
    seeds = len({row["seed"] for row in rows})
    meaning = _MEANING.format(
        images=measured["images"],
        dataset=measured["dataset"],
        seeds=seeds,
        columns=COLUMNS.format(convs=" (of all convolutions of a block together)"),
    )
    columns = (
        "loops", "norms", "loss", "all weights", "scales and shifts", "through each block",
        "first / last loop of each block",
    )  # fmt: skip
    groups: dict[tuple[int, str, bool], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["loops"], row["norm"], row["gated"]), []).append(row)
    lines = [_line(*key, group) for key, group in groups.items()]
    said = "\n".join(f"- {sentence}" for sentence in (_kinds(groups), _growth(groups)))
    return f"{meaning}\n\n{table(columns, lines)}\n\n{said}"


def _line(loops: int, norm: str, gated: bool, group: Sequence[Row]) -> list[str]:
    return [
        str(loops),
        _KINDS[norm] + (", gates" if gated else ""),
        *(_spread([row[name] for row in group]) for name in _WHOLE),
        _by_block(group, through),
        _by_block(group, first_over_last),
    ]


_AFFINE = "affine_grad_norm"
_WHOLE = ("loss", "grad_norm", _AFFINE)


def _by_block(group: Sequence[Row], measure: Any) -> str:
    means = {
        name: np.mean([measure(row["blocks"][name]) for row in group])
        for name in group[0]["blocks"]
    }
    return ", ".join(f"{name}: {mean:.3g}" for name, mean in means.items())


def through(block: dict[str, list[float]]) -> float:
    """Gradient by what enters the first loop over that by what leaves the last."""
    return block["entering"][0] / block["leaving"][-1]


def first_over_last(block: dict[str, list[float]]) -> float:
    """The first loop's part of the weights' gradient over the last one's."""
    return block["contributed"][0] / block["contributed"][-1]


def _kinds(groups: dict[tuple[int, str, bool], list[Row]]) -> str:
    """Whether the kinds differ where every loop runs."""
    gaps: list[float] = []
    ratios: dict[int, float] = {}
    for (loops, norm, gated), group in groups.items():
        if gated or norm == "naive":
            continue
        naive = groups[loops, "naive", False]
        for one, other in zip(naive, group, strict=True):
            gaps += _differences(one["blocks"], other["blocks"])
        one, other = (np.array([row[_AFFINE] for row in each]) for each in (naive, group))
        ratios[loops] = float(np.mean(one / other))
    listed = ", ".join(f"{ratio:.2f} with l = {loops}" for loops, ratio in ratios.items())
    same = (
        "The kinds of norms have the same gradients before training, in every loop, by features "
        "and by convolutions"
        if max(gaps) == 0
        else f"The kinds of norms differ by at most {max(gaps):.2g} of a gradient's norm"
    )
    return (
        f"{same}: in training each loop is normalised by its own batch whether the set is shared "
        "or not, so sharing it cannot make gradients explode here. What sharing changes is the "
        "gradient of the one scale and shift, which sums over the loops: its norm is that of "
        f"LVBN's separate ones times {listed}, about √l, as where all loops pull the same way; "
        "with one learning rate the shared ones then move l times as far as each of LVBN's."
    )


def _differences(
    one: dict[str, dict[str, list[float]]], other: dict[str, dict[str, list[float]]]
) -> list[float]:
    return [
        abs(a - b) / a
        for block, columns in one.items()
        for name, numbers in columns.items()
        for a, b in zip(numbers, other[block][name], strict=True)
    ]


def _growth(groups: dict[tuple[int, str, bool], list[Row]]) -> str:
    depths = sorted({loops for loops, _, _ in groups})
    block = next(iter(groups[depths[0], "naive", False][0]["blocks"]))
    means = {
        loops: np.mean([through(row["blocks"][block]) for row in groups[loops, "naive", False]])
        for loops in depths
    }
    listed = ", ".join(f"{mean:.3g} with l = {loops}" for loops, mean in means.items())
    last = groups[depths[-1], "naive", False]
    each = np.mean([np.divide(row["blocks"][block]["entering"], row["blocks"][block]["leaving"])
                    for row in last], axis=0)  # fmt: skip
    factors = ", ".join(f"{factor:.2f}" for factor in each)
    return (
        f"Backwards through block {block}, the one that magnifies most, the gradient grows by "
        f"{listed}. With the same factor in every loop it would grow exponentially with l, which "
        f"is what explodes; with l = {depths[-1]} the loops, first to last, have factors of "
        f"{factors}: later loops hardly magnify it, for their features are already large beside "
        "what the body adds."
    )


def _spread(numbers: Sequence[float]) -> str:
    return f"{np.mean(numbers):.3g} ({min(numbers):.3g} to {max(numbers):.3g})"
