"""Which images of many to look at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def spread_sample(count: int, limit: int | None) -> NDArray[np.int64]:
    """Positions of ``limit`` images of ``count`` at even distances, all of them if there are fewer.

    A folder of images is in the order of its classes, whose first images are all of one class.

    Raises:
        ValueError: a limit below 1.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"expected a limit of at least 1 image, got {limit}")
    if limit is None or limit >= count:
        return np.arange(count, dtype=np.int64)
    return np.linspace(0, count - 1, limit).round().astype(np.int64)
