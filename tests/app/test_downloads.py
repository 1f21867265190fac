"""What the pages give to be saved."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pandas as pd

from app.downloads import csv_bytes, figure_key, parquet_bytes


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": ["b,c", "a"],
            "loops": np.array([2, 1], dtype=np.int16),
            "block_loops": [np.array([1, 1], np.int8), np.array([1, 0], np.int8)],
            "gate_prob": [np.array([1.0, 0.5], np.float32), np.array([0.75, np.nan], np.float32)],
        }
    )


def test_csv_has_the_rows_in_their_order_with_readable_lists() -> None:
    rows = list(csv.DictReader(io.StringIO(csv_bytes(frame()).decode())))
    assert [row["id"] for row in rows] == ["b,c", "a"]
    assert json.loads(rows[0]["block_loops"]) == [1, 1]
    assert rows[1]["gate_prob"] == "[0.75, ]"  # not asked: empty


def test_parquet_keeps_the_types() -> None:
    found = pd.read_parquet(io.BytesIO(parquet_bytes(frame())))
    assert list(found["id"]) == ["b,c", "a"]
    assert found["loops"].dtype == np.int16
    assert list(found["block_loops"][0]) == [1, 1]


def test_the_shared_table_is_not_changed() -> None:
    shared = frame()
    csv_bytes(shared)
    assert isinstance(shared["block_loops"][0], np.ndarray)


def test_a_figures_key_is_the_class_that_the_page_gives_it() -> None:
    assert figure_key("models_macs_CIFAR-10 (test)") == "figure-models_macs_CIFAR-10--test-"
