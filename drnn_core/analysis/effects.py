"""Effect sizes: how far two groups of images differ in a column, by ranks and by means."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drnn_core.analysis.bootstrap import Estimate, interval, resamples_within
from drnn_core.analysis.dominance import Dominance
from drnn_core.analysis.probabilities import mann_whitney

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Weights = NDArray[np.floating[Any]]

# Where the sizes of Cliff's delta end, by Romano, Kromrey, Coraggio and Skowronek (2006), who
# carried Cohen's 0.2, 0.5 and 0.8 over to it.
SIZES = (("negligible", 0.147), ("small", 0.33), ("medium", 0.474), ("large", math.inf))

# Counts of resamples that are worked on together: more of them leave the processor's cache.
_AT_ONCE = 1 << 18
_NOTHING = 1e-12  # of the values' own size: rounding, not spread


@dataclass(frozen=True)
class Effect:
    """How far easy and hard images differ in a column; positive: the hard ones have more.

    Attributes:
        column: its name.
        easy_n, hard_n: images with a finite value.
        easy_mean, hard_mean: of the column; NaN without images.
        delta: Cliff's delta, also known as the rank-biserial correlation: the chance that a hard
            image has more than an easy one, minus the chance that it has less; -1..1.
        within: the same of pairs of one class only, so that classes cannot make a difference:
            mean of the classes' deltas, weighted by nm / (n + m) for n easy and m hard images
            (van Elteren 1960).
        d: Cohen's d, the difference of the means in pooled standard deviations.
        p: Mann and Whitney's, two-sided, of ``delta``.
    """

    column: str
    easy_n: int
    hard_n: int
    easy_mean: float
    hard_mean: float
    delta: Estimate
    within: Estimate
    d: Estimate
    p: float


def size_of(delta: float) -> str:
    """The size of a Cliff's delta of either sign in a word of ``SIZES``."""
    if math.isnan(delta):
        raise ValueError("expected a Cliff's delta between -1 and 1, got NaN")
    return next(word for word, end in SIZES if abs(delta) < end)


class Ends:
    """Easy and hard images, with the resamples that give their columns intervals.

    Easy and hard images are drawn apart, whatever their class. Columns that lack no image share
    their draws.

    Args:
        easy, hard: (n,) and (m,) the class of each image.
        level, resamples, seed: of the intervals.
    """

    def __init__(
        self, easy: Integers, hard: Integers, level: float, resamples: int, seed: int
    ) -> None:
        self._easy, self._hard = easy, hard
        self._level, self._resamples, self._seed = level, resamples, seed
        self._sizes = (0, 0)
        self._drawn: list[tuple[Weights, Weights]] = []

    def effect(self, column: str, easy: Floats, hard: Floats) -> Effect:
        """How far a column differs; NaN in what fewer than two images of each do not tell.

        Args:
            column: its name.
            easy, hard: (n,) and (m,) values; those that are not finite are left out.
        """
        few, many = np.isfinite(easy), np.isfinite(hard)
        easy, hard = easy[few], hard[many]
        n, m = len(easy), len(hard)
        means = [float(part.mean()) if len(part) else math.nan for part in (easy, hard)]
        if min(n, m) < 2:
            nothing = Estimate(math.nan, math.nan, math.nan, n + m, self._level)
            return Effect(column, n, m, means[0], means[1], nothing, nothing, nothing, math.nan)
        of_one = np.zeros(n, np.int64), np.zeros(m, np.int64)
        return Effect(
            column,
            n,
            m,
            means[0],
            means[1],
            self._estimate(Dominance(easy, hard, *of_one), n, m),
            self._estimate(Dominance(easy, hard, self._easy[few], self._hard[many]), n, m),
            self._estimate(_Cohen(easy, hard), n, m),
            mann_whitney(easy, hard),
        )

    def _estimate(self, statistic: Dominance | _Cohen, n: int, m: int) -> Estimate:
        (value,) = statistic.of(np.ones((n, 1)), np.ones((m, 1)))
        draws = [statistic.of(few, many) for few, many in self._draws(n, m)]
        ends = interval(np.concatenate(draws) if draws else (), self._level)
        return Estimate(float(value), *ends, n + m, self._level)

    def _draws(self, n: int, m: int) -> list[tuple[Weights, Weights]]:
        """(n, R) and (m, R) how often each image is drawn in R resamples, a part at a time."""
        if self._sizes == (n, m):
            return self._drawn
        self._sizes, self._drawn = (n, m), []
        source = resamples_within((n, m), self._resamples, self._seed)
        while together := list(islice(source, max(1, _AT_ONCE // (n + m)))):
            few, many = (np.stack(part, axis=1) for part in zip(*together, strict=True))
            self._drawn.append((few.astype(np.float32), many.astype(np.float32)))
        return self._drawn


class _Cohen:
    """Cohen's d of many resamples at once."""

    def __init__(self, easy: Floats, hard: Floats) -> None:
        self._own = easy - easy.mean(), hard - hard.mean()
        self._apart = float(hard.mean() - easy.mean())
        self._size = float(max(np.abs(easy).max(), np.abs(hard).max()))

    def of(self, easy: Weights, hard: Weights) -> Floats:
        """(R,) of (n, R) and (m, R) counts; NaN where nothing varies."""
        n, m = len(easy), len(hard)
        squares = np.zeros(easy.shape[1])
        means: list[Floats] = []
        for values, weights in zip(self._own, (easy, hard), strict=True):
            # of deviations, so that little is lost when squares are taken from squares
            mean: Floats = values @ weights / len(values)
            squares += (values**2) @ weights - len(values) * mean**2
            means.append(mean)
        spread: Floats = np.sqrt(np.maximum(squares, 0) / (n + m - 2))
        with np.errstate(invalid="ignore", divide="ignore"):
            found = (self._apart + means[1] - means[0]) / spread
        return np.where(spread > _NOTHING * self._size, found, math.nan)
