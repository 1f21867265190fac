"""How far the other seeds of a training lie from its curve: figure 6 with more than one seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from app.cache import Run
from app.compare.looks import look_of
from app.compare.sides import Side
from drnn_core.analysis.seeds import mean_and_range
from drnn_core.store.repeats import training_of_run
from drnn_core.store.runs import CurvePoint, RunInfo

_MEASURES = ("test_error", "train_loss", "rate")


def band_table(sides: Sequence[Side], runs: Sequence[Run]) -> pd.DataFrame:
    """A row for each run that is compared, measure and epoch, where its training has more seeds.

    Args:
        sides: the runs that are compared.
        runs: all runs that there are.

    Returns:
        ``run``, ``measure``, ``epoch``, ``seeds``, ``low`` and ``high``: over the seeds, the run
        itself among them, as far as all were trained.
    """
    infos = [run.info for run in runs if run.info is not None]
    trainings = [training_of_run(info) for info in infos]
    rows: list[dict[str, Any]] = []
    for side in sides:
        own = training_of_run(side.info)
        alike = [info for info, other in zip(infos, trainings, strict=True) if other == own]
        seeds = {info.seed for info in alike}
        if len(seeds) < 2:
            continue
        for measure in _MEASURES:
            _, low, high = mean_and_range([_values(info, measure) for info in alike])
            rows += [
                {"run": side.name, "measure": measure, "epoch": epoch, "seeds": len(seeds)}
                | {"low": float(low[epoch - 1]), "high": float(high[epoch - 1])}
                for epoch in range(1, len(low) + 1)
            ]
    columns = ["run", "measure", "epoch", "seeds", "low", "high"]
    return pd.DataFrame(rows, columns=columns).dropna()


def _values(info: RunInfo, measure: str) -> list[float]:
    """A value for each epoch from the first, NaN where none was taken."""
    taken = {point.epoch: _value(point, measure) for point in info.curve}
    return [taken.get(epoch, np.nan) for epoch in range(1, max(taken, default=0) + 1)]


def _value(point: CurvePoint, measure: str) -> float:
    value: float | None = getattr(point, measure)
    return np.nan if value is None else value


def band_trace(side: Side, table: pd.DataFrame, measure: str) -> dict[str, Any] | None:
    """The band of a run as a surface behind the lines; None where it has none."""
    part = table[(table["run"] == side.name) & (table["measure"] == measure)]
    if part.empty:
        return None
    epochs, low, high = (part[name].to_numpy() for name in ("epoch", "low", "high"))
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.concatenate([epochs, epochs[::-1]]),
        "y": np.concatenate([high, low[::-1]]),
        "fill": "toself",
        "fillcolor": look_of(side.letter).colour,
        "opacity": 0.18,
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
    }
