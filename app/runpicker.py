"""The choice of the run: one select box in the sidebar, shared by all pages, in the URL as run=."""

from __future__ import annotations

import streamlit as st

from app.cache import Run, list_runs
from app.settings import settings

_KEY = "run"


def choose_run() -> None:
    """Draw the choice in the sidebar; called once, by ``main.py``, before the page runs."""
    runs = {run.name: run for run in list_runs()}
    if not runs:
        return
    names = list(runs)
    if st.session_state.get(_KEY, names[0]) not in runs:
        del st.session_state[_KEY]
    sound = next((run.name for run in runs.values() if run.info), names[0])
    st.sidebar.selectbox(
        "Run",
        names,
        index=names.index(sound),
        key=_KEY,
        bind="query-params",
        format_func=lambda name: title_of(runs[name]),
    )


def chosen_run() -> Run | None:
    """The chosen run (perhaps a damaged one), or None when the folder holds none."""
    runs = {run.name: run for run in list_runs()}
    return runs.get(st.session_state.get(_KEY, ""))


def title_of(run: Run) -> str:
    """How the run is called on the screen."""
    return f"{run.info.title}" if run.info else f"{run.name} (damaged)"


def require_run() -> Run:
    """The chosen run, or a page that says what is missing and stops."""
    run = chosen_run()
    if run is None:
        st.info(
            f"There is no run in {settings().runs}. Train one with `drnn train RECIPE --data D "
            "--out RUN`, or start the app with `--runs FOLDER`."
        )
        st.stop()
    if run.info is None:
        st.error(f"The run {run.name} cannot be opened: {run.problem}")
        st.stop()
    return run
