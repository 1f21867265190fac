"""Figure 9 of docs/results.md: its words follow from its numbers, and its picture is drawn."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.results import figure_9 as page
from benchmarks.results.shipped import Shipped
from drnn_core.analysis.bootstrap import Estimate
from drnn_core.analysis.effects import Effect
from drnn_core.data.generated import FACTORS

ROOT = Path(__file__).resolve().parents[1]


def effect(value: float, low: float, high: float) -> Effect:
    within = Estimate(value, low, high, 500, 0.95)
    return Effect("blur", 250, 250, 0.1, 0.2, within, within, within, 0.01)


def test_the_words_are_those_of_the_numbers() -> None:
    verdict = page._verdict
    assert verdict(effect(0.3, 0.2, 0.4), 1) == "so it is: small (δ = +0.30)"
    assert verdict(effect(0.5, 0.4, 0.6), -1) == "the opposite: large (δ = +0.50)"
    assert verdict(effect(-0.5, -0.6, -0.4), -1).startswith("so it is: large")
    assert verdict(effect(0.3, -0.1, 0.7), 1) == "no clear difference (δ = +0.30)"
    assert verdict(effect(0.1, 0.05, 0.15), 1) == "no clear difference (δ = +0.10)"


def test_every_column_of_the_shipped_run_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    run = Shipped(ROOT / "checkpoints" / "generated_dr_resnet32_l4")
    text = page.figure_9(run, tmp_path)
    (name,) = re.findall(r"!\[.*\]\((.*\.png)\)", text)
    with Image.open(tmp_path / name) as drawn, Image.open(ROOT / "docs" / name) as committed:
        assert drawn.size == committed.size
    rows = {line.split("`")[1]: line.split("|") for line in text.splitlines() if "| `" in line[:4]}
    assert {*FACTORS, "confidence", "image_sharpness"} <= set(rows)
    # against the two ends of every class with their ties, sorted and counted here
    deltas, weights = [], []
    for _, part in run.records.groupby("label"):
        loops = np.sort(part["loops"].to_numpy())
        easy, hard = (
            part.loc[keep, "occlusion"].to_numpy()
            for keep in (part["loops"] <= loops[24], part["loops"] >= loops[-25])
        )
        deltas.append(np.sign(np.subtract.outer(hard, easy)).mean())
        weights.append(len(easy) * len(hard) / (len(easy) + len(hard)))
    wanted = np.average(deltas, weights=weights)
    assert float(rows["occlusion"][5].split()[0]) == pytest.approx(wanted, abs=0.0006)
