"""``drnn budget`` from the command line: measured, resumed, applied, and nothing of it lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drnn_core.cli import main
from drnn_core.commands.budget import parsed_thresholds
from drnn_core.commands.curves import measure_curve, restored, stored
from drnn_core.commands.moved import move_gates
from drnn_core.data import datasets
from drnn_core.evaluation import measure
from drnn_core.inference.recording import record_run
from drnn_core.inference.thresholds import with_thresholds
from drnn_core.layout import BlockLayout
from drnn_core.store.budget import read_budget
from drnn_core.store.integrity import verify_run
from drnn_core.store.operating_point import operating_point_of
from drnn_core.store.records import RecordsError, read_records
from drnn_core.store.runs import RunError, load_network, read_run
from tests.tiny_runs import PREPROCESSING, tiny_images, tiny_info, tiny_network, tiny_run

IMAGES = tiny_images()
LAYOUT = (BlockLayout("2.2", 2, True), BlockLayout("3.2", 3, True), BlockLayout("4.1", 1, False))


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("budget") / "run"
    tiny_run(folder)
    record_run(folder, IMAGES)
    return folder


@pytest.fixture
def run(master: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(datasets, "load_split", lambda *_, **__: IMAGES)
    return Path(shutil.copytree(master, tmp_path / "run"))


def test_the_curve_is_measured_once_and_goes_on(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["budget", str(run), "--data", "tiny", "--thresholds", "0.5", "0.3"]
    assert main([*command, "--json"]) == 0
    curve = json.loads(capsys.readouterr().out)["curve"]
    first, half = curve["points"]
    assert (first["threshold"], half["threshold"]) == (0.3, 0.5)
    network, _ = load_network(run)
    for point in (first, half):
        wanted = measure(with_thresholds(network, point["threshold"]), IMAGES, PREPROCESSING)
        assert point["error"][0] == pytest.approx(wanted.error)
        assert point["loops"][0] == pytest.approx(wanted.loops_mean)
        assert point["macs"][0] == pytest.approx(wanted.macs_mean)
    assert half["anew"] == 0
    assert half["macs_change"] == [0, 0, 0]
    assert 0 < first["anew"] <= 60
    before = (run / "budget.json").read_bytes()
    assert main(command) == 0
    assert (run / "budget.json").read_bytes() == before  # nothing was missing
    assert main([*command, "0.9"]) == 0
    assert thresholds_of(run) == [0.3, 0.5, 0.9]
    assert capsys.readouterr().out.count("0.900") == 1
    assert verify_run(run) == _expected_of(run)


def thresholds_of(run: Path) -> list[float]:
    curve = read_budget(run)
    assert curve is not None
    return [point.threshold for point in curve.points]


def _expected_of(run: Path) -> list[Any]:
    """The invented figures of a tiny run contradict its records; its curve must not add to that."""
    (run / "budget.json").rename(run / "hidden")
    found = [each for each in verify_run(run) if each.path != "hidden"]
    (run / "hidden").rename(run / "budget.json")
    return found


def test_a_stored_point_comes_back_whole(run: Path) -> None:
    curve = measure_curve(run, IMAGES, [0.3])
    (point,) = curve.points
    found = restored(curve, point)
    assert stored(0.3, found) == point
    right = ~np.isnan(found.found.classes.loops)
    assert right.sum() == sum(count > 0 for count in curve.class_images)
    counts = found.found.answers
    assert counts.both_right + counts.only_a + counts.only_b + counts.neither == 60


def test_an_interruption_keeps_what_is_done(run: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_curve(run, IMAGES, [0.2, 0.7], stop)
    assert thresholds_of(run) == [0.2]
    done = measure_curve(run, IMAGES, [0.2, 0.7])
    shutil.rmtree(run / "records")
    record_run(run, IMAGES)
    (run / "budget.json").unlink()
    assert measure_curve(run, IMAGES, [0.2, 0.7]) == done


def test_without_data_bounds_or_the_curve_are_printed(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["budget", str(run)]) == 0
    text = capsys.readouterr().out
    assert "bounds from 60 records; --data measures the rest" in text
    assert "100.0%" in text
    assert main(["budget", str(run), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["curve"] is None
    assert found["bounds"]["images"] == 60
    points = found["bounds"]["points"]
    (half,) = (point for point in points if point["threshold"] == 0.5)
    assert half["unchanged"] == 1
    assert half["loops_low"] == half["loops_high"] == read_records(run)["loops"].mean()
    assert f"{points[0]['loops_low']:.3f} to {points[0]['loops_high']:6.3f}" in text
    measure_curve(run, IMAGES, [0.5])
    assert main(["budget", str(run)]) == 0
    assert "on 60 images of tiny; in brackets 95% intervals" in capsys.readouterr().out


def test_thresholds_without_data_are_those_of_the_bounds(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["budget", str(run), "--thresholds", "0.37", "0.11"]
    assert main([*command, "--json"]) == 0
    points = json.loads(capsys.readouterr().out)["bounds"]["points"]
    assert [point["threshold"] for point in points] == [0.11, 0.37]
    assert main(command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["0.110", "0.370"]
    measure_curve(run, IMAGES, [0.5])
    for form in ([], ["--json"]):
        assert main([*command, *form]) == 1
        said = capsys.readouterr()
        assert "holds a curve, which is printed as it stands; add --data" in said.err
        assert said.out == ""


def test_without_gates_there_is_nothing_to_tell(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = tmp_path / "plain"
    args = {**tiny_info().model_args, "gated": False}
    tiny_run(plain, tiny_network(gated=False), model_args=args)
    record_run(plain, IMAGES)
    moved = ["--data", "tiny", "--apply", "0.6", "--out", str(tmp_path / "moved")]
    for more in ([], ["--json"], ["--data", "tiny"], moved):
        assert main(["budget", str(plain), *more]) == 1
        said = capsys.readouterr()
        assert "expected a network with gates, but Tiny DR-Res has none to move" in said.err
        assert said.out == ""


def test_an_operating_point_becomes_a_run(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    out = run.parent / "moved"
    command = ["budget", str(run), "--data", "tiny", "--apply", "3.2=0.8", "--out", str(out)]
    assert main(command) == 0
    assert "moved: Tiny DR-Res, gates moved, error" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    assert verify_run(out) == []
    info = read_run(out)
    point = operating_point_of(info)
    assert point is not None
    assert point.thresholds == {"2.2": 0.5, "3.2": 0.8}
    assert point.weights_sha256 == read_run(run).weights_sha256
    network, _ = load_network(run)
    wanted = measure(with_thresholds(network, [0.5, 0.8]), IMAGES, PREPROCESSING)
    assert info.metrics.test.error == wanted.error
    assert info.metrics.test.loops_mean == wanted.loops_mean
    assert read_records(out)["loops"].mean() == pytest.approx(wanted.loops_mean)
    card = (out / "README.md").read_text()
    assert "Its gates were moved after training" in card
    assert "2.2 0.5, 3.2 0.8" in card
    with pytest.raises(RunError, match=r"moved already; start from the run as it was trained"):
        move_gates(out, run.parent / "twice", 0.4, IMAGES)


def _stop_recording(done: int, total: int) -> None:
    if done > total / 2:
        raise KeyboardInterrupt


def test_an_interrupted_operating_point_goes_on_recording(run: Path) -> None:
    out = run.parent / "moved"
    with pytest.raises(KeyboardInterrupt):
        move_gates(run, out, [0.5, 0.8], IMAGES, _stop_recording)
    before = {path: path.read_bytes() for path in out.glob("*.*")}
    assert out / "run.json" in before
    with pytest.raises(RecordsError):
        read_records(out)
    with pytest.raises(ValueError, match=r"there is a .* already; choose another --out"):
        move_gates(run, out, [0.5, 0.7], IMAGES)
    seen: list[int] = []
    info = move_gates(run, out, [0.5, 0.8], IMAGES, lambda done, _: seen.append(done))
    assert seen == [120], "only the second of the passes"
    assert info == read_run(out)
    assert {path: path.read_bytes() for path in out.glob("*.*")} == before
    assert verify_run(out) == []
    with pytest.raises(ValueError, match="with whole records: nothing is missing"):
        move_gates(run, out, [0.5, 0.8], IMAGES)


@pytest.mark.parametrize(
    "left",
    [
        (),
        (".model.safetensors.0123456789abcdef.partial",),
        ("model.safetensors",),
        ("model.safetensors", "README.md", ".run.json.0123456789abcdef.partial"),
    ],
)
def test_an_operating_point_goes_on_without_a_run_json(run: Path, left: tuple[str, ...]) -> None:
    """Killed before run.json, which comes last; or a folder that somebody made for it."""
    whole, out = run.parent / "whole", run.parent / "moved"
    info = move_gates(run, whole, [0.5, 0.8], IMAGES)
    out.mkdir()
    for name in left:
        source = whole / name
        (out / name).write_bytes(source.read_bytes() if source.exists() else b"a part")
    assert move_gates(run, out, [0.5, 0.8], IMAGES) == info
    assert [found.path for found in verify_run(out)] == [each for each in left if each[0] == "."]
    for name in ("model.safetensors", "README.md", "run.json"):
        assert (out / name).read_bytes() == (whole / name).read_bytes()


@pytest.mark.parametrize("names", [("notes.txt",), ("README.md",), ("model.safetensors",)])
def test_what_is_no_part_of_the_operating_point_is_left_alone(
    run: Path, names: tuple[str, ...]
) -> None:
    """Somebody's folder, or this run's weights at other thresholds: the trained ones."""
    out = run.parent / "moved"
    out.mkdir()
    for name in names:
        source = run / name
        (out / name).write_bytes(source.read_bytes() if source.exists() else b"mine")
    before = {path: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(ValueError, match=r"there is a .* already; choose another --out"):
        move_gates(run, out, [0.5, 0.8], IMAGES)
    assert {path: path.read_bytes() for path in out.iterdir()} == before


def test_of_a_run_without_records_it_is_measured_anew(run: Path) -> None:
    """The images of the second call may be others than those of the first."""
    out = run.parent / "moved"
    shutil.rmtree(run / "records")
    with pytest.raises(KeyboardInterrupt):
        move_gates(run, out, 0.4, IMAGES, _stop_recording)
    shutil.rmtree(out / "records", ignore_errors=True)
    first = read_run(out).metrics.test
    again = move_gates(run, out, 0.4, tiny_images(60, seed=1)).metrics.test
    assert again == read_run(out).metrics.test != first
    assert verify_run(out) == []


def test_a_folder_of_other_weights_is_no_operating_point(run: Path) -> None:
    """One whose run.json says the same, but whose weights are not the trained ones moved."""
    out, other = run.parent / "moved", run.parent / "other"
    with pytest.raises(KeyboardInterrupt):
        move_gates(run, out, 0.4, IMAGES, _stop_recording)
    tiny_run(other, tiny_network(seed=2), extra=read_run(out).extra)
    with pytest.raises(ValueError, match="choose another --out"):
        move_gates(run, other, 0.4, IMAGES)


def test_gates_are_moved_on_the_recorded_images_only(run: Path) -> None:
    """A run of other images beside the trained one could not be compared with it."""
    out = run.parent / "moved"
    with pytest.raises(RecordsError, match=r"are of other images .* pass the data set that was"):
        move_gates(run, out, 0.4, tiny_images(60, seed=1))
    assert not out.exists()
    shutil.rmtree(run / "records")
    assert move_gates(run, out, 0.4, tiny_images(60, seed=1)).metrics.test.n == 60


def test_moved_gates_move_back(run: Path) -> None:
    """The way back that is always there is the run itself; the inverse threshold is another."""
    network, _ = load_network(run)
    back = with_thresholds(with_thresholds(network, 0.8), 0.2)
    for name, value in network.state_dict().items():
        np.testing.assert_allclose(back.state_dict()[name], value, atol=1e-5)
    for ends in (0, 1):  # open or shut for good is not undone, and makes no NaN
        closed = with_thresholds(with_thresholds(network, ends), 1 - ends)
        assert all(not bool(value.isnan().any()) for value in closed.state_dict().values())


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--apply", "0.6"], "expected --apply and --out together"),
        (["--out", "x"], "expected --apply and --out together"),
        (["--apply", "0.6", "--out", "x"], "expected --data with --apply"),
        (
            ["--data", "tiny", "--apply", "0.5", "--out", "x"],
            "expected thresholds that move a gate",
        ),
        (["--data", "tiny", "--apply", "0.6", "--out", "{run}"], "there is a"),
        (["--data", "tiny", "--apply", "1.6", "--out", "x"], "from 0 to 1, or with"),
        (["--data", "tiny", "--apply", "9.9=0.6", "--out", "x"], "block with a gate (2.2, 3.2)"),
        (["--thresholds", "2"], "expected --thresholds from 0 to 1"),
        (["--thresholds", "0.3", "--apply", "0.6", "--out", "x"], "to write a run, got both"),
    ],
)
def test_failures_are_one_line(
    run: Path, flags: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [flag.replace("{run}", str(run)) for flag in flags]
    assert main(["budget", str(run), *arguments]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.strip().count("\n") == 0
    assert not (run / "budget.json").exists()


def test_other_images_other_weights_no_gates(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="are of other images"):
        measure_curve(run, tiny_images(60, seed=1), [0.3])
    measure_curve(run, IMAGES, [0.3])
    shutil.rmtree(run / "records")
    record_run(run, tiny_images(50))
    assert len(measure_curve(run, tiny_images(50), [0.6]).points) == 1  # the old one is void
    tiny_run(run, tiny_network(seed=2))
    with pytest.raises(ValueError, match="of other weights"):
        measure_curve(run, IMAGES, [0.3])
    plain = tiny_network(gated=False)
    args = {**tiny_info().model_args, "gated": False}
    tiny_run(tmp_path / "plain", plain, model_args=args)
    with pytest.raises(ValueError, match="has none to move"):
        measure_curve(tmp_path / "plain", IMAGES, [0.3])


def test_thresholds_as_text() -> None:
    assert parsed_thresholds(["0.6"], LAYOUT) == [0.6, 0.6, 0.5]
    assert parsed_thresholds(["3.2=0.25", "2.2=1"], LAYOUT) == [1, 0.25, 0.5]
    for wrong in (["0.6", "0.7"], ["x"], ["=0.5"], ["2.2="], ["nan"], ["4.1=0.3"]):
        with pytest.raises(ValueError, match="expected"):
            parsed_thresholds(wrong, LAYOUT)
