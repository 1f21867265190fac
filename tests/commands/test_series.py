"""``drnn series`` from the command line: what is finished or refused, and where it was stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.resume import write_images
from drnn_core.cli import main
from drnn_core.commands import series
from drnn_core.commands.console import StopRequest

SMALL = ["--set", "blocks=1,1,1", "widths=4,4,4", "batch=8"]
RUN = "resnet20_short_s1"


def command(data: Path, out: Path, *flags: str) -> list[str]:
    return ["series", "resnet20_short", "--data", str(data), "--out", str(out), *flags, *SMALL]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_images(folder, train=16, test=4)
    return folder


@pytest.fixture(scope="module")
def finished(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs")
    assert main(command(data, out, "--seeds", "1", "--epochs", "1")) == 0
    return out


def test_what_is_finished_is_counted(
    data: Path, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (finished / RUN / "run.json").read_bytes()
    assert main(command(data, finished, "--seeds", "1", "--epochs", "1")) == 0
    said = capsys.readouterr()
    assert f"{RUN} is finished already, and left alone" in said.err
    assert said.out == "finished 1 of 1\n"
    assert (finished / RUN / "run.json").read_bytes() == before


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--epochs", "2"], "a finished run with epochs=1, otherwise than asked for"),
        ([], "a finished run with epochs=1, otherwise than asked for"),
        (["--epochs", "1", "--precision", "bfloat16"], "with precision=float32, otherwise"),
    ],
)
def test_a_finished_run_of_another_training_is_refused(
    data: Path,
    finished: Path,
    flags: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(command(data, finished, "--seeds", "2", "1", *flags)) == 1
    said = capsys.readouterr().err
    assert message in said
    assert "choose a --prefix of its own" in said
    assert not (finished / "resnet20_short_s2").exists(), "refused before anything is trained"


def test_a_finished_run_of_other_images_is_refused(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_images(tmp_path, train=24, test=4)
    assert main(command(tmp_path, finished, "--seeds", "1", "--epochs", "1")) == 1
    assert "a finished run with other training images (" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("others", "settings", "message"),
    [
        (["resnet20_shrot"], SMALL, "no recipe is called 'resnet20_shrot'"),
        (["dr:torchvision/resnet18x_short"], ["--set", "batch=8"], "called 'resnet18x'"),
        (["rcnn160_short"], [*SMALL, "norm=lvbn"], "rcnn160 has no field norm to set"),
        ([], ["--set", "blocks=1,1"], "expected one number per stage in every field"),
        (["dr_resnet16_l2_short"], [*SMALL, "target=0.5"], "with gates for the target 0.5"),
    ],
)
def test_a_recipe_that_cannot_be_is_found_before_anything_is_trained(
    data: Path,
    tmp_path: Path,
    others: list[str],
    settings: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    flags = ["--data", str(data), "--out", str(tmp_path), "--epochs", "1", *settings]
    assert main(["series", "resnet20_short", *others, *flags]) == 1
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_series_that_is_stopped_says_where_it_stands(
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class AfterOneStep(StopRequest):
        """Asked before the first training, and then after each of its steps."""

        calls = 0

        def __call__(self) -> bool:
            self.calls += 1
            return self.calls > 1

    asked = command(data, tmp_path, "--seeds", "1", "2", "--epochs", "1")
    assert main([*asked, "--minutes", "0"]) == 0
    said = capsys.readouterr().out
    assert said == "finished 0 of 2; 2 not reached; the same command goes on\n"
    with monkeypatch.context() as patched:
        patched.setattr(series, "StopRequest", AfterOneStep)
        assert main(asked) == 0
    assert capsys.readouterr().out == (
        f"finished 0 of 2; {RUN} stopped after step 1 of 2, 1 not reached; "
        "the same command goes on\n"
    )
    assert main(asked) == 0
    assert capsys.readouterr().out == "finished 2 of 2\n"
    assert (tmp_path / "resnet20_short_s2" / "run.json").is_file()


def test_failures_are_counted_apart() -> None:
    ended = series.Ended(4, 1, ["a stopped after step 3 of 9"])
    assert ended.in_words(1) == (
        "finished 1 of 4; a stopped after step 3 of 9, 1 failed, 1 not reached; "
        "the same command goes on"
    )
