"""``drnn bench``: what it measures, prints and refuses; times are the benchmarking's business."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drnn_core.benchmarking import contenders, paths, records, steps
from drnn_core.cli import main
from drnn_core.inference.recording import record_run
from tests.benchmarking.test_contenders import tiny_subject
from tests.tiny_runs import tiny_images, tiny_run


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was measured; real measurements, but of a tiny network and for no time."""
    log: list[tuple[Any, ...]] = []

    def watch(module: Any, name: str, instead: Callable[..., Any]) -> None:
        monkeypatch.setattr(module, name, instead)

    compare, costs = contenders.compare, paths.path_costs
    compare_steps, compare_records = steps.compare_steps, records.compare_records

    def rows(subject: Any, batch: int, against: Any, device: str, dtype: Any, *_: Any) -> Any:
        log.append((subject.name, batch, against))
        return compare(tiny_subject(), 2, against, device, dtype, 0, 1)

    def path(subject: Any, *_: Any) -> Any:
        log.append((subject.name, "path"))
        return costs(tiny_subject(), seconds=0, least=1)

    def step(net: str, batch: int, *_: Any) -> Any:
        log.append((net, "step", batch))
        return compare_steps("dr_resnet16_l2", 2, seconds=0, least=1)

    def record(run: Path, images: int, _: float) -> Any:
        log.append((run.name, "records", images))
        return compare_records(run, 10, seconds=0, least=1)

    watch(contenders, "compare", rows)
    watch(paths, "path_costs", path)
    watch(steps, "compare_steps", step)
    watch(records, "compare_records", record)
    return log


def test_everything_as_json(
    measured: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_run(tmp_path / "run")
    run = ["--run-folder", str(tmp_path / "run"), "--images", "50"]
    assert main(["bench", "dr_resnet16_l2", "--json", *run]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"machine", "rows", "paths", "training", "records"}
    assert set(found["rows"][0]) >= {
        *("net", "against", "batch", "device", "dtype"),
        *("time_ratio", "macs_ratio", "over_limit", "low", "high"),
    }
    everything = ("static", "masked", "counterpart", "eager")
    assert measured == [
        *[("dr_resnet16_l2", batch, everything) for batch in (1, 64, 256)],
        ("dr_resnet16_l2", "path"),
        ("dr_resnet16_l2", "step", 128),
        ("run", "records", 50),
    ]
    assert len(found["rows"]) == 12


def test_one_part_in_words(measured: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    command = ["bench", "dr_resnet16_l2", "--parts", "inference", "--batch", "1", "2"]
    assert main([*command, "--against", "static"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert "thread(s)" in head
    assert [line.split()[:3] for line in lines] == [["tiny", "against", "static"]] * 2
    assert all("over limit" in line for line in lines)
    assert measured == [("dr_resnet16_l2", batch, ("static",)) for batch in (1, 2)]


def test_quick_is_two_comparisons(measured: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--quick", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"machine", "rows"}
    others = ("static", "counterpart", "eager")
    assert measured == [("dr_resnet53_l3", 1, others), ("dr_resnet40_l2", 64, others)]


def test_a_run_has_no_training_step(
    measured: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was measured before is not lost to it, and networks beside it have theirs."""
    run = tmp_path / "run"
    tiny_run(run)
    record_run(run, tiny_images())
    command = ["bench", str(run), "dr_resnet16_l2", "--parts", "inference", "training", "--json"]
    assert main([*command, "--batch", "2", "--against", "static"]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert (len(found["rows"]), len(found["training"])) == (2, 1)
    assert "is a run: its training step is not measured" in " ".join(said.err.split())
    compared = [(net, 2, ("static",)) for net in (str(run), "dr_resnet16_l2")]
    assert measured == [*compared, ("dr_resnet16_l2", "step", 128)]
    measured.clear()
    assert main(["bench", str(run), "--parts", "training"]) == 1
    assert "expected names of networks for --parts training" in capsys.readouterr().err
    assert measured == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dr_resnet16_l2", "dr_resnet99"], "expected the name of a network"),
        (["dr_resnet16_l2", "resnet20"], "recursive blocks, resnet20 has none"),
        (["resnet20", "--parts", "training"], "plain counterpart, resnet20 has none"),
        (["dr_resnet16_l2", "--run-folder", "missing"], "there is no folder missing"),
        (["--quick", "dr_resnet16_l2"], "expected --quick without nets"),
        (["--quick", "--batch", "4"], "expected --quick without batch"),
        (["--quick", "--parts", "paths", "--images", "9"], "--quick without parts, images"),
        (["--quick", "--against", "masked"], "--quick, which masks nothing"),
        (["--parts"], "expected at least one word after --parts, got none"),
        (["--against"], "expected at least one word after --against, got none"),
        (["--seconds", "0"], "expected --seconds to be a number above 0, got 0"),
        (["--seconds", "-2"], "got -2"),
        (["--seconds", "nan"], "got nan"),
        (["--seconds", "inf"], "got inf"),
    ],
)
def test_nothing_is_measured_before_a_refusal(
    arguments: list[str],
    message: str,
    measured: list[Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["bench", "--json", *arguments]) == 1
    said = capsys.readouterr()
    assert (said.out, measured) == ("", [])
    assert message in said.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dr_resnet99"], "expected the name of a network"),
        (["dr_resnet16_l2", "--batch", "0"], "expected at least 1"),
        (["resnet20", "--parts", "inference"], "recursive blocks, resnet20 has none"),
        (["--parts", "records", "--run-folder", "missing"], "missing"),
        (["--device", "cuda"], "found none"),
    ],
)
def test_refusals(
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert main(["bench", *arguments]) == 1
    assert message in capsys.readouterr().err
