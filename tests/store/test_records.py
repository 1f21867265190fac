"""Records on disk: fixed shards, a sealed manifest, and sentences about all that is not right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from drnn_core.store.manifest import difference, shard_plan
from drnn_core.store.records import (
    RECORD_SCHEMA,
    RecordsError,
    RecordsHeader,
    RecordWriter,
    discard_records,
    has_records,
    read_manifest,
    read_records,
    read_records_table,
)
from drnn_core.store.sealed import read_sealed, write_sealed


def header(**changes: Any) -> RecordsHeader:
    values: dict[str, Any] = {
        "split": "test",
        "dataset": "some set",
        "data_fingerprint": "d" * 64,
        "weights_sha256": "w" * 64,
        "rows": 25,
        "shard_rows": 10,
        "columns": (*RECORD_SCHEMA.names, "blur"),
    }
    return RecordsHeader(**{**values, **changes})


def table(first: int, rows: int) -> pa.Table:
    index = np.arange(first, first + rows)
    columns: dict[str, Any] = {
        "index": index,
        "id": [f"g{i}" for i in index],
        "label": index % 3,
        "prediction": index % 2,
        "correct": index % 3 == index % 2,
        "confidence": index / 100,
        "entropy": index / 50,
        "loss": index / 10,
        "loops": index % 5,
        "block_loops": [[i % 2, i % 3] for i in index],
        "gate_prob": [[0.5, float("nan")] for _ in index],
        "macs": index * 10**9,
    }
    arrays = [pa.array(columns[field.name], field.type) for field in RECORD_SCHEMA]
    blur = pa.array(index.astype(np.float32))
    return pa.table(arrays, schema=RECORD_SCHEMA).append_column("blur", blur)


def write(run: Path, shards: int | None = None) -> None:
    with RecordWriter(run, header()) as writer:
        for first, rows in writer.missing()[:shards]:
            writer.write(first, table(first, rows))


def test_shards_are_fixed_by_the_header() -> None:
    assert shard_plan(header()) == [(0, 10), (10, 10), (20, 5)]
    assert shard_plan(header(rows=20)) == [(0, 10), (10, 10)]
    assert shard_plan(header(rows=1)) == [(0, 1)]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert not has_records(tmp_path)
    write(tmp_path)
    assert has_records(tmp_path)
    whole = read_records_table(tmp_path)
    assert whole.schema == table(0, 25).schema
    pd.testing.assert_frame_equal(whole.to_pandas(), table(0, 25).to_pandas())
    frame = read_records(tmp_path)
    assert frame["macs"].tolist() == [i * 10**9 for i in range(25)]
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
        "index": "int32",
        "id": "str",
        "label": "int16",
        "prediction": "int16",
        "correct": "bool",
        "confidence": "float32",
        "entropy": "float32",
        "loss": "float32",
        "loops": "int16",
        "block_loops": "object",
        "gate_prob": "object",
        "macs": "int64",
        "blur": "float32",
    }
    assert frame["gate_prob"][0].dtype == np.float32


def test_only_some_columns(tmp_path: Path) -> None:
    write(tmp_path)
    frame = read_records(tmp_path, ["loops", "blur"])
    pd.testing.assert_frame_equal(frame, read_records(tmp_path)[["loops", "blur"]])
    with pytest.raises(RecordsError, match="no column speed; expected one of: index, id"):
        read_records(tmp_path, ["speed"])


def test_missing_shards_in_order(tmp_path: Path) -> None:
    assert RecordWriter(tmp_path, header()).missing() == [(0, 10), (10, 10), (20, 5)]
    write(tmp_path, 1)
    assert RecordWriter(tmp_path, header()).missing() == [(10, 10), (20, 5)]
    with pytest.raises(RecordsError, match="unfinished, 10 of 25 rows; finish them with"):
        read_records(tmp_path)
    write(tmp_path)
    assert RecordWriter(tmp_path, header()).missing() == []
    assert read_sealed(tmp_path / "records/manifest.json")["complete"] is True


def test_shards_may_come_in_any_order(tmp_path: Path) -> None:
    with RecordWriter(tmp_path / "a", header()) as writer:
        for first, rows in reversed(writer.missing()):
            writer.write(first, table(first, rows))
    write(tmp_path / "b")
    for path in sorted((tmp_path / "b/records").iterdir()):
        assert (tmp_path / "a/records" / path.name).read_bytes() == path.read_bytes()


def test_leftovers_go_once_all_is_there(tmp_path: Path) -> None:
    write(tmp_path, 2)
    leftover = tmp_path / "records/.part-00002.parquet.00.partial"
    leftover.touch()
    write(tmp_path)
    assert not leftover.exists()


@pytest.mark.parametrize(
    ("first", "changed", "part"),
    [
        (0, table(0, 9), "got rows 0 to 9"),
        (3, table(3, 10), "got rows 3 to 13"),
        (25, table(25, 10), "got rows 25 to 35"),
        (0, table(1, 10), "expected rows 0, 1, ..."),
        (0, table(0, 10).drop_columns(["blur"]), "expected the columns index"),
        (0, table(0, 10).append_column("more", pa.array(range(10))), "expected the columns"),
        (
            0,
            table(0, 10).set_column(8, "loops", pa.array(range(10), pa.int64())),
            "a column loops of int16, got int64",
        ),
    ],
)
def test_wrong_shards_are_refused(tmp_path: Path, first: int, changed: pa.Table, part: str) -> None:
    with RecordWriter(tmp_path, header()) as writer, pytest.raises(RecordsError, match=part):
        writer.write(first, changed)
    assert not has_records(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"split": "train"},
        {"dataset": "other"},
        {"data_fingerprint": "e" * 64},
        {"weights_sha256": "v" * 64},
        {"rows": 26},
        {"shard_rows": 11},
        {"columns": (*RECORD_SCHEMA.names, "noise")},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_nothing_is_mixed(tmp_path: Path, changes: dict[str, Any]) -> None:
    write(tmp_path, 1)
    with pytest.raises(RecordsError, match=r"something else \(.* instead of .*never mixed"):
        RecordWriter(tmp_path, header(**changes))
    assert difference(header(), header(**changes))
    assert difference(header(), header()) == ""
    discard_records(tmp_path)
    assert len(RecordWriter(tmp_path, header(**changes)).missing()) == 3


@pytest.mark.parametrize(
    ("key", "value", "part"),
    [
        ("format", 2, "a newer version"),
        ("rows", "many", "'rows' to be a whole number"),
        ("rows", 0, "from 1"),
        ("rows", 2**40, "from 1"),
        ("shard_rows", 0, "from 1"),
        ("columns", "id", "a list of texts"),
        ("complete", False, "'complete' to tell"),
        ("shards", [], "'complete' to tell"),
        ("shards", [{}], "expected a key 'file'"),
    ],
)
def test_a_hostile_manifest_is_a_sentence(tmp_path: Path, key: str, value: Any, part: str) -> None:
    write(tmp_path)
    values = read_sealed(tmp_path / "records/manifest.json")
    write_sealed(tmp_path / "records/manifest.json", {**values, key: value})
    with pytest.raises(RecordsError, match=part):
        read_records(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"file": "../../run.json"},
        {"file": "/etc/passwd"},
        {"file": "part-00001.parquet"},
        {"first": 5},
        {"rows": 11},
    ],
    ids=str,
)
def test_shards_lie_nowhere_else(tmp_path: Path, change: dict[str, Any]) -> None:
    write(tmp_path)
    values = read_sealed(tmp_path / "records/manifest.json")
    values["shards"][0].update(change)
    write_sealed(tmp_path / "records/manifest.json", values)
    with pytest.raises(RecordsError, match=r"expected shards of 10 rows named part-00000"):
        read_manifest(tmp_path)


def test_a_billion_shards_are_not_planned(tmp_path: Path) -> None:
    write(tmp_path)
    values = read_sealed(tmp_path / "records/manifest.json")
    values.update(rows=2**31 - 1, shard_rows=1)
    write_sealed(tmp_path / "records/manifest.json", values)
    with pytest.raises(RecordsError, match="expected shards"):
        read_manifest(tmp_path)


def test_damage_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="found none; write them with: drnn records"):
        read_records(tmp_path)
    write(tmp_path)
    path = tmp_path / "records/part-00001.parquet"
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    with pytest.raises(RecordsError, match="is damaged: its SHA-256"):
        read_records(tmp_path)
    path.unlink()
    with pytest.raises(RecordsError, match="which the manifest names"):
        read_records(tmp_path)


def test_a_foreign_file_with_a_sound_hash(tmp_path: Path) -> None:
    import hashlib

    write(tmp_path)
    data = b"PAR1 is how it begins" * 50
    (tmp_path / "records/part-00001.parquet").write_bytes(data)
    values = read_sealed(tmp_path / "records/manifest.json")
    values["shards"][1].update(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    write_sealed(tmp_path / "records/manifest.json", values)
    with pytest.raises(RecordsError, match="expected Parquet"):
        read_records(tmp_path)
