"""Gradients kept with a run: what is written comes back, damaged or foreign ones are found."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest

from drnn_core.layout import BlockLayout
from drnn_core.store.gradients import (
    COLUMNS,
    GRADIENTS,
    GradientPlace,
    GradientPoint,
    GradientsError,
    StoredGradients,
    finite,
    gradient_problems,
    read_gradients,
    write_gradients,
)
from drnn_core.store.sealed import write_sealed
from tests.tiny_runs import tiny_info

PLACES = tuple(GradientPlace("2.2", conv, loop) for loop in (0, 1) for conv in ("conv1", "conv2"))
POINTS = (
    GradientPoint(0, 2.5, 0.5, 0.25, dict.fromkeys(COLUMNS, (0.25, 0.5, 1.0, 2.0))),
    GradientPoint(2, None, None, None, dict.fromkeys(COLUMNS, (0.25, None, 1.0, None))),
)
STORED = StoredGradients("dr_resnet16_l2_short", 1, "tiny", "ab" * 32, 128, PLACES, POINTS)
LAYOUT = (BlockLayout("2.2", 2, True),)


def test_gradients_come_back(tmp_path: Path) -> None:
    write_gradients(tmp_path, STORED)
    assert read_gradients(tmp_path) == STORED
    assert gradient_problems(tmp_path, tiny_info(), LAYOUT) == []


def test_as_a_table() -> None:
    frame = STORED.table()
    assert list(frame.columns) == ["epoch", "block", "conv", "loop", *COLUMNS]
    assert frame["epoch"].tolist() == [0] * 4 + [2] * 4
    assert frame["loop"].tolist() == [0, 0, 1, 1] * 2
    assert frame["grad_norm"].tolist()[:4] == [0.25, 0.5, 1.0, 2.0]
    assert frame["input_grad_norm"].isna().tolist()[4:] == [False, True, False, True]
    plain = dataclasses.replace(
        STORED, places=(), points=(GradientPoint(0, 1.0, 1.0, 0.0, dict.fromkeys(COLUMNS, ())),)
    )
    assert plain.table().empty


def test_numbers_as_they_are_stored() -> None:
    assert finite(1234.56789) == 1234.6
    assert finite(1.23456789e-9) == 1.2346e-9
    assert finite(math.inf) is finite(math.nan) is None


def changed(folder: Path, **changes: Any) -> None:
    write_gradients(folder, STORED)
    path = folder / GRADIENTS
    write_sealed(path, {**json.loads(path.read_text()), **changes})


POINT = {"epoch": 0, "loss": 1.0, "grad_norm": 1.0, "affine_grad_norm": 1.0}
NUMBERS = {name: [0.5] * 4 for name in COLUMNS}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "a newer version"),
        ({"points": []}, "expected 1 to 10000 points, got 0"),
        ({"loop": [0, 0, 1]}, "as many blocks as convolutions"),
        ({"loop": [0, 0, 1, 0.5]}, "loops counted from 0, got 0.5"),
        ({"loop": [0, 0, 1, -1]}, "loops counted from 0, got -1"),
        ({"points": [{**POINT, "columns": NUMBERS | {"grad_norm": [1, 2]}}]}, "expected 4 numbers"),
        ({"points": [{**POINT, "columns": NUMBERS | {"grad_norm": [-1] * 4}}]}, "one below 0"),
        ({"points": [{**POINT, "columns": {}}]}, "'grad_norm'"),
        ({"points": [{**POINT, "columns": NUMBERS}] * 2}, "in the order of their epochs"),
    ],
    ids=str,
)
def test_what_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    changed(tmp_path, **changes)
    with pytest.raises(GradientsError, match=message):
        read_gradients(tmp_path)
    (problem,) = gradient_problems(tmp_path, tiny_info(), LAYOUT)
    assert message in problem


def test_missing_ones_say_how_they_come_about(tmp_path: Path) -> None:
    with pytest.raises(GradientsError, match=r"drnn train \.\.\. --gradients"):
        read_gradients(tmp_path)


@pytest.mark.parametrize(
    ("info", "layout", "message"),
    [
        ({"seed": 2}, LAYOUT, "of another training"),
        ({"recipe_name": "x"}, LAYOUT, "of another training"),
        ({"data_fingerprint": "cd" * 32}, LAYOUT, "of another training"),
        ({"epochs": 1}, LAYOUT, "beyond the run's 1 epochs"),
        ({}, (BlockLayout("2.2", 3, True),), "other blocks and loops"),
        ({}, (*LAYOUT, BlockLayout("3.2", 2, True)), "other blocks and loops"),
    ],
)
def test_gradients_of_something_else(
    tmp_path: Path, info: dict[str, Any], layout: tuple[BlockLayout, ...], message: str
) -> None:
    write_gradients(tmp_path, STORED)
    (problem,) = gradient_problems(tmp_path, tiny_info(**info), layout)
    assert message in problem


def test_damage_is_found(tmp_path: Path) -> None:
    write_gradients(tmp_path, STORED)
    path = tmp_path / GRADIENTS
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"0.25", b"0.26", 1))
    assert gradient_problems(tmp_path, tiny_info(), LAYOUT)
    path.write_text(json.dumps(json.loads(whole)))
    (problem,) = gradient_problems(tmp_path, tiny_info(), LAYOUT)
    assert "reformatted" in problem
