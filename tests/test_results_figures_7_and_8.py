"""Figures 7 and 8 of docs/results.md, against counts by hand."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from benchmarks.results.figure_7 import PICTURE as FIGURE_7
from benchmarks.results.figure_7 import gap_panel, gaps_drawn
from benchmarks.results.figure_8 import PICTURE as FIGURE_8
from benchmarks.results.figure_8 import figure_8, shares
from benchmarks.results.norms import normed
from benchmarks.results.panels import Panel, panels
from benchmarks.results.shipped import Shipped
from benchmarks.results.trainings import told_alone, trained
from drnn_core.analysis.norm_discrepancy import discrepancy
from drnn_core.store.runs import find_runs
from tests.seed_runs import seed_run

ROOT = Path(__file__).parents[1]
SVG = "{http://www.w3.org/2000/svg}"


def panel(bars: bool, values: list[float], **changes: object) -> Panel:
    found = np.array(values)
    parts = {"low": found, "high": found, "chance": np.empty(0), **changes}
    names = [str(place) for place in range(len(values))]
    return Panel("a < b", names, found, bars=bars, **parts)  # type: ignore[arg-type]


def test_bars_are_as_high_as_their_values() -> None:
    svg = ET.fromstring(panels("t & u", [panel(True, [0.1, 0.2, 0.4])], ("x", "y")))
    bars = [rect.attrib for rect in svg.iter(f"{SVG}rect")][1:]  # the first is the paper
    heights = [float(bar["height"]) for bar in bars]
    assert heights == pytest.approx([heights[2] / 4, heights[2] / 2, heights[2]], abs=0.2)
    bottoms = [float(bar["y"]) + float(bar["height"]) for bar in bars]
    assert bottoms == pytest.approx([bottoms[0]] * 3, abs=0.2)


def test_points_stand_at_their_logarithm_and_what_is_missing_is_left_out() -> None:
    text = panels("t", [panel(False, [0.001, np.nan, 0.01, 0.1])], ("x", "y"))
    heights = [float(y) for y in re.findall(r'<circle cx="[0-9.]+" cy="([0-9.]+)"', text)]
    assert len(heights) == 3
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=0.2) != 0


def test_two_in_a_row_and_none_is_refused() -> None:
    svg = ET.fromstring(panels("t", [panel(True, [0.5])] * 3, ("x", "y")))
    moves = [group.attrib["transform"] for group in svg.iter(f"{SVG}g")]
    assert len(set(moves)) == 3
    with pytest.raises(ValueError, match="at least one"):
        panels("t", [], ("x", "y"))


def test_shares_are_counted_image_by_image(tmp_path: Path) -> None:
    for seed in (1, 2):
        seed_run(tmp_path / "runs", "dr_resnet16_l2_short", seed)
    groups = trained([Shipped(path) for path in find_runs(tmp_path / "runs")])
    ((one),) = groups
    found = shares(one)
    assert found.shape == (2, 5)
    for row, run in zip(found, one.runs.values(), strict=True):
        loops = run.records["loops"].tolist()
        assert row.tolist() == pytest.approx([loops.count(k) / len(loops) for k in range(5)])
    text = figure_8(groups, tmp_path)
    assert text.count("| DR-Res 16 (l = 2), ") == 1
    peak = int(found.mean(axis=0).argmax())
    assert text.rstrip().endswith(f"| {peak} |")
    assert (tmp_path / FIGURE_8).read_text().count("<g ") == 1
    assert figure_8([], tmp_path) == ""


def test_the_gap_is_that_of_the_kept_moments() -> None:
    """By hand for the first block and loop of a shipped run: mean over its norms and channels."""
    run = Shipped(ROOT / "checkpoints" / "generated_dr_resnet32_l4")
    found = gap_panel(run)
    assert found is not None
    (kept,) = normed([run])
    first = [p for p in kept.places if f"{p.block}:{p.loop + 1}" == found.places[0]]
    by_norm = [
        np.nanmean(discrepancy(p.executed_parts.merged(), p.skipped_parts.merged()).divergence)
        for p in first
    ]
    assert len(first) > 1
    assert found.values[0] == pytest.approx(np.mean(by_norm), rel=1e-6)
    assert np.all(found.low < found.values)
    assert np.all(found.values < found.high)
    assert np.all(found.chance < found.low)  # a shuffle leaves a gap hundreds of times smaller


def test_figure_7_draws_every_run_that_has_a_gap(tmp_path: Path) -> None:
    runs = [Shipped(ROOT / "checkpoints" / name)
            for name in ("generated_dr_resnet32_l4", "generated_resnet20")]  # fmt: skip
    assert FIGURE_7 in gaps_drawn(runs, tmp_path)
    assert (tmp_path / FIGURE_7).read_text().count("<g ") == 1
    assert gaps_drawn(runs[1:], tmp_path) == ""


def test_the_pictures_are_of_the_shipped_runs(tmp_path: Path) -> None:
    runs = [Shipped(folder) for folder in find_runs(ROOT / "checkpoints")]
    page = (ROOT / "docs" / "results.md").read_text()
    assert figure_8(trained(runs), tmp_path) in page
    assert gaps_drawn(told_alone(runs), tmp_path) in page
    for name in (FIGURE_7, FIGURE_8):
        assert (tmp_path / name).read_bytes() == (ROOT / "docs" / name).read_bytes()
