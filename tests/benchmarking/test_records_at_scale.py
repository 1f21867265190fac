"""The benchmark of many records: they are distinct and whole, and answer as in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.records_at_scale import SOURCE, questions, repeat_records
from drnn_core.analysis.loops import Selection, gate_matrix
from drnn_core.inference.facts import network_facts
from drnn_core.querying.frames import FrameRecords
from drnn_core.querying.parquet import ParquetRecords, verified_files
from drnn_core.store.records import RECORDS_TABLE, read_records
from drnn_core.store.runs import read_run

ROWS = 3_000


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scale") / "run"
    repeat_records(folder, ROWS)
    return folder


def test_records_are_those_of_the_source_under_names_of_their_own(run: Path) -> None:
    made, source = read_records(run), read_records(SOURCE)
    assert list(made.columns) == list(source.columns)
    assert made["index"].tolist() == list(range(ROWS))
    assert made["id"].is_unique
    assert set(made["macs"]) <= set(source["macs"])
    assert made["loops"].mean() == pytest.approx(source["loops"].mean(), abs=0.15)
    assert made["confidence"].nunique() > 0.9 * min(ROWS, source["confidence"].nunique())
    gates, unasked = gate_matrix(made), np.isnan(gate_matrix(source)).mean()
    assert np.isnan(gates).mean() == pytest.approx(unasked, abs=0.02)
    assert np.nanmin(gates) >= 0
    assert np.nanmax(gates) <= 1


def test_every_question_has_the_same_answer_in_memory(run: Path) -> None:
    layout = network_facts(read_run(run)).layout
    on_disk = ParquetRecords(verified_files(run, RECORDS_TABLE), ROWS, layout)
    in_memory = FrameRecords(read_records(run), layout)
    assert on_disk.overall().n == ROWS
    asked, expected = questions(on_disk, run), questions(in_memory, run)
    assert asked.keys() == expected.keys()
    for name in ("loops of all", "loops of a part", "a part, least confident first"):
        np.testing.assert_array_equal(asked[name](), expected[name]())  # type: ignore[arg-type]
    assert on_disk.loop_counts(Selection()).sum() == ROWS
