"""The page "Easy & hard" (figure 9), from top to bottom: the pictures, and what separates them."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import cache, charts, columns, filters, images, ranges, runpicker
from app.distribution.texts import require_records
from app.easy_hard import (
    comparison,
    controls,
    findings,
    forest,
    listing,
    overlay,
    prints,
    texts,
    tiles,
)
from app.easy_hard.comparison import Compared, View
from app.gates import show_doubt_about_loops
from app.images import NoPictures, Pictures
from drnn_core.analysis.histograms import two_histograms

_TILES, _FOREST, _DISTRIBUTION = "easy_hard_tiles", "easy_hard_forest", "easy_hard_distribution"
_INSPECT = "easy_hard_inspect"  # index of the image that is to be opened


def show() -> None:
    """Draw the page for the chosen run."""
    run = runpicker.require_run()
    texts.heading(run)
    table = require_records(run)
    texts.sampled(table)
    facts = cache.facts(run)
    assert run.info is not None
    if table.frame["loops"].nunique() < 2:
        texts.one_path(facts)
        return
    show_doubt_about_loops(run, table, facts)
    filters.forget_strangers(run.info.classes)
    with st.sidebar:
        rule = controls.rule_controls(facts.loops_max, comparison.first_limits(table))
        correct, labels = filters.answer_and_classes(run.info.classes)
        among = ranges.column_range(run, table)
    if rule is None:
        texts.limits_touch()
        return
    view = View(run, table, rule, correct, labels, among)
    easy, hard = view.ends
    if not len(easy) + len(hard):
        texts.nothing_left(view)
        return
    texts.key_figures(view)
    waiting = st.empty()
    waiting.caption("Comparing the columns…")
    _gallery(view)  # first, so that there is something to look at while columns are compared
    if min(len(easy), len(hard)) < 2:
        waiting.empty()
        texts.nothing_to_compare(len(easy), len(hard))
        return
    frame = columns.frame(run, table)
    pairs = comparison.compared(view, frame)
    if not pairs:
        waiting.empty()
        texts.no_pairs()
        return
    waiting.markdown("\n\n".join(findings.largest(pairs)), help=texts.DELTA)
    _differences(view, frame, pairs)
    listing.show(forest.forest_table(pairs))
    texts.missing_columns(run, pairs, columns.problems(run, table))


@st.fragment
def _gallery(view: View) -> None:
    """The pictures; a fragment, so that more of them draw no figure anew."""
    with st.container(horizontal=True, vertical_alignment="center"):
        texts.gallery_title(view)
        st.space("stretch")
        rows = controls.rows_box()
        save = st.empty()
    texts.gallery_note(view)
    texts.ties_note(view)
    with st.spinner("Opening the pictures…", show_time=True):
        found = images.pictures_of(view.run, view.table)
    pictures = found if isinstance(found, Pictures) else None
    _contact_sheet(save, view, rows, found)
    if isinstance(found, NoPictures):
        st.caption(found.in_markdown)
    loops_max = cache.facts(view.run).loops_max
    source = tiles.describe(view, rows, loops_max, pictures)
    tiles.show(_TILES, source, _inspect)
    if _INSPECT in st.session_state:
        index = str(st.session_state.pop(_INSPECT))
        st.switch_page("views/inspect.py", query_params={"run": view.run.name, "record": index})


def _inspect() -> None:
    st.session_state[_INSPECT] = st.session_state[_TILES].get("inspect")


def _contact_sheet(
    place: DeltaGenerator, view: View, rows: int, found: Pictures | NoPictures
) -> None:
    there = isinstance(found, Pictures)
    place.download_button(
        "Contact sheet",
        lambda: prints.sheet_of(view, rows, found) if isinstance(found, Pictures) else b"",
        f"{view.run.name} easy and hard.png",
        "image/png",
        on_click="ignore",
        disabled=not there,
        help=(
            "These pictures as one PNG to print: classes, loops, rule and counts with them."
            if there
            else "The contact sheet needs the pictures, which are not at hand: see below."
        ),
    )


@st.fragment
def _differences(view: View, frame: pd.DataFrame, pairs: list[Compared]) -> None:
    """All columns, and one of them in full; a fragment, so that a choice draws no pictures anew."""
    left, right = st.columns([3, 2], gap="large")
    easy, hard = view.ends
    with left:
        texts.forest_title(len(pairs), comparison.resamples_for(len(easy) + len(hard)))
        shown = comparison.chosen(pairs, controls.of_box())
    names = columns.names_of([pair.column for pair in shown])
    with right:
        title = st.container()
        pair = shown[controls.column_box(names)]
    with left:
        charts.show(
            forest.forest_figure(shown, pair.column.name, charts.palette()),
            f"{view.run.name} easy against hard",
            key=_FOREST,
            data=lambda: forest.forest_table(shown),
            on_select=controls.on_row(_FOREST, names),
            selection_mode="points",
            alt=texts.forest_alt(shown),
        )
        st.caption(findings.classes_in(view, pairs))
    values = frame[pair.column.name].to_numpy().astype(float)
    counts = two_histograms(values[easy], values[hard])
    with title:
        texts.distribution_title(pair)
    with right:
        texts.distribution_legend(pair)
        charts.show(
            overlay.distribution_figure(counts, pair, charts.palette()),
            f"{view.run.name} {pair.column.name} easy against hard",
            key=_DISTRIBUTION,
            data=counts,
            alt=texts.distribution_alt(pair),
        )
        texts.distribution_note(pair)
