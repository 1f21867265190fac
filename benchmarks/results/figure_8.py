"""Figure 8: how many images run how many loops, over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.results.loops_spread import varied
from benchmarks.results.panels import Panel, panels
from benchmarks.results.tables import mean_over_seeds, table
from benchmarks.results.trainings import Trained
from drnn_core.analysis.loops import histogram
from drnn_core.store.files import atomic_write_bytes

PICTURE = "figure_8.svg"
_TITLE = "Share of the test images by their executed loops"
_OPENING = """Executed loops of each test image: bars are means over seeds, lines reach from the
smallest to the largest seed. The paper's figure 8 is DR-ResNet 53 on ImageNet: one hump around
its mean. Mean: over seeds, in brackets the 95 % interval of Student's t; expected: from the target
rate alone. No loop and all loops: share of the images, mean over seeds."""


def figure_8(groups: Sequence[Trained], folder: Path) -> str:
    """Picture and table of every training whose images differ; "" without any.

    Args:
        groups: all trainings.
        folder: of the page; the picture is written into it.
    """
    found = varied(groups)
    if not found:
        return ""
    drawn = [_panel(one) for one in found]
    picture = panels(_TITLE, drawn, ("executed loops", "share of images"))
    atomic_write_bytes(folder / PICTURE, picture.encode())
    columns = (
        "network, data, recipe", "n seeds", "mean loops", "expected", "no loop", "all loops",
        "peaks at",
    )  # fmt: skip
    rows = [_row(one, panel) for one, panel in zip(found, drawn, strict=True)]
    return f"{_OPENING}\n\n![{_TITLE}]({PICTURE})\n\n{table(columns, rows)}"


def shares(one: Trained) -> np.ndarray:
    """(seeds, most loops + 1): the share of images with each number of loops."""
    most = one.first.facts.loops_max
    counts = [histogram(run.records["loops"].to_numpy(), most) for run in one.runs.values()]
    return np.stack([count / count.sum() for count in counts])


def _panel(one: Trained) -> Panel:
    found = shares(one)
    return Panel(
        name=f"{one.title}, {one.training.data}, {one.training.recipe}",
        places=[str(loops) for loops in range(found.shape[1])],
        values=found.mean(axis=0),
        low=found.min(axis=0),
        high=found.max(axis=0),
        chance=np.empty(0),
        bars=True,
    )


def _row(one: Trained, panel: Panel) -> list[str]:
    mean = one.over(lambda run: run.info.metrics.test.loops_mean)
    return [
        one.name,
        str(len(one.runs)),
        mean_over_seeds(mean, ".2f"),
        f"{one.first.facts.expected_loops:.2f}",
        f"{panel.values[0]:.3f}",
        f"{panel.values[-1]:.3f}",
        str(int(panel.values.argmax())),
    ]
