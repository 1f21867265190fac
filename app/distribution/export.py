"""Downloads: the filtered records, and the histogram as numbers."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def records_csv(frame: pd.DataFrame, rows: NDArray[np.int64]) -> Callable[[], bytes]:
    """The rows as CSV, lists as ``[2, 1]``; made when asked for."""

    def make() -> bytes:
        part = frame.iloc[rows].copy()
        for column in ("block_loops", "gate_prob"):
            part[column] = [_listed(values) for values in part[column]]
        return part.to_csv(index=False).encode()

    return make


def records_parquet(frame: pd.DataFrame, rows: NDArray[np.int64]) -> Callable[[], bytes]:
    """The rows as Parquet, with the columns' own types; made when asked for."""

    def make() -> bytes:
        buffer = io.BytesIO()
        frame.iloc[rows].to_parquet(buffer, index=False)
        return buffer.getvalue()

    return make


def histogram_csv(counts: NDArray[np.int64]) -> Callable[[], bytes]:
    """Loops and images, a line for each bar."""

    def make() -> bytes:
        table = pd.DataFrame({"loops": np.arange(len(counts)), "images": counts})
        return table.to_csv(index=False).encode()

    return make


def _listed(values: NDArray[np.float32]) -> str:
    texts = ("" if np.isnan(value) else f"{value:.6g}" for value in values)
    return f"[{', '.join(texts)}]"
