"""Many rank correlations with loops at once: intervals by formula instead of resampling.

A page or a table that looks at every column of a run cannot wait for a bootstrap of each. The
interval here is Fisher's, with the standard error that Bonett and Wright (2000) give for
Spearman's correlation, sqrt((1 + rho^2 / 2) / (n - 3)) of artanh(rho); each column that is given
takes one from n. Within groups the errors of the groups' correlations are added up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drnn_core.analysis.bootstrap import columns_of
from drnn_core.analysis.probabilities import normal_quantile
from drnn_core.analysis.relations import Relation, partial, spearman, within

View = Literal["all", "within", "given"]


def overview(
    loops: ArrayLike,
    columns: Mapping[str, ArrayLike],
    view: View,
    groups: ArrayLike,
    given: Sequence[ArrayLike] = (),
    level: float = 0.95,
) -> dict[str, Relation]:
    """The relation of each column to loops.

    Args:
        loops: (N,) of each image.
        columns: name -> (N,) values; images with a NaN are left out of that column's relation.
        view: over "all" images, "within" groups, or with the ``given`` columns known.
        groups: (N,), such as the label.
        given: for that view, (N,) each.
        level: of the intervals.

    Raises:
        ValueError: columns that differ in length, or none given where they are asked for.
    """
    found: dict[str, Relation] = {}
    for name, values in columns.items():
        if view == "all":
            found[name] = with_interval(spearman(loops, values, level, resamples=0))
        elif view == "given":
            relation = partial(loops, values, given, level, resamples=0)
            found[name] = with_interval(relation, len(given))
        else:
            found[name] = _within(loops, values, groups, level)
    return found


def by_group(
    x: ArrayLike, y: ArrayLike, groups: ArrayLike, level: float = 0.95
) -> dict[int, Relation]:
    """Spearman's correlation in each group that has images with both values, by its number.

    Args:
        x, y: (N,) columns.
        groups: (N,) whole numbers, such as the label.
        level: of the intervals.

    Raises:
        ValueError: the columns differ in length.
    """
    first, second, kind = columns_of(x, y, groups)
    found: dict[int, Relation] = {}
    for group in np.unique(kind):
        here = kind == group
        relation = spearman(first[here], second[here], level, resamples=0)
        found[int(group)] = with_interval(relation)
    return found


def with_interval(relation: Relation, given: int = 0) -> Relation:
    """A correlation with the interval of the formula; NaN where there are too few images.

    Args:
        relation: over all images.
        given: columns that were known.
    """
    freedom = relation.n - 3 - given
    if math.isnan(relation.rho) or freedom < 1:
        return replace(relation, low=math.nan, high=math.nan)
    if abs(relation.rho) >= 1:
        return replace(relation, low=relation.rho, high=relation.rho)
    reach = _quantile(relation.level) * math.sqrt((1 + relation.rho**2 / 2) / freedom)
    middle = math.atanh(relation.rho)
    return replace(relation, low=math.tanh(middle - reach), high=math.tanh(middle + reach))


def _within(loops: ArrayLike, values: ArrayLike, groups: ArrayLike, level: float) -> Relation:
    relation = within(loops, values, groups, level, resamples=0)
    parts = [part for part in by_group(loops, values, groups).values() if part.n > 3]
    rho: NDArray[np.float64] = np.array([part.rho for part in parts])
    n: NDArray[np.float64] = np.array([part.n for part in parts], dtype=np.float64)
    known = ~np.isnan(rho)
    rho, n = rho[known], n[known]
    if not len(n) or math.isnan(relation.rho):
        return relation
    spread = (1 - rho**2) ** 2 * (1 + rho**2 / 2) / (n - 3)
    reach = _quantile(level) * math.sqrt(float((n**2 * spread).sum())) / float(n.sum())
    low, high = relation.rho - reach, relation.rho + reach
    return replace(relation, low=max(low, -1.0), high=min(high, 1.0))


def _quantile(level: float) -> float:
    return normal_quantile((1 + level) / 2)
