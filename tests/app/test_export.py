"""Downloads of the Distribution page."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pandas as pd

from app.distribution.export import histogram_csv, records_csv, records_parquet


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": ["a", "b,c"],
            "loops": np.array([1, 2], dtype=np.int16),
            "block_loops": [np.array([1, 0], np.int8), np.array([1, 1], np.int8)],
            "gate_prob": [np.array([0.75, np.nan], np.float32), np.array([1.0, 0.5], np.float32)],
        }
    )


def test_csv_has_the_rows_in_their_order_with_readable_lists() -> None:
    rows = list(csv.DictReader(io.StringIO(records_csv(frame(), np.array([1, 0]))().decode())))
    assert [row["id"] for row in rows] == ["b,c", "a"]
    assert json.loads(rows[0]["block_loops"]) == [1, 1]
    assert rows[1]["gate_prob"] == "[0.75, ]"  # not asked: empty


def test_parquet_keeps_the_types() -> None:
    found = pd.read_parquet(io.BytesIO(records_parquet(frame(), np.array([1]))()))
    assert list(found["id"]) == ["b,c"]
    assert found["loops"].dtype == np.int16
    assert list(found["block_loops"][0]) == [1, 1]


def test_the_shared_table_is_not_changed() -> None:
    shared = frame()
    records_csv(shared, np.array([0, 1]))()
    assert isinstance(shared["block_loops"][0], np.ndarray)


def test_histogram() -> None:
    assert histogram_csv(np.array([3, 0, 1]))().decode().splitlines() == [
        "loops,images", "0,3", "1,0", "2,1",
    ]  # fmt: skip
