"""Cliff's delta of many resamples at once, over all pairs or over pairs of one class.

Values are sorted once. How many easy images lie below a hard one is then a difference of two
running sums of the counts, for all resamples side by side.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Weights = NDArray[np.floating[Any]]


class Dominance:
    """How often hard images have more than easy ones of their group, less how often less.

    Args:
        easy, hard: (n,) and (m,) values, finite.
        easy_groups, hard_groups: (n,) and (m,) whom they are compared with; groups that have
            images of one kind only do not count.
    """

    def __init__(
        self, easy: Floats, hard: Floats, easy_groups: Integers, hard_groups: Integers
    ) -> None:
        both = np.intersect1d(easy_groups, hard_groups)
        few = np.flatnonzero(np.isin(easy_groups, both))
        many = np.flatnonzero(np.isin(hard_groups, both))
        distinct, code = np.unique(np.concatenate([easy[few], hard[many]]), return_inverse=True)
        own = [np.searchsorted(both, part) for part in (easy_groups[few], hard_groups[many])]
        # a group's values in a range of their own, so that one sorting serves all
        keys = np.concatenate(own) * len(distinct) + code
        easy_keys, hard_keys = keys[: len(few)], keys[len(few) :]
        self._easy_rows = few[np.argsort(easy_keys)]
        self._hard_rows = many[np.argsort(own[1], kind="stable")]
        easy_keys, hard_keys = np.sort(easy_keys), hard_keys[np.argsort(own[1], kind="stable")]
        self._below = np.searchsorted(easy_keys, hard_keys, "left")
        self._through = np.searchsorted(easy_keys, hard_keys, "right")
        starts = np.arange(len(both) + 1) * len(distinct)
        self._easy_starts = np.searchsorted(easy_keys, starts, "left")
        self._hard_starts = np.searchsorted(np.sort(own[1]), np.arange(len(both)), "left")
        self._base = self._easy_starts[np.sort(own[1])]

    def of(self, easy: Weights, hard: Weights) -> Floats:
        """(R,) Cliff's delta of R resamples; NaN where no group has images of both kinds.

        The groups' deltas, weighted by nm / (n + m) for n easy and m hard images.

        Args:
            easy, hard: (n, R) and (m, R) how often each image is drawn, in any float type that
                holds such counts' sums exactly.
        """
        draws = int(easy.shape[1])
        if not len(self._hard_rows):
            return np.full(draws, math.nan)
        below = np.zeros((len(self._easy_rows) + 1, draws), easy.dtype)
        np.cumsum(easy[self._easy_rows], axis=0, out=below[1:])
        weight = hard[self._hard_rows]
        # less than it, twice, and as much as it, once: twice the pairs that the hard image wins
        won = below[self._below]
        won += below[self._through]
        won -= 2 * below[self._base]
        won *= weight
        ends = below[self._easy_starts].astype(np.float64)
        n = np.diff(ends, axis=0)
        m = np.add.reduceat(weight, self._hard_starts, axis=0).astype(np.float64)
        twice = np.add.reduceat(won, self._hard_starts, axis=0).astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = 1 / (n + m)
            share[~np.isfinite(share)] = 0.0
            total: Floats = (n * m * share).sum(axis=0)
            found: Floats = ((twice - n * m) * share).sum(axis=0) / total
        return found  # 0 / 0 where no class has both
