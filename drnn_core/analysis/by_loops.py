"""A column beside the loops, to be drawn: its means at every number of loops, and its density."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from drnn_core.analysis.bootstrap import columns_of
from drnn_core.analysis.probabilities import t_quantile

Floats = NDArray[np.float64]

# Of the values at either end: they lie in the outer bins, so that one stray value takes no room.
_BEYOND = 0.005


class Density(NamedTuple):
    """How many images have so many loops and such a value.

    Attributes:
        counts: (bins, loops_max + 1) images.
        edges: (bins + 1,) of the bins, rising; the outer ones also hold what lies beyond.
    """

    counts: NDArray[np.int64]
    edges: Floats


def means_by_loops(loops: ArrayLike, values: ArrayLike, level: float = 0.95) -> pd.DataFrame:
    """The mean of a column at each number of loops that an image has.

    Args:
        loops: (N,) of each image.
        values: (N,); images with a NaN are left out.
        level: of the intervals, which are Student's; NaN of a single image.

    Returns:
        A row for each number of loops, rising: ``loops``, ``n``, ``mean``, ``low``, ``high``.

    Raises:
        ValueError: the columns differ in length.
    """
    number, value = columns_of(loops, values)
    found = pd.Series(value).groupby(number.astype(np.int64)).agg(["count", "mean", "std"])
    n = found["count"].to_numpy(np.float64)
    mean = found["mean"].to_numpy(np.float64)
    spread = found["std"].to_numpy(np.float64) / np.sqrt(n)
    reach = t_quantile((1 + level) / 2, np.maximum(n - 1, 1)) * spread
    return pd.DataFrame(
        {
            "loops": found.index.to_numpy(np.int64),
            "n": n.astype(np.int64),
            "mean": mean,
            "low": mean - reach,
            "high": mean + reach,
        }
    )


def density(loops: ArrayLike, values: ArrayLike, loops_max: int, bins: int = 24) -> Density:
    """Images by loops and by a column in ``bins`` equal bins.

    Args:
        loops: (N,) of each image, 0 to ``loops_max``.
        values: (N,); images with a NaN are left out.
        loops_max: the most.
        bins: of the values; fewer where they have fewer distinct values.

    Raises:
        ValueError: the columns differ in length, or fewer than one bin.
    """
    if bins < 1:
        raise ValueError(f"expected at least 1 bin, got {bins}")
    number, value = columns_of(loops, values)
    if not len(value):
        return Density(np.zeros((1, loops_max + 1), np.int64), np.array([0.0, 1.0]))
    edges = _edges(value, bins)
    row = np.clip(np.searchsorted(edges, value, side="right") - 1, 0, len(edges) - 2)
    counts = np.zeros((len(edges) - 1, loops_max + 1), np.int64)
    np.add.at(counts, (row, number.astype(np.int64)), 1)
    return Density(counts, edges)


def _edges(value: Floats, bins: int) -> Floats:
    distinct = np.unique(value)
    if len(distinct) == 1:
        return np.array([distinct[0] - 0.5, distinct[0] + 0.5])
    if len(distinct) <= bins // 2:  # such as right or wrong: a bin around each
        middles = (distinct[1:] + distinct[:-1]) / 2
        ends = 2 * distinct[[0, -1]] - middles[[0, -1]]
        return _rising(np.concatenate([ends[:1], middles, ends[1:]]))
    low, high = np.quantile(value, [_BEYOND, 1 - _BEYOND])
    if low == high:
        low, high = float(distinct[0]), float(distinct[-1])
    return _rising(np.linspace(low, high, bins + 1))


def _rising(edges: Floats) -> Floats:
    """Without edges that rounding made equal."""
    apart = np.unique(edges)
    return apart if len(apart) > 1 else np.array([apart[0] - 0.5, apart[0] + 0.5])
