"""The benchmark measures what it says; no assertion is about how long anything takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.export import measure
from tests.tiny_runs import tiny_run


def test_loops_are_forced_and_pictures_go_their_way(tmp_path: Path) -> None:
    tiny_run(tmp_path / "run")
    row = measure(str(tmp_path / "run"), threads=1, seconds=0.1)
    assert row["loops"] == [0, 1, 2, 4, 5]
    assert len(row["milliseconds"]) == 5
    assert min(row["milliseconds"]) > 0
    assert 0 < row["macs_none_over_all"] < row["macs_half_over_all"] < 1
    pictures = row["pictures"]
    assert sum(pictures["of_each"]) == pictures["count"] == 40
    assert len(set(pictures["loops"])) > 1
    loops = (a * b for a, b in zip(pictures["loops"], pictures["of_each"], strict=True))
    assert 0 < sum(loops) < 40 * 5


def test_a_name_is_measured_without_pictures() -> None:
    row = measure("dr_resnet16_l2", threads=1, seconds=0.1)
    assert "pictures" not in row
    # the stem, the ten convolutions of plain blocks and the gates, of these and eight in loops
    assert row["macs_none_over_all"] == pytest.approx(0.533, abs=0.01)
