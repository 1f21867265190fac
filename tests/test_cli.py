"""The command line end to end: a run trained, recorded, evaluated, predicted, verified."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks.resume import write_images
from drnn_core.cli import main
from drnn_core.models.registry import list_models
from drnn_core.store.gradients import read_gradients


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_images(folder, train=128, test=12)
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    flags = ["--data", str(data), "--out", str(out), "--epochs", "2", "--threads", "1"]
    flags.append("--gradients")
    assert main(["train", "dr_resnet16_l2_short", *flags]) == 0
    assert main(["records", str(out), "--data", str(data)]) == 0
    return out


def printed_json(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_trained_run_is_sound_and_complete(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(run), "--json"]) == 0
    assert printed_json(capsys)["findings"] == []
    assert not (run / "resume.safetensors").exists()
    info = json.loads((run / "run.json").read_text())
    assert info["model"] == "dr_resnet16_l2"
    assert len(info["curve"]) == info["epochs"] == 2
    assert [point.epoch for point in read_gradients(run).points] == [0, 1, 2]


def test_evaluate_measures_what_run_json_says(
    run: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(run), "--data", str(data), "--json"]) == 0
    found = printed_json(capsys)
    test = json.loads((run / "run.json").read_text())["metrics"]["test"]
    for key in ("n", "error", "loops_mean", "loops_max", "macs_mean"):
        assert found[key] == test[key]
    assert found["loss"] == pytest.approx(test["loss"])
    assert main(["evaluate", str(run), "--data", str(data), "--limit", "5"]) == 0
    text = capsys.readouterr().out
    assert "on 5 images" in text
    assert "realised rate" in text


def test_predict_names_the_bad_picture_and_does_the_others(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    Image.fromarray(np.full((40, 60, 3), 90, dtype=np.uint8)).save(good)
    bad.write_bytes(b"no picture")
    assert main(["predict", str(run), str(bad), str(good), "--json"]) == 1
    rows = printed_json(capsys)
    assert "refused" in rows[0]
    assert rows[1]["loops"] == sum(block["loops"] for block in rows[1]["blocks"].values())
    assert rows[1]["macs"] <= rows[1]["macs_max"]
    assert main(["predict", str(run), str(good)]) == 0
    assert "loops" in capsys.readouterr().out


def test_verify_says_what_is_damaged(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    weights = copy / "model.safetensors"
    damaged = bytearray(weights.read_bytes())
    damaged[len(damaged) // 2] ^= 4
    weights.write_bytes(damaged)
    assert main(["verify", str(copy)]) == 1
    assert "model.safetensors" in capsys.readouterr().out
    assert main(["predict", str(copy), "x.png"]) == 1
    assert "damaged" in capsys.readouterr().err


def test_a_finished_run_is_not_overwritten(
    run: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--data", str(data), "--out", str(run)]
    assert main(["train", "dr_resnet16_l2_short", *flags]) == 1
    assert "already holds a finished run" in capsys.readouterr().err


def test_a_stopped_training_asks_for_resume(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    flags = ["--data", str(data), "--out", str(out), "--epochs", "2", "--threads", "1"]
    command = ["train", "resnet20_short", *flags]
    assert main([*command, "--minutes", "0", "--json"]) == 0
    assert printed_json(capsys)["finished"] is False
    assert main(command) == 1
    assert "go on with --resume" in capsys.readouterr().err
    assert main([*command, "--resume", "--json"]) == 0
    assert printed_json(capsys)["finished"] is True


def test_models_lists_every_network(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    rows = printed_json(capsys)
    assert [row["name"] for row in rows] == list_models()
    keys = "params macs_max macs_expected loops_max loops_expected target blocks loops paper"
    assert all(key in row for row in rows for key in keys.split())
    assert main(["models", "dr_*32*"]) == 0
    assert "dr_resnet32_l4" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("models nothing*", "no network matches 'nothing*'"),
        ("train dr_resnet16 --data generated --out x", "did you mean dr_resnet16_l2_paper"),
        ("train resnet20_short --data nowhere --out x", "got 'nowhere', which is no folder"),
        ("train resnet20_short --data nowhere --out x --epochs 0", "--epochs of at least 1, got 0"),
        ("train resnet20_short --data nowhere --out x --threads 0", "--threads of at least 1"),
        ("train resnet20_short --data nowhere --out x --minutes nan", "--minutes of at least 0"),
        ("train resnet20_short --data nowhere --out x --save-seconds -1", "got -1"),
        ("train resnet20_short --data nowhere --out x --seed -1", "--seed of at least 0, got -1"),
        ("series resnet20_short --data nowhere --out x --epochs -3", "--epochs of at least 1"),
        ("series resnet20_short --data nowhere --out x --seeds 2 -1", "of at least 0, got -1"),
        ("series resnet20_short --data nowhere --out x --seeds", "a seed or more after --seeds"),
        ("series resnet20_short --data nowhere --out x --seeds 1 2 1", "every seed once, got 1"),
        (
            "series resnet20_short resnet20_short --data nowhere --out x",
            "expected every recipe once, got resnet20_short twice",
        ),
        ("evaluate nowhere --data generated", "there is no folder nowhere"),
        ("records nowhere --data generated", "there is no folder nowhere"),
        ("predict nowhere x.png", "there is no folder nowhere"),
    ],
)
def test_failures_are_one_line(
    arguments: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments.split()) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("arguments", ["", "trian x", "train", "evaluate run", "models --jsn"])
def test_wrong_usage_exits_with_2(arguments: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments.split())
    assert caught.value.code == 2


def test_data_of_other_classes_is_refused(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "val" / "only"
    place.mkdir(parents=True)
    Image.new("RGB", (32, 32)).save(place / "0.png")
    for command in ("evaluate", "records"):
        assert main([command, str(run), "--data", str(tmp_path)]) == 1
        assert "classes" in capsys.readouterr().err
