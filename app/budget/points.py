"""What is known of operating points: stored in the run, found by jobs, or bounds from records."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from app import cache
from app.headlines import headline_of
from app.images import Pictures
from app.jobs import JOBS, Job, Tell, me
from drnn_core.analysis.budget import (
    Bounds,
    Floats,
    bounds,
    chances_of,
    even_stops,
    telling_thresholds,
    threshold_table,
)
from drnn_core.analysis.replay import RECORDED_THRESHOLD
from drnn_core.inference.facts import NetworkFacts
from drnn_core.querying.headline import Headline
from drnn_core.store.budget import BUDGET, read_budget

if TYPE_CHECKING:
    from drnn_core.commands.curves import Point

_KEPT = 12
_SECONDS_KEPT = 3600

Thresholds = tuple[float, ...]


@dataclass(frozen=True)
class View:
    """The run, and what the page knows of it.

    Attributes:
        run, table, facts: of the run.
        images: that pass through the network when it runs anew.
        stored: points of the run's budget.json, by threshold.
        problem: why that cannot be used, or "".
    """

    run: cache.Run
    table: cache.Table
    facts: NetworkFacts
    images: int
    stored: dict[float, Point]
    problem: str

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the run's classes."""
        assert self.run.info is not None
        return self.run.info.classes

    def uniform(self, threshold: float) -> Thresholds:
        """One threshold as one for each block."""
        return (threshold,) * len(self.facts.layout)

    def key(self, thresholds: Thresholds, images: int | None = None) -> Hashable:
        """Of a job: all that its result depends on."""
        weights = cache.stamp_of(self.run.folder / "model.safetensors")
        count = self.images if images is None else images
        return ("point", self.run.folder, weights, self.table.stamp, thresholds, count)

    def job(self, thresholds: Thresholds) -> Job | None:
        """The job that runs the chosen number of images under these thresholds."""
        return JOBS.get(self.key(thresholds))

    def point(self, thresholds: Thresholds) -> Point | None:
        """What the network did under these thresholds, of the chosen images; else of all.

        Where every image keeps its path, the intervals are those that other pages show.
        """
        found = self._measured(thresholds)
        return found and as_recorded(found, self.headline)

    @property
    def headline(self) -> Headline:
        """Of all records, with the intervals that other pages show."""
        return headline_of(self.run, self.table)

    def _measured(self, thresholds: Thresholds) -> Point | None:
        whole = len(self.table.frame)
        for count in dict.fromkeys((self.images, whole)):
            job = JOBS.get(self.key(thresholds, count))
            if job is not None and job.state == "done":
                return job.result
            single = set(thresholds)
            if count == whole and len(single) == 1 and (found := self.stored.get(single.pop())):
                return found
        return None

    def curve(self) -> dict[float, Point]:
        """Points of one threshold for all gates, rising; those of all images first."""
        found: dict[float, Point] = {}
        for threshold in sorted({*self.stored, *self.grid, *_asked(self.run)}):
            if point := self.point(self.uniform(threshold)):
                found[threshold] = point
        return found

    @property
    def grid(self) -> Thresholds:
        """Thresholds that make a curve."""
        return _grid(self.run.folder, self.table.stamp, self.table)

    @property
    def chances(self) -> Floats:
        """Recorded probabilities of the gates: ``analysis.budget.chances_of``."""
        return _chances(self.run.folder, self.table.stamp, self.table)

    @property
    def stops(self) -> Thresholds:
        """Where the sliders stop: evenly by the recorded decisions, and wherever was measured."""
        return stops_of(self.run, self.table)

    @property
    def limits(self) -> pd.DataFrame:
        """Bounds along one threshold for all gates: ``analysis.budget.threshold_table``."""
        return _limits(self.run.folder, self.table.stamp, self.table, self.facts)

    def bounds(self, thresholds: Thresholds) -> Bounds:
        """What the records tell of these thresholds."""
        return _bounds(self.run.folder, self.table.stamp, self.table, self.facts, thresholds)


def open_view(run: cache.Run, table: cache.Table, facts: NetworkFacts, images: int) -> View:
    """Everything that the page looks at; a budget.json of other weights or images is left out."""
    stamp = cache.stamp_of(run.folder / BUDGET)
    stored, problem = _stored(run.folder, stamp, table)
    return View(run, table, facts, images, stored, problem)


def as_recorded(point: Point, known: Headline) -> Point:
    """A point at which no image ran anew, with the intervals of the records' own means."""
    if point.anew or point.found.n != known.error.n:
        return point
    share = known.error
    error = replace(share, value=100 * share.value, low=100 * share.low, high=100 * share.high)
    return replace(
        point, found=replace(point.found, error=error, loops=known.loops, macs=known.macs)
    )


def stops_of(run: cache.Run, table: cache.Table) -> Thresholds:
    """As ``View.stops``."""
    stored, _ = _stored(run.folder, cache.stamp_of(run.folder / BUDGET), table)
    chances = _chances(run.folder, table.stamp, table)
    return even_stops(chances, (*stored, *_asked(run)))


def start(view: View, thresholds: Thresholds, pictures: Pictures) -> None:
    """Run the network anew in the background; the session waits for it."""
    work = _work(view, thresholds, pictures)
    JOBS.start(view.key(thresholds), work, me())
    if len(set(thresholds)) == 1:
        _asked(view.run).add(thresholds[0])


def waiting(view: View, wanted: Sequence[Thresholds]) -> list[tuple[Thresholds, Job]]:
    """The jobs of some thresholds that this session waits for."""
    jobs = [(thresholds, view.job(thresholds)) for thresholds in wanted]
    return [
        (thresholds, job)
        for thresholds, job in jobs
        if job is not None and not job.ended and me() in job.watchers
    ]


def _asked(run: cache.Run) -> set[float]:
    """Thresholds beside the grid that this session had run anew."""
    return st.session_state.setdefault("budget_asked", {}).setdefault(run.name, set())


def _work(view: View, thresholds: Thresholds, pictures: Pictures) -> Callable[[Tell], Point]:
    run, frame, images = view.run, view.table.frame, view.images

    def work(tell: Tell) -> Point:
        from drnn_core.analysis.sampling import spread_sample
        from drnn_core.commands.curves import measure_point
        from drnn_core.inference.thresholds import taking_turns

        assert run.info is not None
        network = cache.predictor(run).network
        some = frame.iloc[spread_sample(len(frame), images)]
        return measure_point(
            network, run.info, some, pictures.images, thresholds, tell, taking_turns
        )

    return work


@st.cache_resource(max_entries=_KEPT, ttl=_SECONDS_KEPT, show_spinner=False)
def _stored(
    folder: Path, stamp: tuple[int, int], _table: cache.Table
) -> tuple[dict[float, Point], str]:
    del stamp
    try:
        curve = read_budget(folder)
    except (ValueError, OSError) as error:
        return {}, f"The curve that the run holds cannot be used: {error}"
    if curve is None:
        return {}, ""
    if not curve.is_of(_table.header):
        return {}, "The curve that the run holds is of other weights or images than its records."
    from drnn_core.commands.curves import restored

    return {point.threshold: restored(curve, point) for point in curve.points}, ""


@st.cache_resource(max_entries=_KEPT, ttl=_SECONDS_KEPT, show_spinner=False)
def _grid(folder: Path, stamp: str, _table: cache.Table) -> Thresholds:
    del folder, stamp
    return telling_thresholds(_table.frame)


@st.cache_resource(max_entries=_KEPT, ttl=_SECONDS_KEPT, show_spinner=False)
def _chances(folder: Path, stamp: str, _table: cache.Table) -> Floats:
    del folder, stamp
    return chances_of(_table.frame)


@st.cache_resource(max_entries=_KEPT, ttl=_SECONDS_KEPT, show_spinner=False)
def _limits(folder: Path, stamp: str, _table: cache.Table, _facts: NetworkFacts) -> pd.DataFrame:
    inner = _grid(folder, stamp, _table)
    # one half itself, and what lies right beside it: there the bounds open at once
    near = [RECORDED_THRESHOLD - 1e-6, RECORDED_THRESHOLD, RECORDED_THRESHOLD + 1e-6]
    thresholds = sorted({*even_stops(_chances(folder, stamp, _table)), *near, *inner})
    return threshold_table(_table.frame, _facts.cost, thresholds)


@st.cache_resource(max_entries=32 * _KEPT, ttl=_SECONDS_KEPT, show_spinner=False)
def _bounds(
    folder: Path,
    stamp: str,
    _table: cache.Table,
    _facts: NetworkFacts,
    thresholds: Thresholds,
) -> Bounds:
    del folder, stamp
    return bounds(_table.frame, _facts.cost, thresholds)
