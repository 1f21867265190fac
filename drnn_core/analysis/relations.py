"""How loops go with anything else that is known of an image: rank correlation with intervals.

Pure functions over columns of a run's records.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats


@dataclass(frozen=True)
class Relation:
    """Spearman's rank correlation of two columns.

    Attributes:
        rho: in -1..1; NaN where a column is constant or fewer than three pairs are finite.
        low, high: bootstrap interval (percentiles over resampled images).
        p: of the hypothesis that there is no relation, two-sided.
        n: images.
        level: of the interval, for example .95.
    """

    rho: float
    low: float
    high: float
    p: float
    n: int
    level: float


def spearman(
    x: ArrayLike,
    y: ArrayLike,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Relation:
    """Rank correlation of ``x`` and ``y``, (N,) each, with a bootstrap interval over images.

    Pairs with a NaN are left out. Ties share their mean rank.

    Args:
        x, y: the columns.
        level: of the interval.
        resamples: of the bootstrap.
        seed: of the bootstrap, so that a figure is the same whenever it is made.

    Raises:
        ValueError: the columns differ in length.
    """
    first, second = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(
            f"expected two columns of equal length, got shapes {first.shape} and {second.shape}"
        )
    finite = np.isfinite(first) & np.isfinite(second)
    first, second = first[finite], second[finite]
    if len(first) < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        nan = float("nan")
        return Relation(nan, nan, nan, nan, len(first), level)
    result: Any = stats.spearmanr(first, second)
    draws = _resampled(first, second, resamples, np.random.default_rng(seed))
    low, high = np.nanquantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Relation(
        float(result.statistic), float(low), float(high), float(result.pvalue), len(first), level
    )


def _resampled(
    x: NDArray[np.float64], y: NDArray[np.float64], resamples: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """(resamples,) rank correlations of images drawn with replacement; NaN where constant."""
    draws = np.empty(resamples)
    for index in range(resamples):
        keep = random.integers(0, len(x), len(x))
        # Correlating the first ranks again would be quicker, but ties change with the sample.
        ranks = [np.asarray(stats.rankdata(column[keep])) for column in (x, y)]
        centred = [rank - rank.mean() for rank in ranks]
        scale = np.sqrt((centred[0] ** 2).sum() * (centred[1] ** 2).sum())
        draws[index] = (centred[0] * centred[1]).sum() / scale if scale else np.nan
    return draws
