"""The page's table of gradients along training, against numbers by hand."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from benchmarks.results.gradients import along_training, first_over_last, through_block
from drnn_core.store.gradients import (
    COLUMNS,
    GradientPlace,
    GradientPoint,
    StoredGradients,
    write_gradients,
)

PLACES = tuple(GradientPlace("2.2", conv, loop) for loop in (0, 1, 2) for conv in ("a", "b"))
NUMBERS = {
    "grad_norm": (8.0, 18.0, 4.0, 6.0, 2.0, 2.0),
    "input_grad_norm": (12.0, 12.0, 6.0, 6.0, 3.0, 3.0),
    "output_grad_norm": (6.0, 6.0, 3.0, 3.0, 1.5, 1.5),
}
POINT = GradientPoint(
    1, 2.0, 3.0, 0.5, {name: NUMBERS.get(name, (1.0,) * len(PLACES)) for name in COLUMNS}
)
STORED = StoredGradients("r", 0, "tiny", "ab" * 32, 128, PLACES, (POINT,))


def frame(point: GradientPoint = POINT) -> pd.DataFrame:
    return dataclasses.replace(STORED, points=(point,)).table()


def test_ratios_of_a_block() -> None:
    assert through_block(frame()) == 8.0
    assert first_over_last(frame()) == pytest.approx(6.0)  # of 8 / 2 and 18 / 2
    broken = dict(POINT.columns) | {"grad_norm": (None,) * 6, "output_grad_norm": (0.0,) * 6}
    point = dataclasses.replace(POINT, columns=broken)
    assert pd.isna(through_block(frame(point)))
    assert pd.isna(first_over_last(frame(point)))


def run(folder: Path, stored: StoredGradients | None) -> Any:
    folder.mkdir()
    if stored is not None:
        write_gradients(folder, stored)
    return SimpleNamespace(folder=folder, info=SimpleNamespace(title="R-Res", dataset="tiny"))


def test_seeds_stand_in_one_row(tmp_path: Path) -> None:
    assert along_training([run(tmp_path / "none", None)]) == ""
    other = dataclasses.replace(POINT, loss=4.0, grad_norm=None)
    later = dataclasses.replace(POINT, epoch=5)
    second = dataclasses.replace(STORED, seed=1, points=(other, later))
    text = along_training([run(tmp_path / "a", STORED), run(tmp_path / "b", second)])
    assert "On tiny:" in text
    assert text.splitlines()[-2:] == [
        "| R-Res | 2 | 1 | 3 (2 to 4) | not finite | 0.5 (0.5 to 0.5) | 2.2: 8 | 2.2: 6 |",
        "| R-Res | 1 | 5 | 2 | 3 | 0.5 | 2.2: 8 | 2.2: 6 |",
    ]
