"""kill -9 while training; ``benchmarks/resume.py`` does the same twenty times."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.resume import broken_training


def test_killed_trainings_end_in_the_same_bits(tmp_path: Path) -> None:
    result = broken_training(tmp_path, kills=2, seed=1, epochs=5)
    assert result["kills"] == 2
    assert result["identical"]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds torchrun's processes there")
def test_a_killed_torchrun_ends_in_the_same_bits(tmp_path: Path) -> None:
    """Two processes that torchrun starts, killed together and resumed by the same command."""
    result = broken_training(tmp_path, kills=1, seed=1, epochs=2, processes=2)
    assert result["kills"] == 1
    assert result["identical"]
