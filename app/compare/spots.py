"""The trainings at hand on one data set with what they cost and how often they err."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev

import numpy as np
import pandas as pd

from app import cache
from app.cache import Run
from app.compare.controls import Cost
from app.compare.looks import short
from app.compare.sides import Side
from app.models.tables import short_title
from app.units import macs_text, params_text
from drnn_core.analysis.bootstrap import Estimate
from drnn_core.analysis.frontier import frontier
from drnn_core.analysis.shares import wilson
from drnn_core.store.repeats import changes_of, data_set_of, repeats_of
from drnn_core.store.runs import RunInfo

_LEVEL = 0.95


@dataclass(frozen=True)
class Spot:
    """A training in the plot: the mean over its seeds.

    Attributes:
        names: of the runs' folders, by seed.
        title: of its network.
        changed: fields in which that differs from the registered one, such as "norm = lvbn".
        recipe: of the training, for example "long".
        epochs: of the training.
        letters: of those of its runs that are compared, such as "A" or "AB"; else "".
        picked: name of the run that a click takes in or out.
        cost: multiply-adds or parameters.
        error: mean share of wrong answers, with Wilson's interval of that share of the test images:
            it is over images, as wide as that of one run, and not over seeds.
        errors: in %, by seed.
        again: it repeats a seed of another training here that is else the same.
        best: it is on the frontier.
        label: that tells it from the others; with recipe and epochs where it takes these.
    """

    names: tuple[str, ...]
    title: str
    changed: tuple[str, ...]
    recipe: str
    epochs: int
    letters: str
    picked: str
    cost: float
    error: Estimate
    errors: Mapping[int, float]
    again: bool
    best: bool = False
    label: str = ""

    @property
    def way(self) -> str:
        """Recipe and epochs, such as "long 50"."""
        return f"{self.recipe} {self.epochs:,}".strip()


def spots_of(runs: Sequence[Run], sides: Sequence[Side], cost: Cost) -> list[Spot]:
    """All trainings on the data set of the first side, cheapest first; as their run.json say."""
    data_set = data_set_of(sides[0].info)
    here: dict[str, tuple[RunInfo, float]] = {}
    for run in runs:
        if run.info is not None and data_set_of(run.info) == data_set:
            spent = _cost(run, run.info, cost)
            if spent is not None:
                here[run.name] = (run.info, spent)
    found = [_spot(names, here, sides, again) for names, again in _trainings(here)]
    found = _labelled(sorted(found, key=lambda spot: (spot.cost, spot.names)))
    # A seed that was trained again would be a second draw for the same place on the frontier.
    counted = [spot for spot in found if not spot.again]
    places = frontier([spot.cost for spot in counted], [spot.error.value for spot in counted])
    best: set[tuple[str, ...]] = {counted[int(place)].names for place in places}
    return [replace(spot, best=spot.names in best) for spot in found]


def _trainings(here: Mapping[str, tuple[RunInfo, float]]) -> list[tuple[tuple[str, ...], bool]]:
    """Names of runs that differ in nothing but the seed and were tested on as many images.

    A seed that was trained again stands alone, with True.
    """
    found: list[tuple[tuple[str, ...], bool]] = []
    for n in sorted({info.metrics.test.n for info, _ in here.values()}):
        infos = {name: info for name, (info, _) in here.items() if info.metrics.test.n == n}
        for each in repeats_of(infos):
            found.append((tuple(each.names.values()), False))
            found += [((name,), True) for name in each.others]
    return found


def _spot(
    names: tuple[str, ...],
    here: Mapping[str, tuple[RunInfo, float]],
    sides: Sequence[Side],
    again: bool,
) -> Spot:
    infos = [here[name][0] for name in names]
    errors = [info.metrics.test.error for info in infos]
    return Spot(
        names=names,
        title=infos[0].title,
        changed=changes_of(infos[0]),
        recipe=infos[0].recipe_name.rpartition("_")[2],
        epochs=infos[0].epochs,
        letters="".join(side.letter for side in sides if side.name in names),
        picked=_picked(names, infos, sides),
        cost=fmean(here[name][1] for name in names),
        error=_over_images(fmean(errors) / 100, infos[0].metrics.test.n),
        errors={info.seed: error for info, error in zip(infos, errors, strict=True)},
        again=again,
    )


def _picked(names: Sequence[str], infos: Sequence[RunInfo], sides: Sequence[Side]) -> str:
    """A compared run, to be taken out; else the seed of the first side, else the first."""
    first, *others = sides
    compared = [side.name for side in others if side.name in names]
    free = [name for name in names if name != first.name]
    alike = [n for n, info in zip(names, infos, strict=True) if info.seed == first.info.seed]
    return next(iter([*compared, *(n for n in alike if n in free), *free, *names]))


def _labelled(spots: Sequence[Spot]) -> list[Spot]:
    """With recipe and epochs where some took longer or a network was trained in several ways."""
    times = Counter((spot.title, spot.changed) for spot in spots if not spot.again)
    mixed = len({spot.epochs for spot in spots}) > 1

    def label(spot: Spot) -> str:
        said = [spot.way] if mixed or times[spot.title, spot.changed] > 1 else []
        return ", ".join([short(short_title(spot.title)), *spot.changed, *said])

    return [replace(spot, label=label(spot)) for spot in spots]


def _cost(run: Run, info: RunInfo, cost: Cost) -> float | None:
    if cost == "multiply-adds":
        return info.metrics.test.macs_mean
    try:
        return float(cache.facts(run).cost.params)
    except ValueError:  # run.json names a network that cannot be built
        return None


def _over_images(share: float, n: int) -> Estimate:
    low, high = wilson([share * n], [n], _LEVEL)
    return Estimate(share, float(low[0]), float(high[0]), n, _LEVEL)


def label_of(spot: Spot, label: str | None = None) -> str:
    """Its name in the plot, with the letters of what is compared; by ``label`` if one is given."""
    name = spot.label if label is None else label
    return f"{', '.join(spot.letters)} {name}".strip()


def pareto_table(spots: Sequence[Spot], cost: Cost) -> pd.DataFrame:
    """The same as numbers, a row for each training; the deviation over seeds is with n - 1."""
    column = "macs_mean" if cost == "multiply-adds" else "parameters"
    return pd.DataFrame(
        {
            "runs": [" ".join(spot.names) for spot in spots],
            "title": [spot.title for spot in spots],
            "changed": ["; ".join(spot.changed) for spot in spots],
            "recipe": [spot.recipe for spot in spots],
            "epochs": [spot.epochs for spot in spots],
            "seeds": [len(spot.errors) for spot in spots],
            column: [spot.cost for spot in spots],
            "error": [100 * spot.error.value for spot in spots],
            "error_low_over_images": [100 * spot.error.low for spot in spots],
            "error_high_over_images": [100 * spot.error.high for spot in spots],
            "error_std_over_seeds": [
                stdev(spot.errors.values()) if len(spot.errors) > 1 else np.nan for spot in spots
            ],
            "images": [spot.error.n for spot in spots],
            "frontier": [spot.best for spot in spots],
        }
    )


def pareto_alt(spots: Sequence[Spot], cost: Cost) -> str:
    """The figure in words."""
    write = macs_text if cost == "multiply-adds" else params_text
    said = [
        f"{label_of(spot)} {100 * spot.error.value:.2f} % at {write(spot.cost)}"
        + (f", mean of {len(spot.errors)} seeds" if len(spot.errors) > 1 else "")
        + (", on the frontier" if spot.best else "")
        for spot in spots
    ]
    return f"test error against {cost}: {'; '.join(said)}"
