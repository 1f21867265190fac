"""What other thresholds of the gates cost and bring: means over images, exact or within bounds.

``drnn_core/analysis/replay.py`` says what the records of a run know of each image; here it is
added up. ``drnn_core/analysis/operating.py`` looks at a network that was run anew.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from drnn_core.analysis.loops import gate_matrix
from drnn_core.analysis.replay import (
    RECORDED_THRESHOLD,
    Flags,
    Floats,
    Integers,
    checked_thresholds,
    matrices,
    replay,
)
from drnn_core.cost import NetworkCost

STEP = 0.005  # between the thresholds of a curve
STOPS = 40
_MOST_DIGITS = 8  # float32 near one half has no more


def macs_of_loops(loops: Integers, cost: NetworkCost) -> Integers:
    """(N,) multiply-adds of images by their (N, K) loops in each block.

    A block asks its gate once more than it loops, but for the last loop.
    """
    total = np.full(len(loops), cost.fixed_macs, dtype=np.int64)
    start = 0
    for block, part in enumerate(cost.layout):
        steps = slice(start, start + part.loops)
        start += part.loops
        bodies = np.cumsum([0, *cost.step_macs[steps]])
        gates = np.cumsum([*cost.gate_macs[steps], 0])
        total += bodies[loops[:, block]] + gates[loops[:, block]]
    return total


@dataclass(frozen=True)
class Bounds:
    """Means over images under other thresholds: (lowest, highest), equal where they are exact.

    Attributes:
        n: images.
        unchanged: how many keep their path, and so their answer.
        exact: of how many all loops are certain.
        loops, macs: per image.
        error: in %; every image whose path may change counts as right, or as wrong.
    """

    n: int
    unchanged: int
    exact: int
    loops: tuple[float, float]
    macs: tuple[float, float]
    error: tuple[float, float]


def bounds(records: pd.DataFrame, cost: NetworkCost, thresholds: float | Sequence[float]) -> Bounds:
    """What records tell of the means under one threshold, or one for each block.

    Args:
        records: of a run; one at least.
        cost: of its network.
        thresholds: see ``replayed``.

    Raises:
        ValueError: as of ``replayed``.
    """
    return _bounds(*matrices(records), _correct(records), cost, thresholds)


def threshold_table(
    records: pd.DataFrame, cost: NetworkCost, thresholds: Sequence[float]
) -> pd.DataFrame:
    """What one threshold for all gates does, as far as the records tell.

    Args:
        records: of a run.
        cost: of its network.
        thresholds: 0..1 each.

    Returns:
        A row a threshold: ``threshold``; ``unchanged`` and ``exact``, shares of images whose
        path stays, and whose loops are all certain; and bounds of the means over images:
        ``loops_low``, ``loops_high``, ``macs_low``, ``macs_high``, and of the ``error`` in %
        (``error_low``, ``error_high``), as of ``bounds``.
    """
    loops, prob = matrices(records)
    correct = _correct(records)
    rows: list[dict[str, float]] = []
    for threshold in thresholds:
        found = _bounds(loops, prob, correct, cost, threshold)
        row = {
            "threshold": float(threshold),
            "unchanged": found.unchanged / found.n,
            "exact": found.exact / found.n,
        }
        for name in ("loops", "macs", "error"):
            row[f"{name}_low"], row[f"{name}_high"] = getattr(found, name)
        rows.append(row)
    return pd.DataFrame(rows)


def telling_thresholds(records: pd.DataFrame, count: int = 11) -> tuple[float, ...]:
    """Thresholds along which the gates' decisions change evenly, rising; 0, one half and 1 too.

    Between 0 and 1 they are quantiles of the recorded probabilities, rounded to 0.005: a network
    whose gates are all unsure is looked at closely around one half.

    Args:
        records: of a run with gates.
        count: quantiles; fewer thresholds where they round to the same.
    """
    prob = gate_matrix(records)
    asked = prob[~np.isnan(prob)]
    if not len(asked):
        return (RECORDED_THRESHOLD,)
    found = np.quantile(asked, (np.arange(count) + 0.5) / count)
    steps = np.round(found.astype(np.float64) / STEP).astype(np.int64).tolist()
    return tuple(sorted({0.0, RECORDED_THRESHOLD, 1.0, *(round(n * STEP, 3) for n in steps)}))


def chances_of(records: pd.DataFrame) -> Floats:
    """(M,) recorded probabilities of all gates that were asked, rising."""
    prob = gate_matrix(records)
    return np.sort(prob[~np.isnan(prob)].astype(np.float64))


def places(chances: Floats, thresholds: ArrayLike) -> Floats:
    """(K,) where thresholds stand among recorded probabilities: the share that is not above them.

    Between two thresholds lie as many recorded decisions as their places are apart. 0 and 1, where
    gates are always and never open, stand at 0 and 1.

    Args:
        chances: of ``chances_of``.
        thresholds: (K,) from 0 to 1.
    """
    found = np.asarray(thresholds, dtype=np.float64)
    share = np.searchsorted(chances, found, side="right") / max(1, len(chances))
    return np.where(found <= 0, 0.0, np.where(found >= 1, 1.0, share))


def even_stops(
    chances: Floats, measured: Sequence[float] = (), count: int = STOPS
) -> tuple[float, ...]:
    """Thresholds from one to the next of which about as many decisions change, rising.

    They are quantiles, rounded up to as few digits as keep them even; where many probabilities are
    the same, no threshold parts them.

    Args:
        chances: of ``chances_of``.
        measured: thresholds that are to be among them, as 0, one half and 1 always are.
        count: quantiles; fewer where they are the same.
    """
    stops = {0.0, RECORDED_THRESHOLD, 1.0, *measured}
    if len(chances):
        found = np.quantile(chances, (np.arange(count) + 0.5) / count, method="higher")
        values: list[float] = np.unique(found).tolist()
        stops |= {short_threshold(chances, value, count) for value in values}
    return tuple(sorted(stops))


def short_threshold(chances: Floats, value: float, count: int) -> float:
    """A recorded probability, rounded up to as few digits as pass a quarter of a step at most.

    Args:
        chances: of ``chances_of``.
        value: one of them.
        count: steps, of as many of them each.
    """
    start = int(np.searchsorted(chances, value, side="right"))
    last = start + len(chances) // (4 * count)
    for digits in range(2, _MOST_DIGITS + 1):
        short: float = math.ceil(value * 10.0**digits) / 10.0**digits
        if short < 1 and int(np.searchsorted(chances, short, side="right")) <= last:
            return short
    return value


def _bounds(
    loops: Integers,
    prob: Floats,
    correct: Flags,
    cost: NetworkCost,
    thresholds: float | Sequence[float],
) -> Bounds:
    limits = checked_thresholds(thresholds, cost.layout)
    found = replay(loops, prob, cost.layout, limits, cost.asks)
    sure_wrong = float((found.unchanged & ~correct).mean())
    return Bounds(
        n=len(loops),
        unchanged=int(found.unchanged.sum()),
        exact=int(found.exact.all(axis=1).sum()),
        loops=(float(found.least.sum(axis=1).mean()), float(found.most.sum(axis=1).mean())),
        macs=(
            float(macs_of_loops(found.least, cost).mean()),
            float(macs_of_loops(found.most, cost).mean()),
        ),
        error=(100 * sure_wrong, 100 * (sure_wrong + float((~found.unchanged).mean()))),
    )


def _correct(records: pd.DataFrame) -> Flags:
    return records["correct"].to_numpy().astype(np.bool_)
