"""The headline numbers of a run, against what its records say by hand."""

from __future__ import annotations

import math
import time
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from drnn_core.analysis.bootstrap import interval, resamples_of
from drnn_core.analysis.loops import block_matrix, gate_matrix
from drnn_core.inference.facts import network_facts
from drnn_core.querying.frames import FrameRecords
from drnn_core.querying.headline import headline
from drnn_core.querying.parquet import ParquetRecords, verified_files
from drnn_core.store.records import RECORDS_TABLE, read_records
from tests.app.fake_runs import fake_run

ROWS = 300


def test_by_hand(tmp_path: Path) -> None:
    facts = network_facts(fake_run(tmp_path / "dr", ROWS))
    frame = read_records(tmp_path / "dr")
    found = headline(FrameRecords(frame, facts.layout), facts.layout, facts.asks)
    assert found.error.value == pytest.approx((~frame["correct"]).mean())
    assert found.loops.value == pytest.approx(frame["loops"].mean())
    assert found.loops_std == pytest.approx(frame["loops"].std())
    for name, one in (("loops", found.loops), ("macs", found.macs)):
        values = frame[name].to_numpy(float)
        draws = [counts @ values / ROWS for counts in resamples_of(ROWS, 2000, 0)]
        low, high = interval(draws, 0.95)
        assert (one.low, one.high) == pytest.approx((low, high), rel=0.01)


def test_the_opening_rate_is_that_of_asked_gates(tmp_path: Path) -> None:
    facts = network_facts(fake_run(tmp_path / "dr", ROWS))
    frame = read_records(tmp_path / "dr")
    found = headline(FrameRecords(frame, facts.layout), facts.layout, facts.asks).rate
    asked = ~np.isnan(gate_matrix(frame))
    ran = np.concatenate(
        [
            block_matrix(frame)[:, [place]] > np.arange(block.loops)
            for place, block in enumerate(facts.layout)
        ],
        axis=1,
    )
    opened = asked & ran
    assert found.value == pytest.approx((opened.sum(axis=0) / asked.sum(axis=0)).mean())
    draws = [
        float((counts @ opened / (counts @ asked)).mean()) for counts in resamples_of(ROWS, 2000, 0)
    ]
    assert (found.low, found.high) == pytest.approx(interval(draws, 0.95), abs=0.004)


@pytest.mark.parametrize("model", ["dr_resnet32_l4", "dr_resnet16_l2", "resnet20"])
def test_the_disk_says_the_same(tmp_path: Path, model: str) -> None:
    facts = network_facts(fake_run(tmp_path / "run", ROWS, model))
    memory = FrameRecords(read_records(tmp_path / "run"), facts.layout)
    files = verified_files(tmp_path / "run", RECORDS_TABLE)
    disk = ParquetRecords(files, ROWS, facts.layout)
    for one, other in zip(
        astuple(headline(memory, facts.layout, facts.asks)),
        astuple(headline(disk, facts.layout, facts.asks)),
        strict=True,
    ):
        assert other == pytest.approx(one, nan_ok=True)


def test_without_gates_there_is_no_rate(tmp_path: Path) -> None:
    facts = network_facts(fake_run(tmp_path / "plain", 20, "resnet20"))
    records = FrameRecords(read_records(tmp_path / "plain"), facts.layout)
    found = headline(records, facts.layout, facts.asks)
    assert math.isnan(found.rate.value)
    assert found.macs.low == found.macs.value == found.macs.high


def test_many_records_take_no_time(tmp_path: Path) -> None:
    facts = network_facts(fake_run(tmp_path / "dr", ROWS))
    frame = pd.concat([read_records(tmp_path / "dr")] * 167, ignore_index=True)
    records = FrameRecords(frame, facts.layout)
    headline(records, facts.layout, facts.asks)
    took: list[float] = []
    for _ in range(5):
        start = time.process_time()
        headline(records, facts.layout, facts.asks)
        took.append(time.process_time() - start)
    assert min(took) < 0.1  # a few milliseconds on a quiet machine
