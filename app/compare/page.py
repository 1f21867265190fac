"""The page "Compare", from top to bottom: two to four runs beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app import cache, charts, downloads, runpicker
from app.compare import (
    controls,
    curves,
    distributions,
    figures_table,
    key_figures,
    looks,
    measures,
    others,
    pareto,
    reliability,
    spots,
    tests_table,
    texts,
)
from app.compare.bands import band_table
from app.compare.onepair import show_pairs
from app.compare.sides import Side, sides_of
from drnn_core.analysis.bootstrap import Estimate
from drnn_core.store.repeats import data_set_of

_TABLE = "compare_figures"


def show() -> None:
    """Draw the page for the chosen run and those beside it."""
    run = runpicker.require_run()
    looks.style()
    st.title("Compare", anchor=False)
    if len(cache.list_runs()) < 2:
        texts.nobody_else()
        return
    beside = others.others_control(run)
    with st.spinner("Reading the records…", show_time=True):
        sides, said = sides_of([run, *beside])
    texts.what_is_missing(said)
    if not sides:
        return
    if len(sides) < 2:
        texts.nobody_chosen()
        _pareto(sides)
        return
    # Two runs leave room beside their table.
    few = len(sides) == 2
    left, right = st.columns([9, 8], gap="large") if few else (st.container(), st.container())
    with left:
        table = st.empty()
    _figures(table, sides, [measures.known_calibration(side) for side in sides])
    with right:
        beneath = [st.container(), st.container()] if few else st.columns(2, gap="large")
    with beneath[0]:
        _tests(sides)
    st.divider()
    show_pairs(sides)
    with beneath[1]:
        _distributions(sides)
    st.divider()
    left, right = st.columns(2, gap="large")
    with left:
        _pareto(sides)
    with right:
        calibration_place = st.container()
    _curves(sides)
    # Last, because its intervals take longest; the rest of the page is there meanwhile.
    with calibration_place:
        calibration = _reliability(sides)
    _figures(table, sides, calibration, "final")


def _figures(
    place: Any, sides: Sequence[Side], calibration: Sequence[Estimate | None], turn: str = "first"
) -> None:
    rows = key_figures.rows_of(sides, calibration)
    with place.container(key=f"{_TABLE}_{turn}"):
        st.html(figures_table.table_html(sides, rows))
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.popover("⤓ Save", type="tertiary", width="content"):
                name = " and ".join(side.name for side in sides)
                frame = figures_table.table_frame(sides, rows)
                downloads.tables(name, frame, f"{_TABLE}_{turn}")
            with st.popover("What the rows mean", type="tertiary", width="content"):
                st.html(figures_table.meanings_html(rows))


def _tests(sides: Sequence[Side]) -> None:
    first = sides[0]
    tests = measures.tests_against(first, sides[1:])
    tests_table.title(first, tests)
    st.html(tests_table.table_html(first, tests))
    tests_table.verdict(first, tests)


@st.fragment
def _distributions(sides: Sequence[Side]) -> None:
    looping = [side for side in sides if side.facts.loops_max and side.table is not None]
    texts.distribution_title(looping)
    if not looping:
        texts.nobody_loops()
        return
    depths = {side.facts.loops_max for side in looping}
    axis = controls.axis_control() if len(depths) > 1 else "loops"
    table = distributions.distribution_table(looping)
    charts.show(
        distributions.distribution_figure(looping, table, axis, charts.palette()),
        "loops of " + " and ".join(side.name for side in looping),
        key="compare_loops",
        data=table,
        alt=distributions.distribution_alt(looping, table),
    )
    texts.no_loops(sides)


@st.fragment
def _pareto(sides: Sequence[Side]) -> None:
    runs = cache.list_runs()
    title = st.empty()
    cost = controls.cost_control()
    with st.spinner("Counting parameters…", show_time=True):
        found = spots.spots_of(runs, sides, cost)
    with title:
        texts.pareto_title(data_set_of(sides[0].info), len(found))
    charts.show(
        pareto.pareto_figure(found, cost, charts.palette()),
        f"error over {cost}",
        key="compare_pareto",
        data=spots.pareto_table(found, cost),
        on_select=controls.on_point(
            lambda point: others.toggle_run(str(point["customdata"][0])), "compare_pareto"
        ),
        selection_mode="points",
        alt=spots.pareto_alt(found, cost),
    )
    there = {name for spot in found for name in spot.names}
    texts.not_in_plot([side for side in sides if side.name not in there])
    if st.session_state.pop(others.TOGGLED, False):
        st.rerun(scope="app")  # the choice of runs is outside of this fragment


def _reliability(sides: Sequence[Side]) -> list[Estimate | None]:
    recorded = [side for side in sides if side.table is not None]
    place = st.container()
    with st.spinner("Intervals of the calibration error…", show_time=True):
        errors = {side.letter: measures.calibration_of(side) for side in recorded}
    with place:
        texts.reliability_title([errors[side.letter] for side in recorded], recorded)
        if recorded:
            table = reliability.reliability_table(recorded)
            charts.show(
                reliability.reliability_figure(
                    recorded, table, [errors[s.letter] for s in recorded], charts.palette()
                ),
                "calibration of " + " and ".join(side.name for side in recorded),
                key="compare_calibration",
                data=table,
                alt="share of right answers against confidence, a curve for each run",
            )
        else:
            st.info("None of these runs has records: confidences are not known.")
    return [errors.get(side.letter) for side in sides]


def _curves(sides: Sequence[Side]) -> None:
    table, bands = curves.curve_table(sides), band_table(sides, cache.list_runs())
    texts.curves_title()
    if table.empty:
        texts.no_curves()
        return
    there: list[curves.Measure] = [
        measure for measure in curves.MEASURES if table[measure].notna().any()
    ]
    for measure, column in zip(there, st.columns(len(there), gap="medium"), strict=True):
        with column:
            charts.show(
                curves.curve_figure(sides, table, measure, charts.palette(), bands),
                f"{measure} of " + " and ".join(side.name for side in sides),
                key=f"compare_{measure}",
                data=table,
                alt=curves.curve_alt(sides, table, measure),
            )
    texts.bands(sides, dict(zip(bands["run"], bands["seeds"], strict=True)))
