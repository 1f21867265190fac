"""Means over images with Student's interval: from their moments alone, so at no cost."""

from __future__ import annotations

import math

from drnn_core.analysis.bootstrap import Estimate
from drnn_core.analysis.probabilities import t_quantile


def mean_of(mean: float, std: float, n: int, level: float = 0.95) -> Estimate:
    """A mean with its interval; ends are NaN of fewer than 2 images.

    Args:
        mean, std: over images, with n - 1.
        n: images.
        level: of the interval.

    Raises:
        ValueError: a level not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"expected a level between 0 and 1, such as 0.95, got {level}")
    if n < 2:
        return Estimate(mean, math.nan, math.nan, n, level)
    reach = float(t_quantile((1 + level) / 2, n - 1)) * std / math.sqrt(n)
    return Estimate(mean, mean - reach, mean + reach, n, level)
