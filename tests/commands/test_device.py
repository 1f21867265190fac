"""``--device``: refused without a GPU, and given to what computes where there is one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from benchmarks.resume import write_images
from drnn_core.cli import main
from drnn_core.data.datasets import load_split
from drnn_core.inference.recording import record_run
from tests.tiny_runs import PREPROCESSING, tiny_network, tiny_run

COMMANDS: tuple[tuple[str, list[str]], ...] = (
    ("evaluate", []),
    ("records", []),
    ("sweep", ["--factor", "blur", "--strengths", "0"]),
    ("saliency", []),
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_images(tmp_path / "data", train=1, test=3)
    return tmp_path / "data"


@pytest.fixture
def run(tmp_path: Path, data: Path) -> Path:
    images = load_split(str(data), "test", 16, sizing=PREPROCESSING)
    tiny_run(tmp_path / "run", tiny_network(len(images.classes)), classes=images.classes)
    return tmp_path / "run"


@pytest.mark.parametrize(("command", "more"), COMMANDS)
def test_a_gpu_is_refused_where_there_is_none(
    command: str,
    more: list[str],
    run: Path,
    data: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    record_run(run, load_split(str(data), "test", 16, sizing=PREPROCESSING))
    assert main([command, str(run), "--data", str(data), *more, "--device", "cuda"]) == 1
    assert "expected a CUDA GPU for --device cuda, found none" in capsys.readouterr().err


@pytest.mark.parametrize(("command", "more"), COMMANDS[:3])
def test_the_network_goes_to_the_gpu(
    command: str, more: list[str], run: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def stay(module: nn.Module, *args: Any, **_: Any) -> nn.Module:
        asked.extend(str(arg) for arg in args if isinstance(arg, str | torch.device))
        return module

    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr(nn.Module, "to", stay)
    assert main([command, str(run), "--data", str(data), *more, "--device", "cuda"]) == 0
    assert "cuda" in asked


def test_measurements_go_to_the_gpu(run: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record_run(run, load_split(str(data), "test", 16, sizing=PREPROCESSING))
    devices: list[str] = []

    def measured(*_: Any, device: str, **__: Any) -> int:
        devices.append(device)
        return 0

    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("drnn_core.inference.measuring.measure_run", measured)
    assert main(["saliency", str(run), "--data", str(data), "--device", "cuda"]) == 0
    assert devices == ["cuda", "cuda"], "the quick tables, and the evidence"
