"""The page "Saliency & loops", from top to bottom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from app import cache, charts, columns, filters, images, ranges, runpicker, waiting
from app.distribution.breakdowns import shown_classes
from app.distribution.texts import require_records
from app.gates import show_doubt_about_loops
from app.images import NoPictures, Pictures
from app.saliency import check, controls, examples, figures, measures, overview, texts, work
from app.saliency.subject import Choice, View, view_of
from app.saliency.work import Scene
from app.waiting import Wait, Words
from drnn_core.analysis.evidence import METHODS, Method

_OVERVIEW, _DENSITY, _MEANS, _CLASSES = "overview", "density", "means", "classes"
_HERE = "saliency_here"  # {(run, method): key} of what this session had measured


def show() -> None:
    """Draw the page for the chosen run."""
    run = runpicker.require_run()
    texts.heading(run)
    table = require_records(run)
    texts.sampled(table)
    assert run.info is not None
    selection = controls.sidebar(run.info.classes)
    among = ranges.column_range(run, table)
    view = view_of(run, table, selection, among, _here(run, table))
    for problem in columns.problems(run, table):
        st.warning(problem)
    with st.spinner("Opening the pictures…", show_time=True):
        pictures = images.pictures_of(run, table)
    if table.frame["loops"].nunique() < 2:
        texts.one_path(cache.facts(run))
    elif not view.keep.any():
        texts.nothing_left()
    else:
        show_doubt_about_loops(run, table, cache.facts(run))
        _relations(view, pictures)
    check.show(view, pictures)


@st.fragment
def _relations(view: View, pictures: Pictures | NoPictures) -> None:
    """The matrix and what is chosen in it; a fragment, so that a choice redraws no check."""
    if controls.was_filtered():
        st.rerun(scope="app")
    with st.container(horizontal=True, vertical_alignment="center"):
        texts.overview_title(view)
        over = controls.view_box()
    cells = measures.cells(view, over)
    place = st.container()
    choice = controls.choice_boxes(view)
    with place:
        charts.show(
            overview.overview_figure(cells, view, choice, charts.palette()),
            f"{view.run.name} saliency and loops",
            key=_OVERVIEW,
            data=lambda: overview.overview_table(cells),
            on_select=controls.on_index(
                _OVERVIEW, lambda at: controls.choose(cells[at].method, cells[at].statistic)
            ),
            selection_mode="points",
            alt=overview.overview_alt(cells),
        )
        texts.overview_note(view, cells)
    texts.chosen_title(choice)
    if choice.method is not None and not view.measured(choice.method):
        texts.not_measured(view, choice.method)
        _measure_here(view, choice.method, pictures)
        return
    if choice.method is not None and _was_here(view, choice.method):
        _measure_here(view, choice.method, pictures)
    _chosen(view, choice, pictures)


def _chosen(view: View, choice: Choice, pictures: Pictures | NoPictures) -> None:
    found = measures.related(view, choice)
    texts.key_figures(found, choice)
    texts.finding(found, choice)
    name, colours = f"{view.run.name} {choice.name}", charts.palette()
    left, right = st.columns(2, gap="large")
    with left:
        texts.density_title()
        charts.show(
            figures.density_figure(found, choice.phrase, view.loops_max, colours),
            f"{name} density",
            key=_DENSITY,
            data=lambda: figures.density_table(found.density),
            alt=f"images by loops and {choice.phrase}",
        )
    with right:
        texts.means_title()
        charts.show(
            figures.means_figure(found, choice.phrase, view.loops_max, colours),
            f"{name} means",
            key=_MEANS,
            data=found.means,
            alt=f"mean {choice.phrase} at each number of loops",
        )
    _classes(view, found, name)
    examples.show(view, choice, pictures)


def _classes(view: View, found: measures.Related, name: str) -> None:
    """Each class by itself, as a figure and, for the keyboard and for many, as a table."""
    table = figures.class_table(found, view.classes)
    left, right = st.columns(2, gap="large")
    with left:
        texts.classes_title(len(table))
        _class_figure(found, table, name)
    with right:
        texts.class_table_title()
        st.dataframe(
            table,
            hide_index=True,
            width="stretch",
            height=min(38 + 35 * len(table), 423),
            column_config=texts.class_columns(),
        )


def _class_figure(found: measures.Related, table: pd.DataFrame, name: str) -> None:
    shown = shown_classes(table, st.session_state.get(filters.CLASSES, []))
    there = shown[shown["rho"].notna()]

    def pick(at: int) -> None:
        controls.toggle_class(str(there["name"].iloc[at]))

    charts.show(
        figures.class_figure(shown, found, charts.palette()),
        f"{name} classes",
        key=_CLASSES,
        data=table,
        on_select=controls.on_index(_CLASSES, pick),
        selection_mode="points",
        alt="correlation with loops within each class",
    )


def _measure_here(view: View, method: Method, pictures: Pictures | NoPictures) -> None:
    """Measure a sample on the page, where the pictures are at hand."""
    if isinstance(pictures, NoPictures):
        return
    count = controls.here_box(method)
    mine = st.session_state.setdefault(_HERE, {})
    if count is None:
        mine.pop((view.run.name, method), None)
        work.leave_others(work.SAMPLES, [])
        return
    key = work.sample_key(view, method, count)
    known = mine.get((view.run.name, method)) == key
    try:
        job = work.sample_of(Scene(view, cache.predictor(view.run), pictures), method, count)
    except (ValueError, OSError) as error:
        st.error(f"The network cannot be loaded: {error}")
        return
    mine[view.run.name, method] = key
    work.leave_others(work.SAMPLES, [key])
    if job.state == "failed":
        st.error(f"The images could not be measured: {job.problem}")
    elif not job.ended:
        wait = Wait(work.SAMPLES, (key,), Words("Measuring"))
        waiting.show("saliency_sample", wait, controls.stop_here)
    elif not known:
        st.rerun(scope="app")


def _here(run: cache.Run, table: cache.Table) -> Mapping[str, NDArray[np.float32]]:
    """What this session had measured on the page of a run, as far as it is done."""
    found: dict[str, NDArray[np.float32]] = {}
    for method in METHODS:
        key = st.session_state.get(_HERE, {}).get((run.name, method))
        job = None if key is None else work.SAMPLES.get(key)
        if job is not None and job.state == "done":
            result = cast("dict[str, NDArray[np.float32]]", job.result)
            found |= {n: v for n, v in result.items() if len(v) == len(table.frame)}
    return found


def _was_here(view: View, method: Method) -> bool:
    """Whether the evidence of a method is that of a sample measured on the page."""
    return (view.run.name, method) in st.session_state.get(_HERE, {})
