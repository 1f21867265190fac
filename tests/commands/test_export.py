"""``drnn export`` from the command line: a file that runs, or a sentence and no file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from drnn_core.cli import main
from drnn_core.inference import export
from tests.tiny_runs import tiny_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    tiny_run(tmp_path / "run")
    return tmp_path / "run"


def test_a_run_becomes_a_file_that_runs(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = run.parent / "new" / "tiny.onnx"
    flags = ["--pixels", "--thresholds", "--json"]
    assert main(["export", str(run), "--out", str(out), *flags]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["bytes"] == out.stat().st_size
    assert [value["name"] for value in said["inputs"]] == ["pixels", "thresholds"]
    assert said["check"]["pictures"] == 8
    assert 0 < said["check"]["loops"] < said["check"]["steps"]
    session: Any = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
    given = {
        "pixels": np.zeros((2, 3, 16, 16), np.uint8),
        "thresholds": np.ones(5, np.float32),
    }
    logits, _, _, ran = session.run(None, given)
    assert logits.shape == (2, 4)
    assert not ran.any()


def test_it_is_printed_for_people(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = run.parent / "tiny.onnx"
    assert main(["export", str(run), "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert "images (N, 3, 16, 16) float" in text
    assert "on 8 drawn pictures" in text


def test_nothing_is_written_where_nothing_can_be(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = tmp_path / "taken.onnx"
    taken.mkdir()
    for out in (tmp_path / "model.bin", taken):
        assert main(["export", str(run), "--out", str(out)]) == 1
        assert "ends in .onnx" in capsys.readouterr().err
    assert main(["export", str(tmp_path / "none"), "--out", str(tmp_path / "a.onnx")]) == 1
    assert "expected the folder of a run" in capsys.readouterr().err
    assert {file.name for file in tmp_path.iterdir()} == {"run", "taken.onnx"}


def test_a_file_that_disagrees_is_not_written(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = run.parent / "tiny.onnx"
    out.write_bytes(b"old")
    real = export.ExportedNetwork.__call__

    def other(self: Any, images: Any, thresholds: Any = None) -> Any:
        found = real(self, images, thresholds)
        return found._replace(logits=found.logits + 1)

    monkeypatch.setattr(export.ExportedNetwork, "__call__", other)
    assert main(["export", str(run), "--out", str(out)]) == 1
    assert "nothing was written" in capsys.readouterr().err
    assert out.read_bytes() == b"old"


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_without_its_packages_it_says_what_to_install(
    package: str, run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = [name for name in sys.modules if name.startswith("drnn_core.inference.export")]
    for name in ours:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("drnn_core.inference.export")
    monkeypatch.setitem(sys.modules, package, None)
    assert main(["export", str(run), "--out", str(run.parent / "tiny.onnx")]) == 1
    assert "pip install onnx onnxruntime" in capsys.readouterr().err
