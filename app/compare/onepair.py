"""The part of the page on one pair: who is right where, loops against loops, and the images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from app import charts, downloads, images, runpicker
from app.compare import controls, crossing, measures, outcomes, texts
from app.compare.pair_figures import pair_figures
from app.compare.sides import Side, unpaired
from app.gallery import beside, gallery, turns
from app.gallery.opened import opened, remember
from app.gallery.own import OwnOrder, own_orders
from app.gallery.source import describe, rows_of
from app.pairs import Pair, pair_of
from drnn_core.analysis.loops_compared import error_by_loops
from drnn_core.analysis.pair_selection import Outcome, PairOrder, PairSelection

_GALLERY = "compare_gallery"
# Where this page keeps what is to be inspected until it can leave.
_INSPECT = "compare_inspect"


@dataclass(frozen=True)
class View:
    """Two sides and their images."""

    a: Side
    b: Side
    pair: Pair

    @property
    def letters(self) -> tuple[str, str]:
        """Of the two."""
        return self.a.letter, self.b.letter

    @property
    def loops(self) -> tuple[int, int]:
        """Most loops of either; 0 where its images all loop alike."""
        a, b = (side.facts.loops_max if side.changes else 0 for side in (self.a, self.b))
        return a, b


def show_pairs(sides: Sequence[Side]) -> None:
    """Draw the part, for the pair that is chosen."""
    texts.pairs_title()
    problems: list[str] = []
    pairs: dict[str, tuple[Side, Side]] = {}
    for a, b in combinations(sides, 2):
        problem = unpaired(a, b)
        if problem:
            problems.append(problem)
        else:
            pairs[f"{a.letter} and {b.letter}"] = (a, b)
    if not pairs:
        texts.no_pairs(problems)
        return
    _show_pair(pairs)


@st.fragment
def _show_pair(pairs: Mapping[str, tuple[Side, Side]]) -> None:
    a, b = pairs[controls.pair_control(list(pairs))]
    view = View(a, b, pair_of(a.run, b.run))
    found = measures.pair_measures(a, b, view.pair)
    texts.pairing_note(view.pair)
    pair_figures(found.agreement, found.relation, view.letters)
    charts_place = st.container()
    selection, order = _choice(view)
    # First, so that pictures are on their way while charts are drawn.
    _gallery(view, selection, order)
    turns.wait(_GALLERY)
    with charts_place:
        left, right = st.columns([2, 3], gap="large")
        with left:
            _outcomes(view, found.outcomes, selection.outcomes)
        with right:
            _loops(view, found.loops, selection)


def _choice(view: View) -> tuple[PairSelection, PairOrder | OwnOrder]:
    assert view.a.table is not None
    own = own_orders(view.a.run, view.a.table)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        return controls.pick_controls(view.letters, view.loops, all(view.loops), own)


def _outcomes(view: View, counts: Mapping[Outcome, int], chosen: tuple[Outcome, ...]) -> None:
    texts.outcome_title(view.letters, len(view.pair.table))

    def pick(point: Mapping[str, Any]) -> None:
        controls.toggle_pick(controls.pick_text((point["customdata"][0],), view.letters))

    charts.show(
        outcomes.outcome_figure(counts, view.letters, chosen, charts.palette()),
        f"{view.a.name} and {view.b.name} right and wrong",
        key="compare_outcomes",
        data=outcomes.outcome_table(counts, view.letters),
        on_select=controls.on_point(pick, "compare_outcomes"),
        selection_mode="points",
        alt=outcomes.outcome_alt(counts, view.letters),
    )


def _loops(view: View, table: NDArray[np.int64], selection: PairSelection) -> None:
    n = len(view.pair.table)
    name = f"loops of {view.a.name} and {view.b.name}"
    if all(view.loops):
        texts.crossing_title(view.letters, n)

        def pick(point: Mapping[str, Any]) -> None:
            a_low, a_high, b_low, b_high = (int(value) for value in point["customdata"][:4])
            controls.toggle_cell((a_low, a_high), (b_low, b_high), view.loops)

        charts.show(
            crossing.crossing_figure(
                crossing.crossing_of(table),
                (view.a, view.b),
                (selection.loops_a, selection.loops_b),
                charts.palette(),
            ),
            name,
            key="compare_crossing",
            data=crossing.crossing_table(table),
            on_select=controls.on_point(pick, "compare_crossing"),
            selection_mode="points",
            alt=f"images by loops in {view.a.letter} and loops in {view.b.letter}",
        )
    elif any(view.loops):
        by, other = (view.a, view.b) if view.a.changes else (view.b, view.a)
        texts.errors_title(by, other)
        found = error_by_loops(view.pair.table, "a" if by is view.a else "b")
        charts.show(
            crossing.errors_figure(found, (view.a, view.b), by, charts.palette()),
            name,
            key="compare_errors",
            data=found,
            alt=f"share of wrong answers of both runs by loops in {by.letter}",
        )
    else:
        texts.nothing_to_cross(view.letters)


def _gallery(view: View, selection: PairSelection, order: PairOrder | OwnOrder) -> None:
    assert view.a.table is not None
    if isinstance(order, OwnOrder):
        query = order.appended(beside.to_query(view.b.run, view.pair, selection, "index"))
    else:
        query = beside.to_query(view.b.run, view.pair, selection, order)
    rows = rows_of(view.a.run, view.a.table, query)
    with st.container(horizontal=True, vertical_alignment="center"):
        texts.gallery_title(len(rows), len(view.pair.table))
        st.button(
            "Reset the choice", on_click=controls.clear, args=(view.loops,), type="tertiary",
            disabled=selection == _DEFAULT,
        )  # fmt: skip
        st.space("stretch")
        with st.popover("Export", width="content"):
            st.caption(f"{len(rows):,} images, in the order shown")
            downloads.tables(
                f"{view.a.name} and {view.b.name}",
                lambda: _in_order(view, rows),
                "compare_images",
            )
    if not len(rows):
        texts.nothing_left()
        return
    with st.spinner("Opening the pictures…", show_time=True):
        pictures = images.pictures_of(view.a.run, view.a.table)
    source = describe(view.a.run, view.a.table, query, pictures, _address(view.a))
    source["pair"] = {"a": _described(view.a), "b": _described(view.b)}
    gallery(source, _GALLERY, opened(rows), _image_changed, _inspect)
    if _INSPECT in st.session_state:
        run, index = st.session_state.pop(_INSPECT)
        st.switch_page("views/inspect.py", query_params={"run": run, "record": str(index)})


def _in_order(view: View, rows: NDArray[np.int64]) -> pd.DataFrame:
    return view.pair.table.set_index("index_a").loc[rows].reset_index()


_DEFAULT = PairSelection(("only a", "only b", "other wrong"))


def _described(side: Side) -> dict[str, Any]:
    """A side as ``gallery/assets/pair.js`` reads it."""
    return {
        "letter": side.letter,
        "name": side.name,
        "title": side.info.title,
        "loopsMax": side.facts.loops_max,
        "inspect": _address(side),
    }


def _address(side: Side) -> str:
    return f"/inspect?{urlencode({'run': side.name})}&record="


def _image_changed() -> None:
    remember(_GALLERY)


def _inspect() -> None:
    """Leave for the Inspect page with the run that was clicked."""
    wanted = st.session_state[_GALLERY].get("inspect")
    if wanted:
        st.session_state[_INSPECT] = (wanted["run"], wanted["index"])
        st.session_state[runpicker.RUN] = wanted["run"]
