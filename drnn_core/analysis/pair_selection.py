"""Which images of two runs are meant: by who is right, by the loops of each, and in which order.

Pure functions over ``drnn_core.analysis.comparison.paired``'s table; N images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Outcome = Literal["both right", "only a", "only b", "same wrong", "other wrong"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

PairOrder = Literal[
    "index", "change down", "a loops more", "b loops more", "a surest", "b surest", "class"
]
PAIR_ORDERS: tuple[PairOrder, ...] = get_args(PairOrder)


@dataclass(frozen=True)
class PairSelection:
    """Which images are meant; a condition that is not given holds for all.

    Attributes:
        outcomes: any of these; empty means all.
        loops_a, loops_b: fewest and most loops in run a and in run b, both inclusive.
        loops_differ: images whose loops are not the same (True), or are (False).
    """

    outcomes: tuple[Outcome, ...] = ()
    loops_a: tuple[int, int] | None = None
    loops_b: tuple[int, int] | None = None
    loops_differ: bool | None = None


def outcomes_of(pairs: pd.DataFrame) -> NDArray[np.int8]:
    """(N,) place among ``OUTCOMES`` of each image.

    "same wrong": both give the same wrong answer; "other wrong": both wrong, not the same.
    """
    a: NDArray[np.bool_] = pairs["correct_a"].to_numpy().astype(np.bool_)
    b: NDArray[np.bool_] = pairs["correct_b"].to_numpy().astype(np.bool_)
    same = pairs["prediction_a"].to_numpy() == pairs["prediction_b"].to_numpy()
    cases = [a & b, a & ~b, ~a & b, ~a & ~b & same]
    return np.select(cases, [0, 1, 2, 3], default=4).astype(np.int8)


def outcome_counts(pairs: pd.DataFrame) -> dict[Outcome, int]:
    """Images of each outcome."""
    counts: list[int] = np.bincount(outcomes_of(pairs), minlength=len(OUTCOMES)).tolist()
    return dict(zip(OUTCOMES, counts, strict=True))


def pairs_matching(pairs: pd.DataFrame, selection: PairSelection) -> NDArray[np.bool_]:
    """(N,) which images a selection means."""
    keep = np.ones(len(pairs), dtype=bool)
    if selection.outcomes:
        wanted = [OUTCOMES.index(outcome) for outcome in selection.outcomes]
        keep &= np.isin(outcomes_of(pairs), wanted)
    for run, limits in (("a", selection.loops_a), ("b", selection.loops_b)):
        if limits is not None:
            loops = pairs[f"loops_{run}"].to_numpy()
            keep &= (loops >= limits[0]) & (loops <= limits[1])
    if selection.loops_differ is not None:
        keep &= (pairs["loops_change"].to_numpy() != 0) == selection.loops_differ
    return keep


def pairs_ordered(
    pairs: pd.DataFrame, keep: NDArray[np.bool_], order: PairOrder
) -> NDArray[np.int64]:
    """Rows of the kept images in an order; ties keep the order of the first run's split.

    "change down": by how much the loops changed; "a loops more": by how many more loops run a
    took, most first; "a surest": by the confidence of run a, most first; b likewise.
    """
    rows = np.flatnonzero(keep)
    index: NDArray[np.int64] = pairs["index_a"].to_numpy().astype(np.int64)
    rows = rows[np.argsort(index[rows], kind="stable")]
    if order == "index":
        return rows
    return rows[np.argsort(_rising(pairs, order)[rows], kind="stable")]


def _rising(pairs: pd.DataFrame, order: PairOrder) -> NDArray[np.float64]:
    """(N,) what an order goes by, least first."""
    names: dict[PairOrder, str] = {
        "change down": "loops_change",
        "a loops more": "loops_change",
        "b loops more": "loops_change",
        "a surest": "confidence_a",
        "b surest": "confidence_b",
        "class": "label",
    }
    column: Any = pairs[names[order]].to_numpy()
    values: NDArray[np.float64] = column.astype(np.float64)
    if order == "change down":
        return -np.abs(values)
    return values if order in ("a loops more", "class") else -values
