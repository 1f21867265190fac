"""Columns beside the records: joined by index, named once, and damage found."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.inference.recording import record_run
from drnn_core.store.columns import (
    ColumnWriter,
    column_table,
    column_tables,
    discard_columns,
    keep_columns,
    read_all,
    read_columns,
    rounded,
)
from drnn_core.store.integrity import verify_run
from drnn_core.store.records import RecordsError, read_records
from drnn_core.store.sealed import read_sealed, write_sealed
from tests.tiny_runs import tiny_images, tiny_network, tiny_run


def values(first: int = 0, rows: int = 30, seed: int = 0) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(size=30).astype(np.float32)
    return drawn[first : first + rows]


def fill(run: Path, name: str, column: str, shards: int | None = None) -> None:
    with ColumnWriter(run, name, [column]) as writer:
        for first, rows in writer.missing()[:shards]:
            writer.write_columns(first, {column: values(first, rows)})


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded") / "run"
    tiny_run(folder)
    record_run(folder, tiny_images(30), shard_rows=12)
    return folder


@pytest.fixture
def run(recorded: Path, tmp_path: Path) -> Path:
    shutil.copytree(recorded, tmp_path / "run")
    return tmp_path / "run"


def test_columns_stand_beside_the_records(run: Path) -> None:
    before = read_records(run)
    fill(run, "image", "brightness")
    fill(run, "evidence", "spread", shards=1)
    assert column_tables(run) == ["evidence", "image"]
    found = read_all(run)
    assert list(found) == [*before.columns, "brightness"], "an unfinished table is not there yet"
    pd.testing.assert_frame_equal(found[list(before.columns)], before)
    np.testing.assert_array_equal(found["brightness"], rounded(values()))
    assert found["brightness"].dtype == np.float32
    pd.testing.assert_frame_equal(read_records(run), before)
    with pytest.raises(RecordsError, match=r"unfinished, 12 of 30 rows; finish .* drnn saliency"):
        read_all(run, ["evidence"])
    fill(run, "evidence", "spread")
    assert list(read_all(run, ["evidence"]))[-1] == "spread"
    assert {"brightness", "spread"} < set(read_all(run).columns)


def test_a_run_without_columns_is_its_records(run: Path) -> None:
    assert column_tables(run) == []
    pd.testing.assert_frame_equal(read_all(run), read_records(run))
    with pytest.raises(RecordsError, match="found none; write them with: drnn saliency"):
        read_columns(run, "image")


@given(st.lists(st.floats(width=32), min_size=1, max_size=20))
def test_rounding_keeps_four_digits_and_what_is_no_number(drawn: list[float]) -> None:
    before = np.array(drawn, dtype=np.float32)
    after = rounded(before)
    usual = np.isfinite(before) & (np.abs(before) > 1e-30) & (np.abs(before) < 1e38)
    np.testing.assert_allclose(after[usual], before[usual], rtol=2.0**-14)
    strange = ~np.isfinite(before)
    np.testing.assert_array_equal(after[strange], before[strange])
    ordinary = after[usual]
    np.testing.assert_array_equal(rounded(ordinary), ordinary)
    assert (ordinary.view(np.uint32) % 1024 == 0).all()


def test_names_are_taken_once(run: Path) -> None:
    fill(run, "image", "brightness")
    with pytest.raises(RecordsError, match=r"the records of .* has a column blur already"):
        ColumnWriter(run, "mine", ["blur"])
    with pytest.raises(RecordsError, match=r"the table image of .* has a column brightness"):
        ColumnWriter(run, "mine", ["brightness"])
    for name in ("../x", "Image", "", "a/b", "a" * 41):
        with pytest.raises(RecordsError, match="expected a name of small letters"):
            column_table(name)


def test_only_float_columns_in_the_order_of_the_split(run: Path) -> None:
    writer = ColumnWriter(run, "mine", ["x"])
    index = pa.array(np.arange(12), pa.int32())
    with pytest.raises(RecordsError, match="expected a column x of float, got double"):
        writer.write(0, pa.table({"index": index, "x": pa.array(np.zeros(12))}))
    turned = pa.array(np.arange(12)[::-1].copy(), pa.int32())
    with pytest.raises(RecordsError, match="expected rows 0, 1"):
        writer.write(0, pa.table({"index": turned, "x": pa.array(np.zeros(12, np.float32))}))
    with pytest.raises(RecordsError, match="expected the columns index, x"):
        writer.write_columns(0, {"y": np.zeros(12, np.float32)})


def messages(run: Path) -> dict[str, str]:
    return {
        found.path: found.message for found in verify_run(run) if found.path.startswith("columns")
    }


def test_sound_columns_have_no_findings(run: Path) -> None:
    fill(run, "image", "brightness")
    fill(run, "evidence", "spread")
    assert messages(run) == {}


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def foreign(run: Path) -> None:
    path = run / "columns/image/manifest.json"
    write_sealed(path, {**read_sealed(path), "weights_sha256": "f" * 64})


def reformat(run: Path) -> None:
    path = run / "columns/image/manifest.json"
    path.write_text(path.read_text().replace("\n", " "))


def shorten(run: Path) -> None:
    path = run / "columns/image/manifest.json"
    body = read_sealed(path)
    (run / "columns/image" / body["shards"].pop()["file"]).unlink()
    write_sealed(path, {**body, "complete": False})


DAMAGES: list[tuple[Callable[[Path], object], str, str]] = [
    (lambda run: flip(run / "columns/image/part-00001.parquet"), "part-00001.parquet", "damaged"),
    (lambda run: (run / "columns/image/part-00000.parquet").unlink(), "part-00000", "cannot read"),
    (lambda run: (run / "columns/image/x.txt").touch(), "x.txt", "does not name x.txt"),
    (foreign, "manifest.json", "not of the run's records (weights"),
    (reformat, "manifest.json", "reformatted"),
    (shorten, "manifest.json", "unfinished: 24 of 30 rows"),
    (lambda run: (run / "columns/image/manifest.json").unlink(), "image", "does not belong"),
    (lambda run: (run / "columns/Strange").mkdir(), "Strange", "does not belong"),
]


@pytest.mark.parametrize(("damage", "path", "message"), DAMAGES)
def test_damage_is_found(
    run: Path, damage: Callable[[Path], object], path: str, message: str
) -> None:
    fill(run, "image", "brightness")
    damage(run)
    found = messages(run)
    assert any(path in name and message in text for name, text in found.items()), found


def test_every_flipped_byte_of_a_shard_is_found(run: Path) -> None:
    fill(run, "image", "brightness")
    path = run / "columns/image/part-00002.parquet"
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        data = bytearray(whole)
        data[place] ^= 0x10
        path.write_bytes(data)
        with pytest.raises(RecordsError):
            read_columns(run, "image")


def test_columns_of_records_that_were_written_anew_are_refused(run: Path) -> None:
    fill(run, "image", "brightness")
    shutil.rmtree(run / "records")
    tiny_run(run, tiny_network(seed=4))
    record_run(run, tiny_images(30), shard_rows=12)
    with pytest.raises(RecordsError, match=r"not of the run's records \(weights"):
        read_all(run)
    with pytest.raises(RecordsError, match=r"holds records of something else \(weights"):
        ColumnWriter(run, "image", ["brightness"])


def test_the_same_name_in_two_tables_is_found(run: Path) -> None:
    fill(run, "image", "brightness")
    fill(run, "other", "spread")
    shutil.copytree(run / "columns/image", run / "columns/zebra")
    assert messages(run) == {"columns/zebra/manifest.json": "image has a column brightness already"}
    assert math.isnan(rounded(np.array([np.nan], np.float32))[0])


def test_what_a_user_keeps_is_there_and_goes_again(run: Path) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    human = np.linspace(0, 1, 30)
    human[3] = math.nan
    assert keep_columns(run, "ratings", {"human rating": human}) == "own_ratings"
    assert [each for each in verify_run(run) if "own_ratings" in each.path] == []
    np.testing.assert_allclose(read_all(run)["human rating"], human, rtol=1e-4)
    with pytest.raises(RecordsError, match="a name that is free"):
        keep_columns(run, "ratings", {"other": human})
    with pytest.raises(RecordsError, match="has a column human rating already"):
        keep_columns(run, "again", {"human rating": human})
    discard_columns(run, "own_ratings")
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_only_what_was_kept_is_ever_deleted(run: Path) -> None:
    fill(run, "image", "sharpness")
    for name in ("image", "own_nothing", "../records", "own_../../records", ""):
        with pytest.raises(RecordsError, match="a table that somebody kept"):
            discard_columns(run, name)
    assert (run / "records").is_dir()
    assert column_tables(run) == ["image"]


def test_what_cannot_be_kept(run: Path) -> None:
    for name in ("../up", "Big", "", "x" * 50):
        with pytest.raises(RecordsError, match="small letters"):
            keep_columns(run, name, {"x": np.zeros(30)})
    for columns in ({}, {"x": np.zeros(29)}):
        with pytest.raises(RecordsError, match="a number for each of the 30 records"):
            keep_columns(run, "ratings", columns)
    assert not (run / "columns").exists()
