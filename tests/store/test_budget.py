"""budget.json: what is written comes back, and what does not add up is refused."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from drnn_core.inference.recording import record_run
from drnn_core.store.budget import (
    BUDGET,
    BudgetCurve,
    BudgetError,
    BudgetPoint,
    read_budget,
    write_budget,
)
from drnn_core.store.integrity import verify_run
from drnn_core.store.operating_point import (
    OperatingPoint,
    operating_point_of,
    with_operating_point,
)
from drnn_core.store.records import read_manifest, read_records
from drnn_core.store.runs import RunError, read_run
from drnn_core.store.sealed import write_sealed
from tests.tiny_runs import tiny_images, tiny_info, tiny_run

POINT = BudgetPoint(
    threshold=0.3,
    anew=7,
    error=(50.0, 25.0, 75.0),
    loops=(2.5, 2.0, 3.0),
    macs=(1e6, 0.9e6, 1.1e6),
    error_change=(12.5, -12.5, 37.5),
    loops_change=(1.0, 0.5, 1.5),
    macs_change=(1e5, 1e4, 2e5),
    lost=2,
    won=1,
    class_wrong=(3, 0, 1),
    class_lost=(2, 0, 0),
    class_won=(0, 0, 1),
    class_loops=(2.0, None, 3.0),
)
CURVE = BudgetCurve("test", "tiny", "ab" * 32, "cd" * 32, 8, 0.95, (4, 0, 4), (POINT,))


def test_a_curve_comes_back(tmp_path: Path) -> None:
    assert read_budget(tmp_path) is None
    write_budget(tmp_path, CURVE)
    assert read_budget(tmp_path) == CURVE
    assert json.loads((tmp_path / BUDGET).read_text())["format"] == 1


def test_points_stand_in_order_and_once() -> None:
    more = CURVE.with_point(replace(POINT, threshold=0.1)).with_point(replace(POINT, anew=8))
    assert [(point.threshold, point.anew) for point in more.points] == [(0.1, 7), (0.3, 8)]
    assert more.at(0.1 + 1e-12) == more.points[0]
    assert more.at(0.2) is None


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ({"threshold": 1.5}, "thresholds from 0 to 1"),
        ({"threshold": "0.3"}, "to be a number"),
        ({"error": [50.0, 25.0]}, "value, low and high"),
        ({"error": [40.0, 25.0, 75.0]}, "the counts of the classes to add up"),
        ({"lost": 1}, "the counts of the classes to add up"),
        ({"won": -1}, "a whole number from 0"),
        ({"class_wrong": [3, 0, 0.5]}, "whole numbers from 0"),
        ({"class_wrong": [3, 1]}, "the counts of the classes to add up"),
        ({"class_loops": [2.0]}, "the counts of the classes to add up"),
        ({"anew": 9}, "the counts of the classes to add up"),
    ],
)
def test_what_does_not_add_up(tmp_path: Path, point: dict[str, Any], message: str) -> None:
    values = asdict(CURVE)
    write_sealed(
        tmp_path / BUDGET, {"format": 1, **values, "points": [{**values["points"][0], **point}]}
    )
    with pytest.raises(BudgetError, match=message):
        read_budget(tmp_path)


def test_damage_and_the_future(tmp_path: Path) -> None:
    write_budget(tmp_path, CURVE)
    path = tmp_path / BUDGET
    path.write_text(path.read_text().replace('"anew": 7', '"anew": 6'))
    with pytest.raises(BudgetError, match="was changed after it was written"):
        read_budget(tmp_path)
    write_sealed(path, {"format": 2, **asdict(CURVE)})
    with pytest.raises(BudgetError, match="a newer version"):
        read_budget(tmp_path)
    write_sealed(path, {"format": 1, **asdict(CURVE), "class_images": [4, 0, 5]})
    with pytest.raises(BudgetError, match="'class_images' to sum to n = 8"):
        read_budget(tmp_path)


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verified") / "run"
    tiny_run(folder)
    record_run(folder, tiny_images())
    return folder


def said(run: Path, **changes: Any) -> list[str]:
    """What verify says of a curve at one half that is right but for these changes."""
    records, header = read_records(run), read_manifest(run).header
    wrong = (~records["correct"]).groupby(records["label"]).sum().tolist()
    counts = records["label"].value_counts().sort_index().tolist()
    point = replace(
        POINT,
        threshold=0.5,
        anew=0,
        error=(100 * sum(wrong) / 60, 0.0, 100.0),
        loops=(records["loops"].mean(), 0.0, 5.0),
        macs=(records["macs"].mean(), 0.0, 1e9),
        lost=0,
        won=0,
        class_wrong=tuple(wrong),
        class_lost=(0,) * 4,
        class_won=(0,) * 4,
        class_loops=(1.0,) * 4,
    )
    of_point = {name: value for name, value in changes.items() if hasattr(point, name)}
    of_curve = {name: value for name, value in changes.items() if name not in of_point}
    curve = BudgetCurve.beside(header, counts, 0.95).with_point(replace(point, **of_point))
    write_budget(run, replace(curve, **of_curve))
    found = [each.message for each in verify_run(run) if each.path == BUDGET]
    (run / BUDGET).unlink()
    return found


def test_verify_holds_the_curve_against_run_and_records(master: Path) -> None:
    assert said(master) == []
    assert "of other weights" in said(master, weights_sha256="00" * 32)[0]
    assert "not of those recorded" in said(master, data_fingerprint="00" * 32)[0]
    assert "the curve says loops 1, the records" in said(master, loops=(1.0, 0.0, 2.0))[0]
    header = read_manifest(master).header
    moved = sorted(read_records(master)["label"].value_counts().tolist())
    moved[0], moved[1] = moved[0] + 1, moved[1] - 1
    assert header.rows == sum(moved)
    assert "to count the labels" in said(master, class_images=tuple(moved))[0]
    (master / BUDGET).write_text("{}")
    (found,) = [each for each in verify_run(master) if each.path == BUDGET]
    assert "its own checksum" in found.message
    (master / BUDGET).unlink()


def test_an_operating_point_of_a_run(tmp_path: Path) -> None:
    assert operating_point_of(tiny_info()) is None
    point = OperatingPoint("of", "ab" * 32, {"2.2": 0.25, "3.2": 0.25})
    assert point.in_words == "gates at 0.25"
    extra = with_operating_point({"kept": 1}, point)
    tiny_run(tmp_path / "run", extra=extra)
    info = read_run(tmp_path / "run")
    assert operating_point_of(info) == point
    assert info.extra["kept"] == 1
    for wrong in ({}, {"2.2": 2}, {"2.2": "x"}):
        broken = replace(info, extra={"operating_point": {**asdict(point), "thresholds": wrong}})
        with pytest.raises(RunError, match=r"run\.json, operating_point"):
            operating_point_of(broken)
