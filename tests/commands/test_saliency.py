"""``drnn saliency`` from the command line: columns written, joined, verified."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.resume import write_images
from drnn_core.cli import main
from drnn_core.commands.saliency import Choice
from drnn_core.data.datasets import load_split
from drnn_core.inference.recording import record_run
from drnn_core.store.columns import column_tables, read_all
from tests.tiny_runs import PREPROCESSING, tiny_network, tiny_run


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_images(folder, train=1, test=3)
    return folder


@pytest.fixture
def run(tmp_path: Path, data: Path) -> Path:
    images = load_split(str(data), "test", 16, sizing=PREPROCESSING)
    classes = len(images.classes)
    tiny_run(tmp_path / "run", tiny_network(classes), classes=images.classes)
    record_run(tmp_path / "run", images)
    return tmp_path / "run"


def test_columns_are_written_once(
    run: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["saliency", str(run), "--data", str(data), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["measured"] == said["rows"] == len(read_all(run))
    assert said["complete"] is True
    assert set(said["columns"]) < set(read_all(run).columns)
    assert {"image_sharpness", "margin", "saliency_entropy"} < set(said["columns"])
    assert main(["saliency", str(run), "--data", str(data), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["measured"] == 0
    assert main(["saliency", str(run), "--data", str(data), "--method", "grad_cam"]) == 0
    assert "grad_cam_area" in capsys.readouterr().out
    assert column_tables(run) == ["grad_cam", "image", "outputs", "saliency"]


def test_a_slow_method_may_look_at_some_images(
    run: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["saliency", str(run), "--data", str(data), "--method", "occlusion"]
    assert main([*arguments, "--limit", "2"]) == 0
    assert "complete; evidence of 2 of them" in capsys.readouterr().out
    found = read_all(run)
    assert found["occlusion_area"].notna().tolist() == [True, False, True]
    assert found["image_sharpness"].notna().all()
    assert main(arguments) == 1
    assert "images measured 2 instead of all" in capsys.readouterr().err


def test_failures_are_one_line(run: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, message in (
        (["nowhere", "--data", str(data)], "there is no folder nowhere"),
        ([str(run), "--data", "nowhere"], "got 'nowhere', which is no folder"),
        ([str(run), "--data", "generated"], "to have the run's"),
        ([str(run), "--data", str(data), "--batch", "0"], "--batch of at least 1"),
        ([str(run), "--data", str(data), "--limit", "-1"], "--limit of 0 or more"),
    ):
        assert main(["saliency", *arguments]) == 1
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1


def test_the_command_offers_every_method() -> None:
    from drnn_core.analysis.evidence import METHODS

    assert Choice.__args__ == METHODS
