"""Means over images with Student's interval: from their moments alone, so at no cost."""

from __future__ import annotations

import math

from drnn_core.analysis.bootstrap import Estimate
from drnn_core.analysis.moments import t_factor


def mean_of(mean: float, std: float, n: int, level: float = 0.95) -> Estimate:
    """A mean with its interval; ends are NaN of fewer than 2 images.

    Args:
        mean, std: over images, with n - 1.
        n: images.
        level: of the interval.

    Raises:
        ValueError: a level not between 0 and 1.
    """
    reach = t_factor(n, level) * std / math.sqrt(max(n, 1))
    return Estimate(mean, mean - reach, mean + reach, n, level)
