"""kill -9 while training; ``benchmarks/resume.py`` does the same twenty times."""

from __future__ import annotations

from pathlib import Path

from benchmarks.resume import broken_training


def test_killed_trainings_end_in_the_same_bits(tmp_path: Path) -> None:
    result = broken_training(tmp_path, kills=2, seed=1, epochs=5)
    assert result["kills"] == 2
    assert result["identical"]
