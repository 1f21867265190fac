"""The page "Your columns", from top to bottom: a table dropped, related, and kept if wished."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app import cache, charts, columns, downloads, runpicker
from app.distribution.texts import require_records
from app.gates import show_doubt_about_loops
from app.joining import figures, keeping, subject, texts
from app.joining.intake import MOST_COLUMNS, join
from app.joining.subject import GENERATION, View
from app.markdown import escaped
from drnn_core.analysis.outside import LOOPS, OutsideColumn, binned_loops
from drnn_core.store.measures import MeasuresError

COLUMN = "column"
_JOINED = "joining_joined"  # id of the file that was
_REFUSED = "joining_refused"  # ((id of a file, name of the run that did not take it), why)
_RELATIONS, _ALONG = "joining_relations", "joining_along"
_AT_ONCE = 8  # columns that are related unasked


def show() -> None:
    """Draw the page for the chosen run."""
    run = runpicker.require_run()
    texts.heading(run)
    table = require_records(run)
    texts.lead()
    _uploader(run, table)
    view = subject.open_view(run, table)
    for problem in columns.problems(run, table):
        st.caption(problem)
    if view.joined is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{view.joined.source}**", width="content")
            st.button("Forget this table", on_click=_forget, args=(view,), type="tertiary")
        texts.matched(view.joined)
        texts.elsewhere(table.sampled)
    if view.names:
        texts.one_path(view)
        show_doubt_about_loops(run, table, cache.facts(run))
        _relations(view)
    keeping.panel(view)


def _uploader(run: cache.Run, table: cache.Table) -> None:
    """Take a file, once; what is wrong with it for this run stands here until another comes."""
    state = st.session_state
    generation = state.get(GENERATION, 0)
    upload = st.file_uploader(
        "Your table",
        type=["csv", "parquet", "pq"],
        key=f"joining_file_{generation}",
        label_visibility="collapsed",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container():
            texts.what_to_drop(table)
        st.download_button(
            "Template as CSV",
            lambda: downloads.csv_bytes(template(table, _classes(run))),
            f"{run.name} template.csv",
            on_click="ignore",
            help="The ids and class names of this run's images, with an empty column to fill in.",
        )
    if upload is None:
        return
    here = upload.file_id, run.name
    if upload.file_id != state.get(_JOINED) and state.get(_REFUSED, ("", ""))[0] != here:
        _take(run, table, upload)
    refused, problem = state.get(_REFUSED, ("", ""))
    if refused == here:
        st.error(f"This table cannot be used: {escaped(problem)}")
    elif columns.brought_of(run) is None:
        texts.of_other_images(upload.name)


def _take(run: cache.Run, table: cache.Table, upload: UploadedFile) -> None:
    """Join a file to the run; or remember why it cannot be, which says nothing of other runs."""
    taken = subject.taken_names(run, table)
    fingerprint = table.header.data_fingerprint
    try:
        with st.spinner("Reading the table…", show_time=True):
            joined = join(upload.getvalue(), upload.name, table.frame, fingerprint, taken)
    except MeasuresError as error:
        st.session_state[_REFUSED] = (upload.file_id, run.name), str(error)
    else:
        st.session_state[_JOINED] = upload.file_id
        st.session_state.pop(_REFUSED, None)
        subject.bring(run, joined)


def template(table: cache.Table, classes: Sequence[str]) -> pd.DataFrame:
    """The run's images and an empty column."""
    frame = table.frame
    names = np.array(classes, dtype=object)[frame["label"].to_numpy()]
    return pd.DataFrame({"id": frame["id"], "label": names, "value": ""})


def _relations(view: View) -> None:
    names = list(view.names)
    if len(names) > _AT_ONCE:
        names = st.multiselect(
            "Columns to relate", names, names[:_AT_ONCE], key="joining_names",
            bind="query-params",
            help=f"Each takes a second or two; at most {MOST_COLUMNS}.",
        )  # fmt: skip
    if not names:
        st.caption("Choose a column.")
        return
    found = _found(view, names)
    images = max(one.loops.n for one in found)
    left, right = st.columns([3, 2], gap="large")
    table, reliabilities = st.container(), st.container()
    with reliabilities:
        found = _corrected(view, found)
    with left:
        texts.relations_title(found, subject.resamples_for(images))
        charts.show(
            figures.relations_figure(found, charts.palette()),
            f"{view.run.name} your columns",
            key=_RELATIONS,
            data=lambda: figures.relations_table(found),
            alt="rank correlations of each column with loops, confidence and entropy",
        )
    with right:
        _along(view, found)
    with table:
        texts.relations_table(found)


def _found(view: View, names: Sequence[str]) -> list[OutsideColumn]:
    place = st.empty()
    found: list[OutsideColumn] = []
    place.progress(0.0, f"Relating {names[0]}…")
    for one in subject.related(view, names):
        found.append(one)
        if len(found) < len(names):
            place.progress(len(found) / len(names), f"Relating {names[len(found)]}…")
    place.empty()
    return found


def _corrected(view: View, found: Sequence[OutsideColumn]) -> list[OutsideColumn]:
    """With the reliabilities that the user gives."""
    with st.expander("Reliability, to correct for chance in the measures"):
        asked = st.checkbox("Estimate that of the loops from the halves of the run's blocks")
        halves = subject.reliability_of_loops(view) if asked else None
        st.caption(texts.reliability_help(halves, asked))
        given: dict[str, float] = {}
        labels: Mapping[str, str] = {LOOPS: "loops"} | {one.name: one.name for one in found}
        places = st.columns(4)
        for place, (name, label) in enumerate(labels.items()):
            value = places[place % 4].number_input(
                label, 0.01, 1.0, None, 0.01, key=f"reliability_{name}", placeholder="not given",
                bind="query-params",
            )  # fmt: skip
            if value is not None:
                given[name] = float(value)
    return [one.corrected_by(given) for one in found]


@st.fragment
def _along(view: View, found: Sequence[OutsideColumn]) -> None:
    names = [one.name for one in found]
    if st.session_state.get(COLUMN) not in names:
        st.session_state[COLUMN] = names[0]
    chosen = st.selectbox("Column", names, key=COLUMN, bind="query-params")
    one = found[names.index(chosen)]
    texts.finding(one)
    binned = binned_loops(view.table.frame["loops"].to_numpy(), view.values(chosen))
    if binned.empty:
        return
    texts.binned_title()
    charts.show(
        figures.binned_figure(binned, chosen, cache.facts(view.run).loops_max, charts.palette()),
        f"{view.run.name} loops along {chosen}",
        key=_ALONG,
        data=binned,
        alt=f"mean loops along {chosen}, in {len(binned)} parts",
    )


def _forget(view: View) -> None:
    assert view.joined is not None
    subject.forget(view.run, view.joined.fingerprint)
    subject.empty_box()


def _classes(run: cache.Run) -> tuple[str, ...]:
    assert run.info is not None
    return run.info.classes
