"""``drnn sweep`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.resume import write_images
from drnn_core.analysis.corruptions import CORRUPTIONS
from drnn_core.cli import main
from drnn_core.commands.sweep import Factor
from drnn_core.data.datasets import load_split
from drnn_core.inference.recording import record_run
from drnn_core.store.integrity import verify_run
from drnn_core.store.runs import read_run
from drnn_core.store.sweeps import kept_sweeps, read_sweep, sweep_path
from tests.tiny_runs import PREPROCESSING, tiny_network, tiny_run


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_images(tmp_path / "data", train=1, test=12)
    return tmp_path / "data"


@pytest.fixture
def run(tmp_path: Path, data: Path) -> Path:
    classes = load_split(str(data), "test", 16, sizing=PREPROCESSING).classes
    tiny_run(tmp_path / "run", tiny_network(len(classes)), classes=classes)
    return tmp_path / "run"


def test_a_curve_as_json_and_as_text(
    run: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["sweep", str(run), "--data", str(data), "--factor", "blur", "--limit", "8"]
    assert main([*command, "--strengths", "0", "2.5", "5", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["n"], found["factor"], found["unit"]) == (8, "blur", "px of 32")
    assert [point["strength"] for point in found["points"]] == [0, 2.5, 5]
    assert [point["value"] for point in found["points"]] == [0, 1, 2.6]
    first = found["points"][0]
    assert first["loops_change"]["value"] == 0
    assert first["loops"]["low"] <= first["loops"]["value"] <= first["loops"]["high"]
    assert first["loops"]["n"] == 8
    assert main(command) == 0
    text = capsys.readouterr().out
    assert "blur (px of 32), 8 images" in text
    assert len(text.splitlines()) == 9


def test_sweeps_are_kept_in_the_run(
    run: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["sweep", str(run), "--data", str(data), "--factor", "all", "--limit", "6"]
    assert main([*command, "--strengths", "0", "5", "--json"]) == 0
    capsys.readouterr()
    assert kept_sweeps(run) == []
    assert main([*command, "--strengths", "0", "5", "--json", "--keep"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert kept_sweeps(run) == sorted(CORRUPTIONS)
    assert [found["factor"] for found in printed] == list(CORRUPTIONS)
    kept = read_sweep(run, "noise")
    (found,) = (each for each in printed if each["factor"] == "noise")
    assert (kept.images, kept.dataset) == (6, found["data"])
    assert kept.weights_sha256 == read_run(run).weights_sha256
    for point, told in zip(kept.points, found["points"], strict=True):
        for measure in ("loops", "confidence", "error", "flipped"):
            numbers = [told[measure][end] for end in ("value", "low", "high")]
            assert getattr(point, measure) == pytest.approx(numbers, abs=1e-5)
    assert verify_run(run) == []


def test_only_sweeps_of_the_recorded_images_are_kept(
    run: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_images(tmp_path / "others", train=1, test=30)
    command = ["sweep", str(run), "--factor", "noise", "--limit", "6", "--strengths", "0", "5"]
    images = load_split(str(data), "test", 16, sizing=PREPROCESSING)
    record_run(run, images)
    others = [*command, "--data", str(tmp_path / "others")]
    assert main([*others, "--keep"]) == 1
    said = capsys.readouterr().err
    assert "are of other images" in said
    assert "pass the data set that was recorded" in said
    assert kept_sweeps(run) == []
    assert main(others) == 0, "what is only printed may be of any images"
    assert main([*command, "--data", str(data), "--keep"]) == 0
    assert kept_sweeps(run) == ["noise"]


def test_a_smaller_trial_is_not_kept_in_the_place_of_more(
    run: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["sweep", str(run), "--data", str(data), "--strengths", "0", "5", "--factor"]
    assert main([*command, "noise", "--limit", "6", "--keep"]) == 0
    before = sweep_path(run, "noise").read_bytes()
    capsys.readouterr()
    for factor in ("noise", "all"):
        assert main([*command, factor, "--limit", "5", "--keep"]) == 1
        said = capsys.readouterr().err
        assert "holds a sweep of noise of 6 images, which 5 would replace" in said
        assert "measure as many (--limit 6; 0 for all), or add --replace" in said
    assert kept_sweeps(run) == ["noise"], "refused before the first factor"
    assert sweep_path(run, "noise").read_bytes() == before
    assert main([*command, "noise", "--limit", "5"]) == 0, "only printed"
    assert main([*command, "noise", "--limit", "0", "--keep"]) == 0
    assert read_sweep(run, "noise").images == 12
    assert main([*command, "noise", "--limit", "5", "--keep", "--replace"]) == 0
    assert read_sweep(run, "noise").images == 5
    classes = read_run(run).classes
    tiny_run(run, tiny_network(len(classes), seed=2), classes=classes)
    assert main([*command, "noise", "--limit", "4", "--keep"]) == 0, "it was of other weights"


def test_failures_are_one_line(run: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["sweep", str(run), "--data", str(data), "--factor", "noise"]
    for more, message in (
        (["--strengths", "6"], "strength from 0 to 5, got 6"),
        (["--strengths"], "at least one strength"),
        (["--limit", "-1"], "--limit of 0 or more"),
        (["--seed", "-1"], "--seed of 0 or more"),
        (["--replace"], "expected --keep with --replace"),
    ):
        assert main([*command, *more]) == 1
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
    with pytest.raises(SystemExit):
        main([*command[:-1], "fog"])


def test_the_command_offers_every_corruption() -> None:
    assert Factor.__args__ == tuple(CORRUPTIONS)
