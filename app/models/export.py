"""Downloads: a table of the page with every figure at full length, and the runs beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from app.models.ours import OwnRun, OwnTraining
from app.models.points import Point
from app.models.shown import shown_results
from app.models.tables import Model, View


def models_table(
    view: View, groups: Mapping[str, Sequence[Model]], trainings: Sequence[OwnTraining]
) -> pd.DataFrame:
    """A row for each network: counts, what the paper prints, and our result.

    Parameters and multiply-adds are counts, the paper's too; accuracies and errors in %.
    """
    shown = shown_results(view, groups, trainings)
    rows = [
        _line(group, model, next(iter(shown[model.name]), None))
        for group, models in groups.items()
        for model in models
    ]
    return pd.DataFrame(rows)


def runs_table(runs: Sequence[OwnRun]) -> pd.DataFrame:
    """A row for each run: what was trained on what, and what its test split gave."""
    rows = [{"run": run.name, "network": run.info.model, **_measured(run)} for run in runs]
    return pd.DataFrame(rows)


def points_table(points: Sequence[Point]) -> pd.DataFrame:
    """A row for each point of a plot; accuracy in %, parameters and multiply-adds as counts."""
    return pd.DataFrame([asdict(point) for point in points]).drop(columns="hover", errors="ignore")


def _line(group: str, model: Model, run: OwnTraining | None) -> dict[str, Any]:
    recipe, paper = model.recipe, model.paper
    line: dict[str, Any] = {
        "group": group,
        "network": model.name,
        "title": recipe.title,
        "dataset": recipe.dataset,
        "blocks": "-".join(map(str, recipe.blocks)),
        "loops": "-".join(map(str, recipe.loops)),
        "target": recipe.target,
        "counterpart": recipe.counterpart,
        "params": model.params,
        "params_paper_accounting": model.params_as_paper,
        "params_printed": _times(paper.params, 1e6),
        "macs_max": model.macs_max,
        "macs_expected": model.macs_expected,
        "macs_printed": _times(paper.flops, 1e9),
        "loops_max": model.loops_max,
        "loops_expected": model.loops_expected,
        "error_printed": paper.error,
        "top1_printed": paper.top1,
        "top5_printed": paper.top5,
        "run": None if run is None else run.name,
    }
    return line | ({} if run is None else {f"run_{k}": v for k, v in _measured(run).items()})


def _measured(run: OwnRun | OwnTraining) -> dict[str, Any]:
    metrics = run.metrics
    return {
        "changed": "; ".join(run.changed),
        "dataset": run.info.dataset,
        "epochs": run.info.epochs,
        "recipe": run.info.recipe_name,
        "seed": run.seeds,
        "images": metrics.n,
        "error": metrics.error,
        "error_top5": metrics.error_top5,
        "loops_mean": metrics.loops_mean,
        "loops_std": metrics.loops_std,
        "loops_max": metrics.loops_max,
        "rate": metrics.rate,
        "target": metrics.target,
        "macs_mean": metrics.macs_mean,
    }


def _times(value: float | None, unit: float) -> int | None:
    return None if value is None else round(value * unit)
