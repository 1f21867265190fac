"""How far the running statistics are from those of the images that they stand for.

Evaluation normalises each loop by the running statistics of its BatchNorm. They are right if the
images that execute the loop come out with mean 0 and variance 1, before scale and shift. Plain
BatchNorm (LVBN) fills them with all images of a batch, executed or not; I-LVBN with the executed
ones only; naive recursion with those of all loops together.

What is left even then comes from training and evaluation not being alike: augmented images, noisy
gates, batches normalised by their own statistics, and the last batches counting most.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from drnn_core.analysis.moments import Floats, NormStatistics, Sampled, channel_mean

# Of each place: the size of both faults, and which way the variance is wrong.
BIASES = ("mean_bias", "variance_bias", "variance_shift")
_PLACE = ("block", "norm", "loop", "depth", "channels", "executed", "skipped")


def bias_table(found: Iterable[NormStatistics]) -> pd.DataFrame:
    """A row for each norm and loop: the running statistics against those of executed images.

    Columns: ``block``, ``norm``, ``loop``, ``depth``, ``channels``; ``executed`` and ``skipped``
    images; means over channels of

    - ``mean_bias``: |running mean - true mean|, in running standard deviations;
    - ``variance_bias``: |ln(running variance / true variance)|;
    - ``variance_shift``: the same with its sign: positive where the running variance is too large;

    and each with ``_error``, its standard error over images. NaN where no image executes the loop.
    """
    columns = [*_PLACE, *BIASES, *(f"{name}_error" for name in BIASES)]
    return pd.DataFrame([_row(place) for place in found], columns=columns)


def sampled_bias(found: Sequence[NormStatistics], bias: str) -> Sampled:
    """(P,) one of the biases at each norm and loop, and how sure it is.

    Raises:
        ValueError: no such bias.
    """
    if bias not in BIASES:
        raise ValueError(f"expected a bias of {BIASES}, got {bias!r}")
    return Sampled.of(np.stack([_biases(place)[bias] for place in found], axis=1))


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
    for name, rows in _biases(place).items():
        sampled = Sampled.of(rows)
        values[name], values[f"{name}_error"] = float(sampled.values), float(sampled.error)
    return values


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
