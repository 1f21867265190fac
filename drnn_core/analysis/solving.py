"""Which threshold gives a wanted mean: an estimate between known ones, by recorded decisions."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from drnn_core.analysis.budget import Floats, places, short_threshold

_STEPS = 1000  # of the recorded probabilities: as near as a found threshold is


@dataclass(frozen=True)
class Solved:
    """One threshold of all gates for a wanted mean.

    Attributes:
        threshold: a known one, or an estimate.
        beside: the known thresholds on either side; both are ``threshold`` where it is known.
        same: share of the recorded probabilities that have one value there: no threshold parts
            them, so the mean may leap past what was wanted.
    """

    threshold: float
    beside: tuple[float, float]
    same: float


def threshold_for(chances: Floats, known: Mapping[float, float], wanted: float) -> Solved | None:
    """Estimate the threshold at which a mean is as wanted; None outside of what is known.

    Between two known thresholds the mean is taken to change evenly with the recorded decisions.

    Args:
        chances: ``budget.chances_of``.
        known: means by threshold, 0 and 1 among them.
        wanted: the mean.
    """
    exact = [threshold for threshold, mean in known.items() if mean == wanted]
    if exact:
        return Solved(exact[0], (exact[0], exact[0]), 0.0)
    for low, high in itertools.pairwise(sorted(known)):
        first, last = known[low], known[high]
        if (first - wanted) * (last - wanted) < 0:
            return _between(chances, (low, high), (first - wanted) / (first - last))
    return None


def _between(chances: Floats, ends: tuple[float, float], way: float) -> Solved:
    """At a part of the way from one threshold to the next, by the decisions that change."""
    start, end = places(chances, ends).tolist()
    place = start + way * (end - start)
    same = 0.0
    if end > start:
        value = np.quantile(chances, [place], method="inverted_cdf").astype(np.float64)[0]
        same = int(np.count_nonzero(chances == value)) / len(chances)
    values = np.unique(chances[(chances > ends[0]) & (chances < ends[1])])
    if not len(values):  # no threshold between them does anything else
        return Solved(ends[round(way)], ends, same)
    nearest = int(np.abs(places(chances, values) - place).argmin())
    found = short_threshold(chances, float(values[nearest]), _STEPS)
    return Solved(min(max(found, ends[0]), ends[1]), ends, same)
