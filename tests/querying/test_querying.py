"""Records on the disk answer as those in memory do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drnn_core.analysis.loops import ORDERS, Order, Selection, summary
from drnn_core.inference.facts import network_facts
from drnn_core.querying.frames import FrameRecords
from drnn_core.querying.parquet import ParquetRecords, sample, verified_files
from drnn_core.querying.records import Records
from drnn_core.store.manifest import RecordsError
from drnn_core.store.records import RECORDS_TABLE, read_records
from tests.app.fake_runs import fake_run

ROWS = 300


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "dr"
    fake_run(folder, ROWS)
    return folder


@pytest.fixture(scope="module")
def both(run: Path) -> tuple[FrameRecords, ParquetRecords, tuple[str, ...]]:
    info = fake_run(run.parent / "same", ROWS)
    layout = network_facts(info).layout
    files = verified_files(run, RECORDS_TABLE)
    return (
        FrameRecords(read_records(run), layout),
        ParquetRecords(files, ROWS, layout),
        info.classes,
    )


def limits(low: float, high: float) -> st.SearchStrategy[tuple[float, float] | None]:
    numbers = st.tuples(st.floats(low, high), st.floats(low, high))
    return st.none() | numbers.map(lambda pair: (min(pair), max(pair)))


selections = st.builds(
    Selection,
    loops=st.none() | st.tuples(st.integers(0, 8), st.integers(4, 16)),
    labels=st.lists(st.integers(0, 9), max_size=4, unique=True).map(tuple),
    correct=st.none() | st.booleans(),
    confidence=limits(0, 1).map(lambda pair: pair and (round(pair[0], 2), round(pair[1], 2))),
    step=st.none() | st.tuples(st.integers(0, 3), st.integers(0, 3)),
)


@settings(deadline=None, max_examples=30)
@given(selection=selections, order=st.sampled_from(ORDERS))
def test_the_disk_answers_as_memory_does(
    both: tuple[FrameRecords, ParquetRecords, tuple[str, ...]], selection: Selection, order: Order
) -> None:
    memory, disk, names = both
    assert np.array_equal(disk.loop_counts(selection), memory.loop_counts(selection))
    pairs = zip(disk.block_counts(selection), memory.block_counts(selection), strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)
    assert np.array_equal(disk.positions(selection, order), memory.positions(selection, order))
    counted, expected = disk.classes(selection, names), memory.classes(selection, names)
    pd.testing.assert_frame_equal(counted, expected, check_dtype=False, rtol=1e-9)


def test_all_in_three_numbers(
    both: tuple[FrameRecords, ParquetRecords, tuple[str, ...]], run: Path
) -> None:
    frame = read_records(run)
    for records in both[:2]:
        found = records.overall()
        assert found.n == ROWS
        assert found.error == pytest.approx((~frame["correct"]).sum() / ROWS)
        assert found.macs == pytest.approx(frame["macs"].sum() / ROWS)


def test_records_come_in_the_order_asked_for(
    both: tuple[FrameRecords, ParquetRecords, tuple[str, ...]],
) -> None:
    wanted = np.array([7, 299, 0, 7])
    for records in both[:2]:
        part = records.at(wanted)
        assert part["index"].tolist() == [7, 299, 0, 7]
        assert len(part["gate_prob"].iloc[0]) == 16
        assert records.at(wanted, ["loops", "index"]).columns.tolist() == ["loops", "index"]
        assert len(records.at(np.zeros(0, np.int64))) == 0


@pytest.mark.parametrize("which", [0, 1])
def test_what_is_not_there_is_said(
    both: tuple[FrameRecords, ParquetRecords, tuple[str, ...]], which: int
) -> None:
    records: Records = both[which]  # type: ignore[assignment]
    with pytest.raises(ValueError, match="expected positions below 300"):
        records.at(np.array([300]))
    with pytest.raises(ValueError, match="expected a block below 4"):
        records.loop_counts(Selection(step=(4, 0)))


def test_records_of_another_network_are_noticed(run: Path) -> None:
    layout = network_facts(fake_run(run.parent / "small", 20, "dr_resnet16_l2")).layout
    disk = ParquetRecords(verified_files(run, RECORDS_TABLE), ROWS, layout)
    with pytest.raises(ValueError, match="records are of another network"):
        disk.loop_counts(Selection())


def test_a_sample_is_the_same_every_time_and_even(run: Path) -> None:
    files = verified_files(run, RECORDS_TABLE)
    part = sample(files, ROWS, 100)
    assert part.equals(sample(files, ROWS, 100))
    assert 70 < len(part) < 130
    assert part["index"].is_monotonic_increasing
    whole = read_records(run)
    assert part["loops"].tolist() == whole["loops"].iloc[part["index"]].tolist()
    halves = (part["index"] < ROWS // 2).mean()
    assert 0.35 < halves < 0.65
    assert abs(summary(part["loops"].to_numpy()).mean - whole["loops"].mean()) < 1
    assert sample(files, ROWS, 10 * ROWS)["index"].tolist() == list(range(ROWS))


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    fake_run(tmp_path / "dr", 40)
    (path,) = (tmp_path / "dr" / "records").glob("*.parquet")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(RecordsError, match="missing or damaged"):
        verified_files(tmp_path / "dr", RECORDS_TABLE)
    path.unlink()
    with pytest.raises(RecordsError, match="missing or damaged"):
        verified_files(tmp_path / "dr", RECORDS_TABLE)
