"""Shares of images with Wilson's interval, which stays inside 0..1 and is right for few images.

Wilson, "Probable inference, the law of succession, and statistical inference" (JASA 1927).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drnn_core.analysis.bootstrap import Estimate
from drnn_core.analysis.probabilities import normal_quantile

Floats = NDArray[np.float64]


def share_of(count: int, n: int, level: float = 0.95) -> Estimate:
    """``count`` of ``n`` images as a share, 0..1, with its interval; NaN of none.

    Raises:
        ValueError: a count that is not between 0 and n, or a level not between 0 and 1.
    """
    if not 0 <= count <= n:
        raise ValueError(f"expected a count from 0 to {n}, got {count}")
    low, high = wilson([count], [n], level)
    return Estimate(count / n if n else math.nan, float(low[0]), float(high[0]), n, level)


def wilson(counts: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Lower and upper ends of the intervals of many shares, (K,) each; NaN of no image.

    Args:
        counts, n: (K,) images that count, of so many.
        level: of the intervals.

    Raises:
        ValueError: a level not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"expected a level between 0 and 1, such as 0.95, got {level}")
    found, total = np.asarray(counts, dtype=np.float64), np.asarray(n, dtype=np.float64)
    z = normal_quantile((1 + level) / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = (found + z * z / 2) / (total + z * z)
        half = z / (total + z * z) * np.sqrt(found * (total - found) / total + z * z / 4)
    low = np.where(total > 0, np.clip(centre - half, 0, 1), np.nan)
    high = np.where(total > 0, np.clip(centre + half, 0, 1), np.nan)
    return low, high
