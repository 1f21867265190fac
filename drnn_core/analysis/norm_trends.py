"""Whether a number of each norm and loop grows, with depth and from loop to loop.

Two kinds of doubt belong to a trend. The interval says how it would scatter with other images (the
jackknife); p says how often so clear an order would come about if the norms
and loops stood in random order. Neither speaks of other trainings.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drnn_core.analysis.moments import Floats, Sampled
from drnn_core.analysis.probabilities import (
    FEW,
    mean_ranks,
    normal_tail,
    rank_orders,
    spearman_test,
)

_DIGITS = 6  # to which sums over groups are told apart


@dataclass(frozen=True)
class Trend:
    """A rank correlation with the order.

    Attributes:
        rho: in -1..1; NaN where nothing can be ordered.
        low, high: interval over images.
        p: two-sided.
        n: norms and loops that were ordered.
        level: of the interval, for example .95.
    """

    rho: float
    low: float
    high: float
    p: float
    n: int
    level: float


def over_depth(found: Sampled, level: float = 0.95) -> Trend:
    """Spearman's rank correlation of (P,) numbers with their position, NaN left out."""
    values = found.values
    known = np.isfinite(values)
    n = int(known.sum())
    if n < 3 or np.ptp(values[known]) == 0:
        return _nothing(n, level)
    _, p = spearman_test(np.flatnonzero(known), values[known])
    return _trend(found, _rho, p, n, level)


def over_loops(found: Sampled, groups: Sequence[object], level: float = 0.95) -> Trend:
    """Rank correlation with the position within groups: its mean, weighted by the groups' size.

    ``p`` is exact, by all orders within all groups, where no group has more than 8. Else it is that
    of the weighted mean against a normal distribution: in random order, the correlation of n ranks
    has mean 0 and variance 1 / (n - 1) exactly.

    Args:
        found: (P,) numbers, those of a group in the order of its loops.
        groups: (P,) of each, such as its block and norm.
        level: of the interval.
    """
    kinds = list(dict.fromkeys(groups))
    number = {kind: place for place, kind in enumerate(kinds)}
    of = np.array([number[group] for group in groups], dtype=np.int64)
    members = [np.flatnonzero(of == place) for place in range(len(kinds))]

    def parts(values: Floats) -> tuple[Floats, Floats]:
        found = [(_rho(values[own]), int(np.isfinite(values[own]).sum())) for own in members]
        known = [(rho, n) for rho, n in found if not math.isnan(rho)]
        rhos, sizes = np.array(known, dtype=np.float64).reshape(-1, 2).T
        return rhos, sizes

    def mean(values: Floats) -> float:
        rhos, sizes = parts(values)
        return float(rhos @ sizes / sizes.sum()) if len(sizes) else math.nan

    sizes = parts(found.values)[1]
    total = int(sizes.sum())
    if not total:
        return _nothing(0, level)
    if sizes.max() <= FEW:
        p = _exact([found.values[own] for own in members], mean(found.values) * total)
    else:
        spread = math.sqrt(float((sizes**2 / (sizes - 1)).sum())) / total
        p = 2 * normal_tail(abs(mean(found.values)) / spread)
    return _trend(found, mean, p, total, level)


def _exact(groups: Sequence[Floats], weighted: float) -> float:
    """How often the sum of n rho over groups is so far from 0, each group in random order."""
    sums, shares = np.zeros(1), np.ones(1)
    for values in groups:
        known = values[np.isfinite(values)]
        if math.isnan(_rho(values)):
            continue
        rhos, own = rank_orders(np.arange(len(known)), known)
        every = (sums[:, None] + len(known) * rhos).ravel().round(_DIGITS)
        sums, place = np.unique(every, return_inverse=True)
        shares = np.bincount(place.ravel(), (shares[:, None] * own).ravel())
    return min(1.0, float(shares[abs(sums) >= abs(weighted) - 10.0 ** (1 - _DIGITS)].sum()))


def _rho(values: Floats) -> float:
    known: NDArray[np.int64] = np.flatnonzero(np.isfinite(values))
    if len(known) < 2 or np.ptp(values[known]) == 0:
        return math.nan
    return float(np.corrcoef(np.arange(len(known)), mean_ranks(values[known]))[0, 1])


def _trend(found: Sampled, rho: Callable[[Floats], float], p: float, n: int, level: float) -> Trend:
    sampled = found.map(lambda values: np.array(rho(values)))
    value, half = float(sampled.values), float(sampled.margin(level))
    return Trend(value, max(value - half, -1.0), min(value + half, 1.0), p, n, level)


def _nothing(n: int, level: float) -> Trend:
    nan = math.nan
    return Trend(nan, nan, nan, nan, n, level)
