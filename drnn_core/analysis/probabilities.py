"""Tails and quantiles of the distributions that the tests here need, and three tests of ranks.

The same as ``scipy.stats`` gives, from ``scipy.special``: importing ``scipy.stats`` takes a second
and 45 MB, which every page of the app would pay for a handful of functions.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import permutations
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]

# Samples of so few values are tested by all of their orders, as scipy.stats does.
FEW = 8
_DIGITS = 9  # to which correlations of different orders are told apart


def normal_quantile(p: float) -> float:
    """The value below which a standard normal variable is with probability p."""
    return float(special.ndtri(p))


def normal_tail(z: float) -> float:
    """The probability that a standard normal variable is above z."""
    return float(special.ndtr(-z))


def t_quantile(p: float, freedom: ArrayLike) -> Floats:
    """The value below which Student's t is with probability p, for any degrees of freedom."""
    return np.asarray(special.stdtrit(np.asarray(freedom, dtype=np.float64), p), dtype=np.float64)


def t_tail(t: float, freedom: float) -> float:
    """The probability that Student's t is above t."""
    return float(special.stdtr(freedom, -t))


def mean_ranks(values: ArrayLike) -> Floats:
    """(N,) ranks from 1; ties share their mean rank."""
    found = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    place, counts = cast("tuple[NDArray[np.int64], NDArray[np.int64]]", found[1:])
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


def rank_orders(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    """Spearman's rank correlations that all orders of ``y`` have with ``x``, and their shares.

    Args:
        x, y: (N,) with N of 2 to 8, neither constant.

    Returns:
        (K,) the different correlations, rising, and the share of the N! orders with each.
    """
    # Both are reordered against each other, so how they stand does not matter.
    return _orders(tuple(np.sort(mean_ranks(x)).tolist()), tuple(np.sort(mean_ranks(y)).tolist()))


@lru_cache(maxsize=256)
def _orders(x: tuple[float, ...], y: tuple[float, ...]) -> tuple[Floats, Floats]:
    """See ``rank_orders``; of ranks, and kept: eight values have 40,320 orders."""
    a, b = (ranks - ranks.mean() for ranks in (np.array(x), np.array(y)))
    orders = np.array(list(permutations(b.tolist())))
    rhos = orders @ a / math.sqrt(float(a @ a) * float(b @ b))
    different, counts = np.unique(rhos.round(_DIGITS), return_counts=True)
    return different, counts / len(orders)


def spearman_test(x: ArrayLike, y: ArrayLike) -> tuple[float, float]:
    """Spearman's rank correlation and its two-sided p.

    Of up to 8 values p is exact, by all of their orders: four that rise have p = 1/12, where the
    usual approximation, Student's t with N - 2 degrees of freedom, has 0. Of more it is that.

    Args:
        x, y: (N,) with N of 3 or more, neither constant.
    """
    a, b = mean_ranks(x), mean_ranks(y)
    rho = float(np.corrcoef(a, b)[0, 1])
    if len(a) <= FEW:
        rhos, shares = rank_orders(x, y)
        return rho, min(1.0, float(shares[abs(rhos) >= abs(rho) - 10**-_DIGITS].sum()))
    freedom = len(a) - 2
    t = abs(rho) * math.sqrt(freedom / max((1 + rho) * (1 - rho), 1e-300))
    return rho, 2 * t_tail(t, freedom)


def sign_test(a: int, b: int) -> float:
    """Exact two-sided p of a against b where either is as likely; 1 where there is neither."""
    if a + b == 0:
        return 1.0
    return min(1.0, 2 * float(special.bdtr(min(a, b), a + b, 0.5)))


def mann_whitney(x: Floats, y: Floats) -> float:
    """Two-sided p of the Mann-Whitney test; exact for few values, else normal, corrected for ties.

    Args:
        x, y: (n,) and (m,) with n and m of 1 or more.
    """
    n, m = len(x), len(y)
    together = np.concatenate([x, y])
    counts = np.unique(together, return_counts=True)[1].astype(np.float64)
    if min(n, m) <= FEW and counts.max() == 1:
        from scipy import stats  # it counts the orders

        exact: Any = stats.mannwhitneyu(x, y, method="exact")
        return float(exact.pvalue)
    u = float(mean_ranks(together)[:n].sum()) - n * (n + 1) / 2
    total = n + m
    ties = float((counts**3 - counts).sum()) / (total * (total - 1))
    spread = math.sqrt(n * m / 12 * (total + 1 - ties))
    if spread == 0:
        return 1.0
    z = (max(u, n * m - u) - n * m / 2 - 0.5) / spread
    return min(1.0, 2 * normal_tail(z))
