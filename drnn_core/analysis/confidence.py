"""Is a network as often right as it is sure? The reliability curve, and its mean gap.

The expected calibration error is that of Guo et al., "On Calibration of Modern Neural Networks"
(ICML 2017): images in bins of equal width by confidence, and the mean distance of accuracy and
confidence over the bins, weighted by their images.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from drnn_core.analysis.bootstrap import Estimate, columns_of, estimate

BINS = 15


def reliability_curve(confidence: ArrayLike, correct: ArrayLike, bins: int = BINS) -> pd.DataFrame:
    """Accuracy against confidence.

    Args:
        confidence: (N,) probability of the predicted class.
        correct: (N,) bool.
        bins: of equal width over 0..1; a bin holds its upper limit, the first also 0.

    Returns:
        A row a bin: ``low``, ``high``, ``n``, and the means ``confidence`` and ``accuracy``
        (NaN in a bin of no image).

    Raises:
        ValueError: fewer than one bin, confidences outside 0..1, or columns of other lengths.
    """
    sure, right = _checked(confidence, correct, bins)
    place = _bin_of(sure, bins)
    n = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        return pd.DataFrame(
            {
                "low": np.arange(bins) / bins,
                "high": np.arange(1, bins + 1) / bins,
                "n": n,
                "confidence": np.bincount(place, sure, minlength=bins) / n,
                "accuracy": np.bincount(place, right, minlength=bins) / n,
            }
        )


def calibration_error(
    confidence: ArrayLike,
    correct: ArrayLike,
    bins: int = BINS,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Estimate:
    """The expected calibration error, 0..1, with a bootstrap over images.

    A small sample gives too high a value even of a perfectly calibrated network, and resampling
    adds to it: the interval may lie above the value.

    Args:
        confidence, correct, bins: see ``reliability_curve``.
        level, resamples, seed: of the interval.
    """
    sure, right = _checked(confidence, correct, bins)
    place = _bin_of(sure, bins)
    gap = right - sure

    def error(counts: NDArray[np.int64]) -> float:
        return float(np.abs(np.bincount(place, counts * gap, minlength=bins)).sum()) / len(sure)

    return estimate(error, len(sure), level, resamples, seed)


def _checked(
    confidence: ArrayLike, correct: ArrayLike, bins: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if bins < 1:
        raise ValueError(f"expected at least 1 bin, got {bins}")
    sure, right = columns_of(confidence, correct)
    if len(sure) and (sure.min() < 0 or sure.max() > 1 + 1e-6):
        raise ValueError(f"expected confidences from 0 to 1, got {sure.min():g} to {sure.max():g}")
    return sure, right


def _bin_of(sure: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    return np.clip(np.ceil(sure * bins).astype(np.int64) - 1, 0, bins - 1)
