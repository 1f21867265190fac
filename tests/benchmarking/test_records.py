"""The record pipeline is measured on a copy of the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from drnn_core.benchmarking.records import compare_records
from drnn_core.inference.recording import record_run
from drnn_core.store.runs import RunError
from tests.tiny_runs import paths_under, tiny_images, tiny_run


def test_a_row_and_the_run_as_it_was(tmp_path: Path) -> None:
    tiny_run(tmp_path)
    record_run(tmp_path, tiny_images(20), 10)
    before = {path: path.read_bytes() for path in paths_under(tmp_path)}
    row = compare_records(tmp_path, 30, seconds=0, least=2)
    assert {path: path.read_bytes() for path in paths_under(tmp_path)} == before
    assert (row.net, row.images, row.rounds) == ("dr_resnet16_l2", 30, 2)
    assert row.low <= row.throughput_ratio <= row.high
    assert min(row.images_per_second, row.bare_images_per_second) > 0


def test_no_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(RunError):
        compare_records(tmp_path / "missing", 10)
