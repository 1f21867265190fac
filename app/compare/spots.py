"""The runs at hand on one data set with what they cost and how often they err."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from app import cache
from app.cache import Run
from app.compare.controls import Cost
from app.compare.looks import short
from app.compare.sides import Side
from app.units import macs_text, params_text
from drnn_core.analysis.bootstrap import Estimate
from drnn_core.analysis.frontier import frontier
from drnn_core.analysis.shares import share_of
from drnn_core.store.repeats import data_set_of
from drnn_core.store.runs import RunInfo


@dataclass(frozen=True)
class Spot:
    """A run in the plot.

    Attributes:
        name: of its folder.
        title: of its network.
        letter: where it is one of those compared; else "".
        cost: multiply-adds or parameters.
        error: share of wrong answers on its test set.
        best: it is on the frontier.
        epochs: of its training.
    """

    name: str
    title: str
    letter: str
    cost: float
    error: Estimate
    best: bool
    epochs: int


def spots_of(runs: Sequence[Run], sides: Sequence[Side], cost: Cost) -> list[Spot]:
    """All runs on the data set of the first side, cheapest first; as their run.json says."""
    letters = {side.name: side.letter for side in sides}
    data_set = data_set_of(sides[0].info)
    found: list[tuple[Run, RunInfo, float]] = []
    for run in runs:
        if run.info is None or data_set_of(run.info) != data_set:
            continue
        spent = _cost(run, run.info, cost)
        if spent is not None:
            found.append((run, run.info, spent))
    found.sort(key=lambda each: (each[2], each[0].name))
    errors = [_error(info) for _, info, _ in found]
    best = set(frontier([spent for *_, spent in found], [e.value for e in errors]).tolist())
    return [
        Spot(
            run.name,
            info.title,
            letters.get(run.name, ""),
            spent,
            errors[place],
            place in best,
            info.epochs,
        )
        for place, (run, info, spent) in enumerate(found)
    ]


def _cost(run: Run, info: RunInfo, cost: Cost) -> float | None:
    if cost == "multiply-adds":
        return info.metrics.test.macs_mean
    try:
        return float(cache.facts(run).cost.params)
    except ValueError:  # run.json names a network that cannot be built
        return None


def _error(info: RunInfo) -> Estimate:
    test = info.metrics.test
    return share_of(round(test.error * test.n / 100), test.n)


def label_of(spot: Spot) -> str:
    """Its name in the plot."""
    return f"{spot.letter} {short(spot.title)}".strip()


def pareto_table(spots: Sequence[Spot], cost: Cost) -> pd.DataFrame:
    """The same as numbers, a row for each run."""
    column = "macs_mean" if cost == "multiply-adds" else "parameters"
    return pd.DataFrame(
        {
            "run": [spot.name for spot in spots],
            "title": [spot.title for spot in spots],
            column: [spot.cost for spot in spots],
            "error": [100 * spot.error.value for spot in spots],
            "error_low": [100 * spot.error.low for spot in spots],
            "error_high": [100 * spot.error.high for spot in spots],
            "images": [spot.error.n for spot in spots],
            "frontier": [spot.best for spot in spots],
        }
    )


def pareto_alt(spots: Sequence[Spot], cost: Cost) -> str:
    """The figure in words."""
    write = macs_text if cost == "multiply-adds" else params_text
    said = [
        f"{label_of(spot)} {100 * spot.error.value:.2f} % at {write(spot.cost)}"
        + (", on the frontier" if spot.best else "")
        for spot in spots
    ]
    return f"test error against {cost}: {'; '.join(said)}"
