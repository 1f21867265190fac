"""How far the running statistics are from those of the images that they stand for.

Evaluation normalises each loop by the running statistics of its BatchNorm. They are right if the
images that execute the loop come out with mean 0 and variance 1, before scale and shift. Plain
BatchNorm (LVBN) fills them with all images of a batch, executed or not; I-LVBN with the executed
ones only; naive recursion with those of all loops together.

What is left even then comes from training and evaluation not being alike: augmented images, noisy
gates, batches normalised by their own statistics, and the last batches counting most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from drnn_core.analysis.moments import Floats, NormStatistics, Sampled, channel_mean
from drnn_core.analysis.norm_discrepancy import places_of

# The size of both faults, and which way the variance is wrong.
BIASES = ("mean_bias", "variance_bias", "variance_shift")


def sampled_biases(found: Sequence[NormStatistics]) -> dict[str, Sampled]:
    """Each bias at each norm and loop: (P,) means over channels, see ``bias_table``."""
    rows = [_biases(place) for place in found]
    empty = np.empty((1, 0))
    return {
        name: Sampled.of(np.stack([row[name] for row in rows], axis=1) if rows else empty)
        for name in BIASES
    }


def bias_table(
    found: Sequence[NormStatistics], sampled: Mapping[str, Sampled] | None = None
) -> pd.DataFrame:
    """A row for each norm and loop: the running statistics against those of executed images.

    Columns: ``block``, ``norm``, ``loop``, ``depth``, ``channels``; ``executed`` and ``skipped``
    images; means over channels of

    - ``mean_bias``: |running mean - true mean|, in running standard deviations;
    - ``variance_bias``: |ln(running variance / true variance)|;
    - ``variance_shift``: the same with its sign: positive where the running variance is too large;

    and each with ``_error``, its standard error over images. NaN where no image executes the loop.

    Args:
        found: what was measured.
        sampled: ``sampled_biases`` of it, where they are known already.
    """
    columns = places_of(found)
    for name, values in (sampled or sampled_biases(found)).items():
        columns[name], columns[f"{name}_error"] = values.values, values.error
    return pd.DataFrame(columns)


def _biases(place: NormStatistics) -> dict[str, Floats]:
    """(1 + P,) of all images, then without each part."""
    running, true = place.population, place.executed_parts.jackknifed()
    variance = np.where(running.var > 0, running.var, np.nan)
    ratio = np.log(variance / np.where(true.var > 0, true.var, np.nan))
    return {
        "mean_bias": channel_mean(np.abs(running.mean - true.mean) / np.sqrt(variance)),
        "variance_bias": channel_mean(np.abs(ratio)),
        "variance_shift": channel_mean(ratio),
    }
