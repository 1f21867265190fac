"""Effect sizes: how far two groups of images differ in a column, by ranks and by means."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from drnn_core.analysis.bootstrap import Estimate, interval, resamples_within
from drnn_core.analysis.ranks import Ranks, area_of

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Effect:
    """How far easy and hard images differ in a column; positive: the hard ones have more.

    Attributes:
        column: its name.
        easy_n, hard_n: images with a finite value.
        easy_mean, hard_mean: of the column.
        delta: Cliff's delta, also known as the rank-biserial correlation: the chance that a hard
            image has more than an easy one, minus the chance that it has less; -1..1.
        d: Cohen's d, the difference of the means in pooled standard deviations.
        p: Mann and Whitney's, two-sided.
    """

    column: str
    easy_n: int
    hard_n: int
    easy_mean: float
    hard_mean: float
    delta: Estimate
    d: Estimate
    p: float


def effect(
    column: str, easy: Floats, hard: Floats, level: float, resamples: int, seed: int
) -> Effect:
    """How far two groups of images differ; NaN in what fewer than two images of each do not tell.

    Args:
        column: its name.
        easy, hard: values of the images; those that are not finite are left out.
        level, resamples, seed: of the intervals.
    """
    easy, hard = easy[np.isfinite(easy)], hard[np.isfinite(hard)]
    n = len(easy) + len(hard)
    if min(len(easy), len(hard)) < 2:
        nothing = Estimate(math.nan, math.nan, math.nan, n, level)
        means = [float(part.mean()) if len(part) else math.nan for part in (easy, hard)]
        return Effect(column, len(easy), len(hard), means[0], means[1], nothing, nothing, math.nan)
    ranks = Ranks(np.concatenate([easy, hard]))
    is_hard = np.arange(n) >= len(easy)
    draws: list[tuple[float, float]] = []
    for few, many in resamples_within((len(easy), len(hard)), resamples, seed):
        delta = 2 * area_of(ranks, is_hard, np.concatenate([few, many])) - 1
        draws.append((delta, _cohen(easy, hard, few, many)))
    deltas, ds = zip(*draws, strict=True) if draws else ((), ())
    once = [np.ones(len(part), dtype=np.int64) for part in (easy, hard)]
    test: Any = stats.mannwhitneyu(easy, hard)
    return Effect(
        column,
        len(easy),
        len(hard),
        float(easy.mean()),
        float(hard.mean()),
        Estimate(2 * area_of(ranks, is_hard) - 1, *interval(deltas, level), n, level),
        Estimate(_cohen(easy, hard, *once), *interval(ds, level), n, level),
        float(test.pvalue),
    )


def _cohen(easy: Floats, hard: Floats, few: NDArray[np.int64], many: NDArray[np.int64]) -> float:
    """Cohen's d of values drawn ``few`` and ``many`` times; NaN where nothing varies."""
    n, m = len(easy), len(hard)
    mean, other = float(few @ easy) / n, float(many @ hard) / m
    squares = float(few @ (easy - mean) ** 2) + float(many @ (hard - other) ** 2)
    pooled = math.sqrt(squares / (n + m - 2))
    return (other - mean) / pooled if pooled > 0 else math.nan
