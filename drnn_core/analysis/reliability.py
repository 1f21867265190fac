"""How far loop counts can be trusted as a measure of an image, and what that does to relations.

A measure that is partly chance cannot correlate fully with anything. Reliability is the squared
correlation of a measure with what it would be without chance; it is estimated from halves of the
measure (the blocks of a network) or from repetitions (runs of other seeds).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drnn_core.analysis.bootstrap import Estimate, estimate
from drnn_core.analysis.ranks import Ranks, correlations

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

# Halves of so many parts are all looked at; of more, as many at random.
_MOST_HALVES = 126


@dataclass(frozen=True)
class Reliability:
    """How reliable a measure is.

    Attributes:
        single: mean rank correlation of two halves, or of two runs.
        whole: of all parts or runs together, by Spearman and Brown's formula.
        parts: how many there are.
    """

    single: Estimate
    whole: Estimate
    parts: int


def spearman_brown(reliability: float, times: float) -> float:
    """Reliability of a measure that is ``times`` as long.

    NaN of a negative correlation: parts that contradict each other do not measure one thing.

    Raises:
        ValueError: ``times`` is not positive.
    """
    if times <= 0:
        raise ValueError(f"expected a positive length, got {times}")
    if not reliability >= 0:
        return math.nan
    return times * reliability / (1 + (times - 1) * reliability)


def across_runs(
    loops: ArrayLike, level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> Reliability:
    """From the same images in several runs, such as other seeds.

    Args:
        loops: (N, R), of N images in R runs.
        level, resamples, seed: of the intervals over images.

    Returns:
        ``single``: mean rank correlation over all pairs of runs, the reliability of one run's
        loops; ``whole``: that of the mean over the R runs.

    Raises:
        ValueError: fewer than two runs.
    """
    table = _table(loops, "runs")
    parts = [Ranks(table[:, run]) for run in range(table.shape[1])]
    pairs = list(itertools.combinations(range(len(parts)), 2))

    def single(counts: Counts) -> float:
        ranks = [part.of(counts) for part in parts]
        return _mean([_rho(ranks[a], ranks[b], counts) for a, b in pairs])

    return _reliability(single, len(table), len(parts), len(parts), (level, resamples, seed))


def split_half(
    parts: ArrayLike, level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> Reliability:
    """From halves of a sum, such as the loops of a network's blocks.

    The parts are split in two halves in every way (of more than ten parts: in 126 ways at
    random); with an odd number, one half has one part more.

    Args:
        parts: (N, K), of N images; their sum is the measure.
        level, resamples, seed: of the intervals over images; the seed also draws the halves.

    Returns:
        ``single``: mean rank correlation of the halves; ``whole``: that stepped up to the sum.

    Raises:
        ValueError: fewer than two parts.
    """
    table = _table(parts, "parts")
    halves = [
        (Ranks(table[:, list(half)].sum(axis=1)), Ranks(np.delete(table, half, axis=1).sum(axis=1)))
        for half in _halves(table.shape[1], seed)
    ]

    def single(counts: Counts) -> float:
        return _mean([_rho(one.of(counts), two.of(counts), counts) for one, two in halves])

    return _reliability(single, len(table), table.shape[1], 2, (level, resamples, seed))


def disattenuated(rho: float, reliability: float, other_reliability: float = 1.0) -> float:
    """Spearman's correction: the correlation that two measures would have without chance.

    It may exceed 1 by the noise of its parts; NaN where a reliability is not positive.
    """
    product = reliability * other_reliability
    if not (reliability > 0 and other_reliability > 0):
        return math.nan
    return rho / math.sqrt(product)


def _table(values: ArrayLike, what: str) -> Floats:
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise ValueError(f"expected a column for each of two or more {what}, got {table.shape}")
    return table[np.isfinite(table).all(axis=1)]


def _halves(count: int, seed: int) -> list[tuple[int, ...]]:
    """One half of each split; the other is the rest."""
    size = count // 2
    if count <= 10:
        found = list(itertools.combinations(range(count), size))
        # of an even number, every split came twice: keep the halves that hold the first part
        return [half for half in found if 0 in half] if count % 2 == 0 else found
    random = np.random.default_rng(seed)
    drawn = {
        tuple(sorted(random.choice(count, size, replace=False).tolist()))
        for _ in range(_MOST_HALVES)
    }
    return sorted(drawn)


def _rho(x: Floats, y: Floats, counts: Counts) -> float:
    return float(correlations(x, y, counts)[0][0])


def _mean(values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def _reliability(
    single: Callable[[Counts], float],
    n: int,
    parts: int,
    times: int,
    bootstrap: tuple[float, int, int],
) -> Reliability:
    found = estimate(single, n, *bootstrap)
    # Stepping up is monotonous, so the limits of the interval are stepped up with it; a limit
    # below 0 is one at 0.
    value = spearman_brown(found.value, times)
    limits = [spearman_brown(max(limit, 0.0), times) for limit in (found.low, found.high)]
    if math.isnan(value):
        limits = [math.nan, math.nan]
    return Reliability(found, Estimate(value, limits[0], limits[1], n, found.level), parts)
