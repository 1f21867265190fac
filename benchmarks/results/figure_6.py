"""Figure 6: test accuracy over the epochs, one BatchNorm for all loops against one for each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.results.ablation import STEPS, Column, ablation_columns
from benchmarks.results.line_chart import Line, line_chart
from benchmarks.results.tables import table
from benchmarks.results.trainings import Trained
from drnn_core.analysis.seeds import mean_and_range
from drnn_core.store.files import atomic_write_bytes

OPENING = """Test accuracy in % after each epoch, mean over seeds; bands from the worst to the best
seed. The paper's figure 6 is R-ResNet 53 on ImageNet, where one BatchNorm for all loops diverges
after a few epochs and LVBN converges. Curves are as training measured them, before the last
calibration of the gates (`short`), after which the error is another."""

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


def figure_6(groups: Sequence[Trained], folder: Path) -> str:
    """A picture and a table for each data set and recipe; pictures are written into the folder."""
    parts: list[str] = []
    for column in ablation_columns(groups):
        found = _lines(column)
        if not found:
            continue
        name = f"figure_6_{_plain(column.title)}.svg"
        title = f"Test accuracy over training: {column.title}"
        chart = line_chart(title, [line for line, _ in found], "test accuracy, %")
        atomic_write_bytes(folder / name, chart.encode())
        parts += [f"![{title}]({name})", _table(found)]
    return "\n\n".join([OPENING, *parts]) if parts else ""


def curves(one: Trained) -> list[Curve]:
    """(epochs, accuracy in %) of each seed, where accuracy was taken."""
    found: list[Curve] = []
    for run in one.runs.values():
        taken = [(p.epoch, 100 - p.test_error) for p in run.info.curve if p.test_error is not None]
        if taken:
            epochs, values = np.array(taken, dtype=np.float64).T
            found.append((epochs, values))
    return found


def _lines(column: Column) -> list[tuple[Line, list[Curve]]]:
    """The recursive steps whose curves were taken at the same epochs."""
    found: list[tuple[Line, list[Curve]]] = []
    for (parts, _, _), one in list(zip(STEPS, column.steps, strict=True))[1:]:
        own = curves(one) if one is not None else []
        reached = min((len(epochs) for epochs, _ in own), default=0)
        if not reached or any((e[:reached] != own[0][0][:reached]).any() for e, _ in own):
            continue
        mean, least, most = mean_and_range([values.tolist() for _, values in own])
        seeds = f"{len(own)} seed{'s' if len(own) > 1 else ''}"
        line = Line(f"{parts} ({seeds})", own[0][0][:reached], mean, least, most)
        found.append((line, own))
    return found


def _table(found: Sequence[tuple[Line, list[Curve]]]) -> str:
    columns = (
        "parts (seeds)", "after a quarter", "after half", "at the end", "best epoch",
        "seeds that fell to half of their best afterwards",
    )  # fmt: skip
    return table(columns, [_row(line, own) for line, own in found])


def _row(line: Line, own: Sequence[Curve]) -> list[str]:
    last = len(line.epochs) - 1
    best = [float(values.max()) for _, values in own]
    collapsed = sum(collapses(values) for _, values in own)
    return [
        line.name,
        *(_at(line, math.ceil(last * share)) for share in (0.25, 0.5, 1.0)),
        f"{sum(best) / len(best):.2f} ({min(best):.2f} to {max(best):.2f})",
        f"{collapsed} of {len(own)}",
    ]


def collapses(accuracy: NDArray[np.float64]) -> bool:
    """Whether a training falls to less than half of its best and does not come back."""
    return bool(accuracy[-1] < accuracy.max() / 2)


def _at(line: Line, place: int) -> str:
    return (
        f"{line.mean[place]:.2f} ({line.least[place]:.2f} to {line.most[place]:.2f}; "
        f"epoch {line.epochs[place]:.0f})"
    )


def _plain(title: str) -> str:
    """A title as the name of a file."""
    return "_".join("".join(c if c.isalnum() else " " for c in title.lower()).split())
