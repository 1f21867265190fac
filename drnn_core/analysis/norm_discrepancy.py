"""How far the images that run a loop differ from those that do not, over depth (figure 7).

What is compared, and where, says ``drnn_core/analysis/norm_statistics.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drnn_core.analysis.norm_statistics import Moments, NormStatistics

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Discrepancy:
    """How two groups differ, channel by channel; NaN where a variance is 0 or missing.

    Attributes:
        mean_difference: (C,) first mean minus second, in standard deviations (root of the mean
            of the two variances).
        log_variance_ratio: (C,) natural logarithm of first variance over second.
        divergence: (C,) mean of the two Kullback-Leibler divergences, in nats, between normal
            distributions of these moments; 0 where the groups agree.
    """

    mean_difference: Floats
    log_variance_ratio: Floats
    divergence: Floats


def discrepancy(first: Moments, second: Moments) -> Discrepancy:
    """How two groups differ, channel by channel."""
    gap = first.mean - second.mean
    one, other = (np.where(part.var > 0, part.var, np.nan) for part in (first, second))
    return Discrepancy(
        gap / np.sqrt((one + other) / 2),
        np.log(one / other),
        ((one + gap**2) / other + (other + gap**2) / one - 2) / 4,
    )


def discrepancy_table(found: Iterable[NormStatistics]) -> pd.DataFrame:
    """A row for each norm and loop, its channels averaged.

    Columns: ``block``, ``norm``, ``loop``, ``depth``, ``channels``; ``executed`` and ``skipped``
    images; ``mean_difference`` and ``log_variance_ratio`` (means of absolute values) and
    ``divergence`` of the two groups, and the same with ``_shuffled``; ``executed_shift`` and
    ``skipped_shift``: mean absolute distance of the group's mean from the population's, in the
    population's standard deviations. NaN where a group is empty.
    """
    return pd.DataFrame([_row(place) for place in found], columns=list(_COLUMNS))


_MEASURES = ("mean_difference", "log_variance_ratio", "divergence")
_COLUMNS = (
    "block", "norm", "loop", "depth", "channels", "executed", "skipped",
    *_MEASURES, *(f"{name}_shuffled" for name in _MEASURES), "executed_shift", "skipped_shift",
)  # fmt: skip


def _row(place: NormStatistics) -> dict[str, Any]:
    values: dict[str, Any] = {
        "block": place.block,
        "norm": place.norm,
        "loop": place.loop,
        "depth": place.depth,
        "channels": len(place.population.mean),
        "executed": place.executed.images,
        "skipped": place.skipped.images,
    }
    pairs = {"": (place.executed, place.skipped), "_shuffled": place.shuffled}
    for suffix, pair in pairs.items():
        for name, channels in vars(discrepancy(*pair)).items():
            values[f"{name}{suffix}"] = _mean(np.abs(channels))
    for name, group in (("executed", place.executed), ("skipped", place.skipped)):
        gap = np.abs(group.mean - place.population.mean)
        values[f"{name}_shift"] = _mean(gap / np.sqrt(place.population.var))
    return values


def _mean(channels: Floats) -> float:
    known = channels[np.isfinite(channels)]
    return float(known.mean()) if len(known) else float("nan")
