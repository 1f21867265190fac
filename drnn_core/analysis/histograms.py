"""Two groups of images in one column, counted in the same bins."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_MOST_VALUES = 24  # so few different values have a bin each
_TAIL = 0.005  # of the images at either end share the outermost bin


def two_histograms(easy: Floats, hard: Floats, bins: int = 24) -> pd.DataFrame:
    """How the values of two groups are spread, in bins that both share.

    A column of few different values has a bin for each of them. The outermost bins of any other
    reach out to the extremes, so that a long tail does not press the rest into one bin.

    Args:
        easy, hard: (n,) and (m,) values; those that are not finite are left out.
        bins: their number, where values are many.

    Returns:
        A row a bin: ``low`` and ``high``, its ends; ``easy`` and ``hard``, the images in it, with
        ``low <= value < high``, the last with ``high`` too. For few values ``low`` is ``high`` is
        the value. No row without values.
    """
    groups = [part[np.isfinite(part)] for part in (easy, hard)]
    both = np.concatenate(groups)
    if not len(both):
        return pd.DataFrame({"low": [], "high": [], "easy": [], "hard": []})
    values = np.unique(both)
    if len(values) <= _MOST_VALUES:
        counts = [
            np.bincount(np.searchsorted(values, part), minlength=len(values)) for part in groups
        ]
        return pd.DataFrame({"low": values, "high": values, "easy": counts[0], "hard": counts[1]})
    low, high = np.quantile(both, [_TAIL, 1 - _TAIL])
    if low == high:  # almost all have one value: the tail is all there is to see
        low, high = values[0], values[-1]
    edges: Floats = np.linspace(float(low), float(high), bins + 1)
    places = [np.clip(np.searchsorted(edges, part, "right") - 1, 0, bins - 1) for part in groups]
    counts = [np.bincount(place, minlength=bins) for place in places]
    edges[0], edges[-1] = min(edges[0], values[0]), max(edges[-1], values[-1])
    return pd.DataFrame(
        {"low": edges[:-1], "high": edges[1:], "easy": counts[0], "hard": counts[1]}
    )
