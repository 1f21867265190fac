"""The numbers over depth, to be saved with their figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from app.norms.depth import Series
from drnn_core.analysis.moments import ends_of


def tables_of(series: Sequence[Series]) -> pd.DataFrame:
    """The numbers of several, one below the other."""
    return pd.concat([table_of(each) for each in series], ignore_index=True)


def table_of(series: Series) -> pd.DataFrame:
    """The numbers of a series, to be saved with its figure."""
    rows = series.found.rows(series.norm)
    value, half = rows[series.column], series.found.margin(rows, series.column)
    low, high = ends_of(value.to_numpy(dtype=float), half.to_numpy(dtype=float), series.positive)
    columns = ["block", "norm", "loop", "channels", "executed", "skipped", "unsure"]
    frame = rows[columns].assign(run=series.found.run, value=value, low=low, high=high)
    frame["loop"] += 1
    if series.exponential:
        frame[["value", "low", "high"]] = np.exp(frame[["value", "low", "high"]])
    return frame
