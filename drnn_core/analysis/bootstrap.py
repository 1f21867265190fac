"""Bootstrap over images: resamples as counts, and estimates with intervals.

Drawing N of N images with replacement gives every image a count, and every statistic here is
worked out from counts, so that nothing is copied or sorted again for a resample.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Estimate:
    """A number measured on images, and how sure it is.

    Attributes:
        value: of all images; NaN where it is not defined.
        low, high: bootstrap interval (percentiles over resampled images).
        n: images.
        level: of the interval, for example .95.
    """

    value: float
    low: float
    high: float
    n: int
    level: float


def resamples_of(n: int, resamples: int, seed: int) -> Iterator[Counts]:
    """How often each of ``n`` images is drawn, (n,) a resample; the same for the same seed."""
    random = np.random.default_rng(seed)
    for _ in range(resamples):
        yield np.bincount(random.integers(0, n, n), minlength=n)


def resamples_within(
    sizes: Sequence[int], resamples: int, seed: int
) -> Iterator[tuple[Counts, ...]]:
    """As ``resamples_of`` for several groups, each of which keeps its size."""
    random = np.random.default_rng(seed)
    for _ in range(resamples):
        yield tuple(np.bincount(random.integers(0, n, n), minlength=n) for n in sizes)


def resamples_of_kinds(counts: Counts, resamples: int, seed: int) -> Iterator[Counts]:
    """How many of the images drawn are of each of K kinds, (K,) a resample.

    The same in law as drawing images one by one and counting their kinds, at a cost that does not
    depend on the number of images: what is enough for statistics of a table of counts.

    Args:
        counts: (K,) images of each kind, at least one image in all.
        resamples, seed: see ``resamples_of``.
    """
    random = np.random.default_rng(seed)
    n = int(counts.sum())
    for _ in range(resamples):
        yield random.multinomial(n, counts / n).astype(np.int64)


def interval(draws: ArrayLike, level: float) -> tuple[float, float]:
    """Percentiles that hold ``level`` of the draws; NaN draws do not count, none gives NaN.

    Raises:
        ValueError: a level that is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"expected a level between 0 and 1, such as 0.95, got {level}")
    found = np.asarray(draws, dtype=np.float64)
    found = found[~np.isnan(found)]
    if not len(found):
        return math.nan, math.nan
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def mean_estimate(
    values: ArrayLike, level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> Estimate:
    """The mean of (N,) values with its bootstrap interval; NaN of none.

    Args:
        values: finite.
        level, resamples, seed: of the interval.
    """
    column = np.asarray(values, dtype=np.float64)
    n = len(column)
    if not n:
        return Estimate(math.nan, math.nan, math.nan, 0, level)
    draws = [float(counts @ column) / n for counts in resamples_of(n, resamples, seed)]
    return Estimate(float(column.mean()), *interval(draws, level), n, level)


def estimate(
    statistic: Callable[[Counts], float],
    n: int,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Estimate:
    """A statistic of ``n`` images, given as a function of how often each is drawn."""
    if not n:
        return Estimate(math.nan, math.nan, math.nan, 0, level)
    draws = [statistic(counts) for counts in resamples_of(n, resamples, seed)]
    return Estimate(statistic(np.ones(n, dtype=np.int64)), *interval(draws, level), n, level)


def columns_of(*columns: ArrayLike) -> list[NDArray[np.float64]]:
    """Columns as float64, without the rows in which one of them is not finite.

    Raises:
        ValueError: they are not columns, or of different lengths.
    """
    found: list[NDArray[np.float64]] = [np.asarray(c, dtype=np.float64) for c in columns]
    shapes: list[Any] = [column.shape for column in found]
    if found[0].ndim != 1 or len(set(shapes)) != 1:
        shown = " and ".join(str(shape) for shape in shapes)
        many = "two" if len(found) == 2 else str(len(found))
        raise ValueError(f"expected {many} columns of equal length, got shapes {shown}")
    finite = np.all([np.isfinite(column) for column in found], axis=0)
    return [column[finite] for column in found]
