"""``drnn join`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from drnn_core.cli import main
from drnn_core.inference.recording import record_run
from drnn_core.store.columns import discard_columns, read_all
from drnn_core.store.records import read_records
from tests.tiny_runs import tiny_images, tiny_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("join") / "run"
    tiny_run(folder)
    record_run(folder, tiny_images())
    return folder


def test_a_table_is_joined(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loops = read_records(run, ["id", "loops"])
    lines = [f"{name},{count},{place % 3},word" for place, (name, count) in
             enumerate(zip(loops["id"], loops["loops"], strict=True))]  # fmt: skip
    file = tmp_path / "human.csv"
    file.write_text("\n".join(["id,human,other,note", *lines, "stranger,1,1,word"]))
    command = ["join", str(run), str(file), "--reliability", "human=0.81", "loops=1"]
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["matched"], found["unmatched"], found["missing"]) == (60, 1, 0)
    assert found["ignored"] == ["note"]
    human, other = found["columns"]
    assert human["loops"]["rho"] == pytest.approx(1)
    assert human["corrected"] == pytest.approx(1 / 0.9)
    assert other["loops"]["n"] == 60
    assert other["reliability"] is None
    assert main(command) == 0
    text = capsys.readouterr().out
    assert "60 images matched by id; 1 rows without an image" in text
    assert "stranger" in text
    assert "loops, within classes" in text


def test_the_columns_are_kept_if_wished(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "table.csv"
    file.write_text("index,human\n3,0.5\n4,1.5\n7,1\n")
    assert main(["join", str(run), str(file), "--keep", "ratings"]) == 0
    assert "columns/own_ratings" in capsys.readouterr().out
    kept = read_all(run)["human"]
    assert kept.notna().sum() == 3
    assert kept[4] == 1.5
    assert main(["join", str(run), str(file), "--keep", "ratings"]) == 1
    assert "a name that is free" in capsys.readouterr().err
    discard_columns(run, "own_ratings")


@pytest.mark.parametrize(
    ("text", "flags", "message"),
    [
        ("id,x\nother,1\n", [], "none of the 1 rows has an id"),
        ("word,x\na,1\n", [], "expected a column 'id' or 'index'"),
        ("id,x\ntest/0000,1\n", ["--reliability", "x"], "expected --reliability NAME=NUMBER"),
        ("id,x\ntest/0000,1\n", ["--reliability", "=1"], "expected --reliability NAME=NUMBER"),
        ("id,x\ntest/0000,1\n", ["--reliability", "y=0.5"], "reliability of one of: x, loops"),
    ],
)
def test_failures_are_one_line(
    run: Path,
    tmp_path: Path,
    text: str,
    flags: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "table.csv"
    file.write_text(text)
    assert main(["join", str(run), str(file), *flags]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_too_few_images_say_so(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "table.csv"
    file.write_text("index,x\n3,1\n")
    assert main(["join", str(run), str(file)]) == 0
    assert "none to measure in 1 images" in capsys.readouterr().out
