"""How far the images that run a loop differ from those that do not, over depth (figure 7).

What is compared, and where, says ``drnn_core/analysis/norm_statistics.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


def discrepancy_table(found: Iterable[NormStatistics]) -> pd.DataFrame:
    """A row for each norm and loop, its channels averaged.

    Columns: ``block``, ``norm``, ``loop``, ``depth``, ``channels``; ``executed`` and ``skipped``
    images; ``mean_difference`` and ``log_variance_ratio`` (means of absolute values) and
    ``divergence`` of the two groups, the same with ``_shuffled``, and with ``_error``: the
    standard error over images. NaN where a group is empty.
    """
    return pd.DataFrame([_row(place) for place in found], columns=list(_COLUMNS))


def sampled_discrepancy(found: Sequence[NormStatistics], measure: str) -> Sampled:
    """(P,) one measure at each norm and loop, its channels averaged, and how sure it is.

    Raises:
        ValueError: no such measure.
    """
    if measure not in MEASURES:
        raise ValueError(f"expected a measure of {MEASURES}, got {measure!r}")
    return Sampled.of(np.stack([_between(place, measure) for place in found], axis=1))


_COLUMNS = (
    "block", "norm", "loop", "depth", "channels", "executed", "skipped",
    *MEASURES, *(f"{name}_shuffled" for name in MEASURES), *(f"{name}_error" for name in MEASURES),
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
    pair = place.executed_parts.jackknifed(), place.skipped_parts.jackknifed()
    for name, channels in vars(discrepancy(*pair)).items():
        sampled = Sampled.of(channel_mean(np.abs(channels)))
        values[name] = float(sampled.values)
        values[f"{name}_error"] = float(sampled.error)
    for name, channels in vars(discrepancy(*place.shuffled)).items():
        values[f"{name}_shuffled"] = float(channel_mean(np.abs(channels)))
    return values


def _between(place: NormStatistics, measure: str) -> Floats:
    """(1 + P,) of all images, then without each part."""
    pair = place.executed_parts.jackknifed(), place.skipped_parts.jackknifed()
    return channel_mean(np.abs(getattr(discrepancy(*pair), measure)))
