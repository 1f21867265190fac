"""How many loops images took: figure 8 of the paper and what lies behind it.

Pure functions over a run's records (``drnn_core/store/records.py`` documents the columns).
Shapes: N records, K recursive blocks, S steps (all loops of all blocks, in network order).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drnn_core.analysis.loop_counts import class_rows, counted_steps
from drnn_core.cost import expected_loops, expected_rates
from drnn_core.layout import BlockLayout

__all__ = [
    "ORDERS",
    "Order",
    "Selection",
    "Summary",
    "block_matrix",
    "block_table",
    "class_table",
    "expected_loops",
    "expected_rates",
    "gate_matrix",
    "histogram",
    "matching",
    "ordered",
    "ordered_by",
    "step_table",
    "summary",
]

Order = Literal[
    "index",
    "loops up",
    "loops down",
    "confidence up",
    "confidence down",
    "loss down",
    "class",
]
ORDERS: tuple[Order, ...] = get_args(Order)

# Column and direction of each order; ties keep the order of the split.
_COLUMNS: dict[Order, tuple[str, bool]] = {
    "index": ("index", True),
    "loops up": ("loops", True),
    "loops down": ("loops", False),
    "confidence up": ("confidence", True),
    "confidence down": ("confidence", False),
    "loss down": ("loss", False),
    "class": ("label", True),
}


@dataclass(frozen=True)
class Selection:
    """Which records are meant; a condition that is not given holds for all.

    Attributes:
        loops: fewest and most total loops, both inclusive.
        labels: any of these true classes; empty means all.
        correct: right or wrong predictions only.
        confidence: least and most probability of the predicted class, both inclusive.
        step: (block, loop), both from 0: the images that ran this loop.
    """

    loops: tuple[int, int] | None = None
    labels: tuple[int, ...] = ()
    correct: bool | None = None
    confidence: tuple[float, float] | None = None
    step: tuple[int, int] | None = None

    def without(self, *conditions: str) -> Selection:
        """The same selection with some conditions dropped."""
        dropped: dict[str, Any] = {name: () if name == "labels" else None for name in conditions}
        return replace(self, **dropped)


@dataclass(frozen=True)
class Summary:
    """Loops per image. NaN where ``n`` is too small (mean: 0 images, std: fewer than 2).

    Attributes:
        n: images.
        mean: of total loops.
        std: over images, with n - 1.
    """

    n: int
    mean: float
    std: float


def block_matrix(records: pd.DataFrame) -> NDArray[np.int8]:
    """(N, K) executed loops of each image in each block, from the ``block_loops`` lists."""
    return _matrix(records["block_loops"], np.int8)


def gate_matrix(records: pd.DataFrame) -> NDArray[np.float32]:
    """(N, S) the gates' opening probabilities, NaN where not asked."""
    return _matrix(records["gate_prob"], np.float32)


def _matrix(lists: pd.Series[Any], dtype: type[Any]) -> NDArray[Any]:
    rows = lists.to_numpy()
    width = len(rows[0]) if len(rows) else 0
    if not width:
        return np.zeros((len(rows), 0), dtype)
    return np.concatenate(rows).astype(dtype, copy=False).reshape(len(rows), width)


def matching(
    records: pd.DataFrame, selection: Selection, block_loops: NDArray[np.int8] | None = None
) -> NDArray[np.bool_]:
    """(N,) which records a selection means.

    Args:
        records: of a run.
        selection: the conditions.
        block_loops: ``block_matrix(records)`` where it is at hand already.

    Raises:
        ValueError: the selection asks for a block that the network does not have.
    """
    keep = np.ones(len(records), dtype=bool)
    if selection.loops is not None:
        keep &= _between(records["loops"].to_numpy(), selection.loops)
    if selection.labels:
        keep &= np.isin(records["label"].to_numpy(), selection.labels)
    if selection.correct is not None:
        keep &= records["correct"].to_numpy() == selection.correct
    if selection.confidence is not None:
        # Rounded, so that a limit of 0.7 includes the float32 nearest to it, which is less.
        low, high = selection.confidence
        found: NDArray[np.float64] = records["confidence"].to_numpy().astype(np.float64)
        shown: NDArray[np.float64] = np.round(found, 6)
        keep &= _between(shown, (low, high))
    if selection.step is not None:
        block, loop = selection.step
        executed = block_matrix(records) if block_loops is None else block_loops
        if not 0 <= block < executed.shape[1]:
            raise ValueError(
                f"expected a block below {executed.shape[1]}, the network's recursive blocks, "
                f"got {block}"
            )
        keep &= executed[:, block] > loop
    return keep


def _between(values: NDArray[Any], limits: tuple[float, float]) -> NDArray[np.bool_]:
    return (values >= limits[0]) & (values <= limits[1])


def ordered(records: pd.DataFrame, keep: NDArray[np.bool_], order: Order) -> NDArray[np.int64]:
    """Positions (rows, not indices) of the kept records in a given order; ties by ``index``."""
    column, rising = _COLUMNS[order]
    rows = np.flatnonzero(keep)
    rows = rows[np.argsort(records["index"].to_numpy()[rows], kind="stable")]
    return ordered_by(rows, records[column].to_numpy().astype(np.float64), rising)


def ordered_by(
    rows: NDArray[np.int64], values: NDArray[np.float64], rising: bool
) -> NDArray[np.int64]:
    """Some positions by the values there, (N,); ties stay as they are, NaN comes last."""
    keys = values[rows]
    return rows[np.argsort(keys if rising else -keys, kind="stable")]


def summary(loops: NDArray[np.integer[Any]]) -> Summary:
    """Mean and standard deviation of total loops, (N,)."""
    n = len(loops)
    mean = float(np.mean(loops)) if n else math.nan
    std = float(np.std(loops, ddof=1)) if n > 1 else math.nan
    return Summary(n, mean, std)


def histogram(loops: NDArray[np.integer[Any]], loops_max: int) -> NDArray[np.int64]:
    """(loops_max + 1,) images that took 0, 1, ..., loops_max loops (figure 8).

    Raises:
        ValueError: an image took more loops than the network has.
    """
    if len(loops) and int(loops.max()) > loops_max:
        raise ValueError(
            f"expected at most {loops_max} loops, got records of {int(loops.max())}; "
            "the records are of another network"
        )
    return np.bincount(loops.astype(np.int64), minlength=loops_max + 1)


def step_table(
    block_loops: NDArray[np.int8],
    layout: Sequence[BlockLayout],
    target: float | None = None,
    asks: Sequence[bool] | None = None,
) -> pd.DataFrame:
    """One row per step: which share of the images ran it; see ``counted_steps``."""
    counts = [
        np.bincount(block_loops[:, block], minlength=part.loops + 1).astype(np.int64)
        for block, part in enumerate(layout)
    ]
    return counted_steps(counts, layout, target, asks)


def block_table(block_loops: NDArray[np.int8], layout: Sequence[BlockLayout]) -> pd.DataFrame:
    """One row per block: ``name``, ``loops_max``, ``mean`` and ``std`` of executed loops."""
    parts = [summary(block_loops[:, block]) for block in range(len(layout))]
    return pd.DataFrame(
        {
            "name": [block.name for block in layout],
            "loops_max": [block.loops for block in layout],
            "mean": [part.mean for part in parts],
            "std": [part.std for part in parts],
        }
    )


def class_table(records: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """One row per class that occurs, fewest mean loops first.

    Columns: ``label``, ``name``, ``n``, ``mean``, ``std`` (with n - 1, NaN for one image) of
    total loops, and ``error`` in %.
    """
    groups = records.groupby("label", sort=True)
    table = groups["loops"].agg(n="size", mean="mean", std="std").reset_index()
    table["error"] = 100 * (1 - groups["correct"].mean().to_numpy(dtype=np.float64))
    return class_rows(table, classes)
