"""Mean ranks of resampled images, without sorting them again, and correlations of ranks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Of standardised ranks: less is rounding, not variance.
_NOTHING = 1e-12


class Ranks:
    """A column whose ranks within groups are known for any resample.

    Ties share their mean rank. A resample takes images with counts, and an image drawn three
    times is three tied images; so only the counts of the distinct values have to be summed up.

    Args:
        values: (N,), finite.
        groups: (N,) the group within which each is ranked, from 0; by default one for all.
    """

    def __init__(self, values: Floats, groups: Integers | None = None) -> None:
        own = np.zeros(len(values), dtype=np.int64) if groups is None else groups
        order = np.lexsort((values, own))
        other = np.ones(len(values), dtype=bool)
        other[1:] = (np.diff(values[order]) != 0) | (np.diff(own[order]) != 0)
        code = np.cumsum(other) - 1
        self._code = np.empty(len(values), dtype=np.int64)
        self._code[order] = code
        self._group = own[order][other]
        starts = np.ones(len(self._group), dtype=bool)
        starts[1:] = np.diff(self._group) != 0
        self._first = np.flatnonzero(starts)
        self._run = np.cumsum(starts) - 1

    def of(self, counts: NDArray[np.int64] | None = None) -> Floats:
        """(N,) ranks from 1; those of images that were not drawn mean nothing.

        Args:
            counts: (N,) how often each image was drawn; by default once.
        """
        weight = np.bincount(self._code, counts, minlength=len(self._group)).astype(np.float64)
        end = np.cumsum(weight)
        before = (end - weight)[self._first]
        middle = end - (weight - 1) / 2 - before[self._run]
        return middle[self._code]


def area_of(
    ranks: Ranks, chosen: NDArray[np.bool_], counts: NDArray[np.int64] | None = None
) -> float:
    """Chance that a chosen image has a higher value than another, ties counted half.

    Mann and Whitney's U over its most; the area under the ROC curve. NaN where there is none of
    either kind.

    Args:
        ranks: of all N images together.
        chosen: (N,).
        counts: (N,) how often each image was drawn; by default once.
    """
    weight = np.ones(len(chosen), dtype=np.int64) if counts is None else counts
    many = float(weight[chosen].sum())
    few = float(weight.sum()) - many
    if not many or not few:
        return math.nan
    ranked = float(weight[chosen] @ ranks.of(weight)[chosen])
    return (ranked - many * (many + 1) / 2) / (many * few)


def group_sums(values: Floats, groups: Integers | None, count: int) -> Floats:
    """(count,) sums of ``values`` over each group; one sum without groups."""
    if groups is None:
        return np.array([values.sum()])
    return np.bincount(groups, values, minlength=count).astype(np.float64)


def correlations(
    x: Floats,
    y: Floats,
    counts: NDArray[np.int64] | None = None,
    groups: Integers | None = None,
    group_count: int = 1,
) -> tuple[Floats, Floats]:
    """Pearson's correlation within each group, of images drawn ``counts`` times.

    Returns:
        (group_count,) correlations, NaN where a column is constant, and (group_count,) images.
    """
    weight = np.ones(len(x)) if counts is None else counts.astype(np.float64)

    def total(values: Floats) -> Floats:
        return group_sums(weight * values, groups, group_count)

    n = group_sums(weight, groups, group_count)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_x, mean_y = total(x) / n, total(y) / n
        place = 0 if groups is None else groups
        dx, dy = x - mean_x[place], y - mean_y[place]
        square_x, square_y, product = total(dx * dx), total(dy * dy), total(dx * dy)
        scale = np.sqrt(square_x * square_y)
        # ranks differ by a half at least, so real variance is far above rounding
        found = np.where(scale > _NOTHING, product / scale, np.nan)
    return np.clip(found, -1.0, 1.0), n


def correlation_matrix(columns: Sequence[Floats], counts: NDArray[np.int64]) -> Floats:
    """(K, K) Pearson's correlations of K columns, of images drawn ``counts`` times."""
    table = np.stack(columns)
    weight = counts.astype(np.float64)
    centred = table - (table @ weight / weight.sum())[:, None]
    products = (centred * weight) @ centred.T
    scale = np.sqrt(np.diag(products))
    with np.errstate(invalid="ignore", divide="ignore"):
        return products / np.outer(scale, scale)


def partial_of(matrix: Floats) -> float:
    """Correlation of the first two columns given all others, from their (K, K) correlations.

    What is left of the two after regression on the others is the Schur complement of the matrix;
    NaN where nothing is left.
    """
    if np.isnan(matrix).any():
        return math.nan
    own, cross, given = matrix[:2, :2], matrix[:2, 2:], matrix[2:, 2:]
    left = own - cross @ np.linalg.pinv(given, hermitian=True) @ cross.T
    if left[0, 0] < 1e-9 or left[1, 1] < 1e-9:
        return math.nan
    return float(np.clip(left[0, 1] / np.sqrt(left[0, 0] * left[1, 1]), -1.0, 1.0))
