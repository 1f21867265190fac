"""The page, from top to bottom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from app import cache, charts, columns, downloads, images, ranges, runpicker
from app.distribution import breakdowns, chances, controls, figures, texts
from app.gallery import gallery, turns
from app.gallery.among import among
from app.gallery.opened import opened, remember
from app.gallery.own import OwnOrder, own_orders
from app.gallery.source import describe, rows_of
from app.gates import said_by_gates, show_doubtful_gates
from app.query import to_query
from app.ranges import ColumnRange
from drnn_core.analysis.loop_counts import counted_moments, counted_steps
from drnn_core.analysis.loops import Order, Selection, Summary, expected_loops
from drnn_core.inference.facts import NetworkFacts
from drnn_core.querying.frames import FrameRecords
from drnn_core.querying.records import Records

_HISTOGRAM, _STEPS, _CLASS_CHART, _GALLERY = "histogram", "steps", "class_chart", "gallery"
_CHANCES = "chances"
_INSPECT = "distribution_inspect"  # index of the image that is to be opened


@dataclass(frozen=True)
class View:
    """What every part of the page looks at."""

    run: cache.Run
    table: cache.Table
    facts: NetworkFacts
    selection: Selection
    among: ColumnRange | None = None

    @cached_property
    def records(self) -> Records:
        """Those in the range of a column, where one is set."""
        every = self.table.records
        if self.among is None:
            return every
        assert isinstance(every, FrameRecords)  # ``ranges`` has none of records on the disk
        return every.among(self.among.kept)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the run's classes."""
        assert self.run.info is not None
        return self.run.info.classes

    def loop_counts(self, *but: str) -> NDArray[np.int64]:
        """Images by loops, that the filters leave, some of them set aside."""
        return self.records.loop_counts(self.without(*but))

    def without(self, *but: str) -> Selection:
        """The filters, some of them set aside."""
        return self.selection.without(*but)


def show() -> None:
    """Draw the page for the chosen run."""
    run = runpicker.require_run()
    texts.heading(run)
    table = texts.require_records(run)
    facts = cache.facts(run)
    assert run.info is not None
    selection = controls.sidebar_filters(run.info.classes, facts)
    view = View(run, table, facts, selection, ranges.column_range(run, table))
    texts.key_figures(run, table, facts)
    if not any(facts.asks):
        texts.one_path(facts)
        _gallery(view)
        return
    left, right = st.columns([3, 2], gap="large")
    top = left.container()
    with left:  # first, so that pictures are on their way while charts are drawn
        _gallery(view)
    turns.wait(_GALLERY)
    with top:
        _histogram(view)
    with right:
        _steps(view)
        _classes(view)


def _histogram(view: View) -> None:
    counts, everything = view.loop_counts("loops"), view.table.records.loop_counts(Selection())
    found = Summary(*counted_moments(counts))
    target = view.facts.target
    expected = (
        None if target is None else expected_loops(view.facts.layout, target, view.facts.asks)
    )
    figure = figures.histogram_figure(
        counts,
        None if counts.sum() == everything.sum() else everything,
        view.selection.loops,
        found,
        expected,
        charts.palette(),
    )
    most = view.facts.loops_max
    texts.histogram_title(found, expected, view.facts, counts.sum() < everything.sum())
    charts.show(
        figure,
        f"{view.run.name} loops",
        key=_HISTOGRAM,
        on_select=controls.on_point(
            lambda point: controls.toggle_loops(int(point["x"]), most), _HISTOGRAM
        ),
        selection_mode="points",
        alt=texts.histogram_alt(found, expected),
        data=pd.DataFrame({"loops": np.arange(len(counts)), "images": counts}),
    )


def _steps(view: View) -> None:
    counts = view.records.block_counts(view.without("step"))
    texts.steps_title(int(counts[0].sum()), view.facts)
    if controls.block_view() == controls.SAID:
        _chances(view)
    else:
        _ran(view, counts)
    show_doubtful_gates(view.run, view.table, view.facts)


def _ran(view: View, counts: Sequence[NDArray[np.int64]]) -> None:
    table = counted_steps(counts, view.facts.layout, view.facts.target, view.facts.asks)
    means = [counted_moments(block)[1] for block in counts]

    def pick(point: dict[str, object]) -> None:
        row = table.iloc[int(str(point["point_index"]))]
        controls.toggle_step(str(row["name"]), int(row["loop"]))

    charts.show(
        breakdowns.step_figure(table, means, view.selection.step, charts.palette()),
        f"{view.run.name} blocks",
        key=_STEPS,
        on_select=controls.on_point(pick, _STEPS),
        selection_mode="points",
        alt="share of the images that ran each loop of each block",
        data=table,
    )


def _chances(view: View) -> None:
    said = said_by_gates(view.run, view.table, view.facts)
    charts.show(
        chances.chance_figure(said.chances, charts.palette()),
        f"{view.run.name} gates",
        key=_CHANCES,
        alt="chances to run that each gate gives at each loop",
        data=said.chances,
    )
    texts.chances_note(said.images)


def _classes(view: View) -> None:
    table = view.records.classes(view.without("loops", "labels"), view.classes)
    texts.classes_title(int(table["n"].sum()), len(table))
    if table.empty:
        return
    names = [view.classes[label] for label in view.selection.labels]
    charts.show(
        breakdowns.class_figure(
            table,
            names,
            Summary(*counted_moments(view.loop_counts("loops", "labels"))),
            view.facts.loops_max,
            charts.palette(),
        ),
        f"{view.run.name} classes",
        key=_CLASS_CHART,
        on_select=controls.on_point(
            lambda point: controls.toggle_class(str(point["customdata"][0])), _CLASS_CHART
        ),
        selection_mode="points",
        alt="mean loops of each class with its standard deviation",
        data=table,
    )
    if len(table) > breakdowns.MOST_CLASSES:
        texts.all_classes(table)


@st.fragment
def _gallery(view: View) -> None:
    """The selected images; a fragment, so that looking through them draws no charts anew."""
    with st.container(gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            heading = st.container(width="content")
            st.space("stretch")
            order = controls.order_box(own_orders(view.run, view.table))
            query = _query(view, order)
            rows = rows_of(view.run, view.table, query)
            with heading:
                texts.gallery_title(len(rows), view.table.header.rows)
            _export(view, rows)
        ranged = [view.among.words] if view.among else []
        texts.gallery_filters(view.selection, view.classes, view.facts, ranged)
    if not len(rows):
        texts.nothing_left()
        return
    with st.spinner("Opening the pictures…", show_time=True):
        pictures = images.pictures_of(view.run, view.table)
    address = f"/inspect?{urlencode({'run': view.run.name})}&record="
    source = describe(view.run, view.table, query, pictures, address)
    gallery(source, _GALLERY, opened(rows), _image_changed, _inspect)
    if _INSPECT in st.session_state:
        index = str(st.session_state.pop(_INSPECT))
        st.switch_page("views/inspect.py", query_params={"run": view.run.name, "record": index})


def _query(view: View, order: Order | OwnOrder) -> str:
    if isinstance(order, OwnOrder):
        query = order.appended(to_query(view.selection))
    else:
        query = to_query(view.selection, order)
    return query if view.among is None else among(query, view.among.kept)


def _export(view: View, rows: NDArray[np.int64]) -> None:
    with st.popover("Export", width="content"):
        st.caption(
            f"{len(rows):,} records, in the order shown, with what was measured beside them and "
            "your own columns"
            if not view.table.sampled
            else f"{len(rows):,} records, in the order shown"
        )
        downloads.tables(
            view.run.name,
            lambda: columns.at(view.run, view.table, rows),
            "records_export",
            "Records",
        )


def _image_changed() -> None:
    remember(_GALLERY)


def _inspect() -> None:
    st.session_state[_INSPECT] = st.session_state[_GALLERY].get("inspect")
