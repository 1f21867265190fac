"""Shares as all pages write them, in Python and in the gallery's script."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import app
from app.easy_hard.tiles import _tiles
from app.gallery.source import tiles
from app.numbers import percent

SHARES = [0.931, 1.0, 0.99999, 0.0, 1e-5]
SHOWN = ["93.1 %", "100.0 %", "> 99.9 %", "0.0 %", "< 0.1 %"]
SURE = np.nextafter(np.float32(1), np.float32(0))  # and not certain


def test_a_share_is_never_rounded_to_certainty() -> None:
    assert [percent(share) for share in SHARES] == SHOWN


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node, which runs the script")
def test_nor_by_the_gallerys_script() -> None:
    script = (Path(app.__file__).parent / "gallery" / "assets" / "tile.js").read_text("utf-8")
    asked = f"{script}\nconsole.log(JSON.stringify({json.dumps(SHARES)}.map(percent)));"
    done = subprocess.run(["node", "-e", asked], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == SHOWN


def test_nor_on_the_way_to_a_tile() -> None:
    frame = pd.DataFrame(
        {
            "index": [0], "label": [0], "prediction": [0], "correct": [True], "loops": [3],
            "confidence": np.array([SURE], np.float32),
        }
    )  # fmt: skip
    records = SimpleNamespace(at=lambda rows, columns: frame[columns])
    table: Any = SimpleNamespace(frame=frame, records=records)
    rows = np.array([0], np.int64)
    assert tiles(table, rows)[0]["confidence"] < 1
    assert _tiles(table, rows, ["cat"], None)[0]["confidence"] == "> 99.9 %"
