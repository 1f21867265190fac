"""How loops go with anything else that is known of an image: rank correlation with intervals.

``spearman`` looks at all images together; ``within`` at the images of each class, so that classes
that loop more and also are harder do not make a relation; ``partial`` at what is left once other
columns, such as the confidence, are known.

Pure functions over columns of a run's records.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drnn_core.analysis.bootstrap import columns_of, interval, resamples_of
from drnn_core.analysis.probabilities import normal_tail, spearman_test, t_tail
from drnn_core.analysis.ranks import Ranks, correlation_matrix, correlations, partial_of

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Relation:
    """A rank correlation of two columns.

    Attributes:
        rho: in -1..1; NaN where a column is constant or fewer than three rows are finite.
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
    """Spearman's rank correlation of ``x`` and ``y``, (N,) each, over all images.

    Pairs with a NaN are left out. Ties share their mean rank, also among resampled images.

    Args:
        x, y: the columns.
        level: of the interval.
        resamples: of the bootstrap.
        seed: of the bootstrap, so that a figure is the same whenever it is made.

    Raises:
        ValueError: the columns differ in length.
    """
    first, second = columns_of(x, y)
    if _too_little(first, second):
        return _nothing(len(first), level)
    value, p = spearman_test(first, second)
    ranks = Ranks(first), Ranks(second)

    def rho(counts: NDArray[np.int64]) -> float:
        return float(correlations(ranks[0].of(counts), ranks[1].of(counts), counts)[0][0])

    return _relation(value, p, rho, len(first), level, resamples, seed)


def within(
    x: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Relation:
    """Spearman's rank correlation within groups: its mean, weighted by the groups' images.

    Groups in which a column is constant say nothing and are left out; ``n`` counts the others.
    ``p`` is that of the weighted mean against a normal distribution: with no relation, the
    correlation of n ranked images, tied or not, has mean 0 and variance 1 / (n - 1) exactly.

    Args:
        x, y: the columns.
        groups: (N,) of each image, such as its label.
        level, resamples, seed: see ``spearman``.

    Raises:
        ValueError: the columns differ in length.
    """
    first, second, kind = columns_of(x, y, groups)
    _, place = np.unique(kind, return_inverse=True)
    count = int(place.max()) + 1 if len(place) else 0
    if not count:
        return _nothing(0, level)
    ranks = Ranks(first, place), Ranks(second, place)

    def parts(counts: NDArray[np.int64]) -> tuple[Floats, Floats]:
        found, n = correlations(ranks[0].of(counts), ranks[1].of(counts), counts, place, count)
        known = ~np.isnan(found) & (n > 2)
        return found[known], n[known]

    def rho(counts: NDArray[np.int64]) -> float:
        found, n = parts(counts)
        return float(found @ n / n.sum()) if len(n) else math.nan

    once = np.ones(len(first), dtype=np.int64)
    sizes = parts(once)[1]
    total = int(sizes.sum())
    value = rho(once)
    if math.isnan(value):
        return _nothing(total, level)
    spread = math.sqrt(float((sizes**2 / (sizes - 1)).sum())) / total
    p = 2 * normal_tail(abs(value) / spread)
    return _relation(value, p, rho, len(first), level, resamples, seed, total)


def partial(
    x: ArrayLike,
    y: ArrayLike,
    given: Sequence[ArrayLike],
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Relation:
    """Rank correlation of ``x`` and ``y`` once the ``given`` columns are known.

    Every column is ranked, the ranks of x and y are freed of what is linear in the ranks of the
    given columns, and the rest is correlated. ``p`` is of Student's t with N - 2 - K degrees of
    freedom.

    Args:
        x, y: the columns.
        given: K columns, (N,) each.
        level, resamples, seed: see ``spearman``.

    Raises:
        ValueError: no given column, or columns that differ in length.
    """
    if not given:
        raise ValueError("expected at least one column that is given, got none; use spearman")
    columns = columns_of(x, y, *given)
    n, freedom = len(columns[0]), len(columns[0]) - 2 - len(given)
    if freedom < 1 or _too_little(*columns[:2]):
        return _nothing(n, level)
    known = [column for column in columns[2:] if np.ptp(column) > 0]
    ranks = [Ranks(column) for column in [*columns[:2], *known]]

    def rho(counts: NDArray[np.int64]) -> float:
        return partial_of(correlation_matrix([rank.of(counts) for rank in ranks], counts))

    value = rho(np.ones(n, dtype=np.int64))
    if math.isnan(value):
        return _nothing(n, level)
    t = abs(value) * math.sqrt(freedom / max(1 - value * value, 1e-300))
    p = 2 * t_tail(t, freedom)
    return _relation(value, p, rho, n, level, resamples, seed)


def _too_little(x: Floats, y: Floats) -> bool:
    return len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0


def _nothing(n: int, level: float) -> Relation:
    nan = float("nan")
    return Relation(nan, nan, nan, nan, n, level)


def _relation(
    value: float,
    p: float,
    rho: Callable[[NDArray[np.int64]], float],
    n: int,
    level: float,
    resamples: int,
    seed: int,
    counted: int | None = None,
) -> Relation:
    draws = [rho(counts) for counts in resamples_of(n, resamples, seed)]
    low, high = interval(draws, level)
    return Relation(value, low, high, p, n if counted is None else counted, level)
