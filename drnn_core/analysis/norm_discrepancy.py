"""How far the images that run a loop differ from those that do not, over depth (figure 7).

What is compared, and where, says ``drnn_core/analysis/norm_statistics.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from drnn_core.analysis.moments import Floats, Moments, NormStatistics, Sampled, channel_mean

MEASURES = ("mean_difference", "log_variance_ratio", "divergence")


@dataclass(frozen=True)
class Discrepancy:
    """How two groups differ, channel by channel; NaN where a variance is 0 or missing.

    Attributes:
        mean_difference: (..., C) first mean minus second, in standard deviations (root of the
            mean of the two variances).
        log_variance_ratio: (..., C) natural logarithm of first variance over second.
        divergence: (..., C) mean of the two Kullback-Leibler divergences, in nats, between normal
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


def sampled_discrepancies(found: Sequence[NormStatistics]) -> dict[str, Sampled]:
    """Each measure at each norm and loop: (P,) means over channels of absolute values."""
    rows = [_between(place) for place in found]
    empty = np.empty((1, 0))
    return {
        name: Sampled.of(np.stack([row[name] for row in rows], axis=1) if rows else empty)
        for name in MEASURES
    }


def discrepancy_table(
    found: Sequence[NormStatistics], sampled: Mapping[str, Sampled] | None = None
) -> pd.DataFrame:
    """A row for each norm and loop, its channels averaged.

    Columns: ``block``, ``norm``, ``loop``, ``depth``, ``channels``; ``executed`` and ``skipped``
    images; ``mean_difference`` and ``log_variance_ratio`` (means of absolute values) and
    ``divergence`` of the two groups, the same with ``_shuffled``, and with ``_error``: the
    standard error over images. NaN where a group is empty.

    Args:
        found: what was measured.
        sampled: ``sampled_discrepancies`` of it, where they are known already.
    """
    columns = places_of(found)
    for name, values in (sampled or sampled_discrepancies(found)).items():
        columns[name], columns[f"{name}_error"] = values.values, values.error
    shuffled = [discrepancy(*place.shuffled) for place in found]
    for name in MEASURES:
        values = [channel_mean(np.abs(getattr(each, name))) for each in shuffled]
        columns[f"{name}_shuffled"] = np.array(values, dtype=np.float64)
    return pd.DataFrame(columns)


def places_of(found: Sequence[NormStatistics]) -> dict[str, Any]:
    """Columns that say where the rows of a table are of."""
    return {
        "block": [place.block for place in found],
        "norm": [place.norm for place in found],
        "loop": [place.loop for place in found],
        "depth": [place.depth for place in found],
        "channels": [len(place.population.mean) for place in found],
        "executed": [int(place.executed_parts.images.sum()) for place in found],
        "skipped": [int(place.skipped_parts.images.sum()) for place in found],
    }


def _between(place: NormStatistics) -> dict[str, Floats]:
    """(1 + P,) of all images, then without each part."""
    found = discrepancy(place.executed_parts.jackknifed(), place.skipped_parts.jackknifed())
    return {name: channel_mean(np.abs(channels)) for name, channels in vars(found).items()}
