"""The choice of the run: a select box in the sidebar that all pages share, ``run=`` in the address.

The folder's name stands in the box and in the address, because two runs may have one title; the
card below the box says what the run is.
"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from app.cache import MOST_IN_MEMORY, SAMPLE, Run, list_runs, recorded, recorded_rows
from app.settings import settings
from drnn_core.store.repeats import data_set_of

RUN = "run"
_WRITTEN = "run_in_address"  # what this module wrote there last
_MISSING = "run_missing"  # (what the address asked for, what is shown in its place)
_ROOM = 20  # letters of a name that the box shows on any screen
_MANY_CLASSES = 100  # of so many, five guesses are a common measure


def choose_run() -> None:
    """Draw the choice in the sidebar; called once, by ``main.py``, before the page runs."""
    runs = {run.name: run for run in list_runs()}
    if not runs:
        return
    if st.session_state.get(RUN) not in runs:
        st.session_state[RUN] = _first(runs)
    elif _went_back():
        _follow(st.query_params[RUN], runs)
    with st.sidebar:
        # The default too: should the page be left before the browser heard of the value that was
        # set above, the box would otherwise fall back to the first run.
        name = st.selectbox(
            "Run",
            list(runs),
            index=list(runs).index(st.session_state[RUN]),
            key=RUN,
            help=f"A trained network: a folder in {settings().runs}. Type a part of a name to find "
            "it, such as that of a data set or a network.",
        )
        _card(runs[name])
    # By hand and always: bound to the address, the box would leave its default out of it.
    if st.query_params.get(RUN) != name:
        st.query_params[RUN] = name
    st.session_state[_WRITTEN] = name
    _say_missing(name)


def _went_back() -> bool:
    """Whether the address is of another moment: the browser's back button, or a link of ours."""
    written = st.session_state.get(_WRITTEN)
    named = st.query_params.get(RUN, written)
    return named != written and st.session_state[RUN] == written


def _follow(named: str, runs: Mapping[str, Run]) -> None:
    """Take the run that the address names; without it say that it is not there."""
    if named in runs:
        st.session_state[RUN] = named
    elif named:
        st.session_state[_MISSING] = (named, st.session_state[RUN])


def _say_missing(shown: str) -> None:
    """A line on every page that the run asked for is not there, until another is chosen."""
    asked, instead = st.session_state.get(_MISSING, ("", ""))
    if instead != shown:
        st.session_state.pop(_MISSING, None)
        return
    st.warning(f"There is no run {_verbatim(asked)} here; this is {_verbatim(shown)}.")


def _verbatim(name: str) -> str:
    """A name in Markdown, whatever is in it; it may be wrapped anywhere."""
    return f"`{' '.join(name.replace('`', chr(39)).split())}`"


def _first(runs: Mapping[str, Run]) -> str:
    """The run that the address names, else the one that shows most."""
    named = st.query_params.get(RUN)
    if named is not None and named in runs:
        return named
    best = _best(list(runs.values()))
    if named:
        st.session_state[_MISSING] = (named, best)
        sentence = f"There is no run {_verbatim(named)} here; this is {_verbatim(best)}."
        st.toast(sentence, duration="long")
    return best


def chosen_run() -> Run | None:
    """The chosen run (perhaps a damaged one), or None when the folder holds none."""
    runs = {run.name: run for run in list_runs()}
    return runs.get(st.session_state.get(RUN, ""))


def require_run() -> Run:
    """The chosen run, or a page that says what is missing and stops."""
    run = chosen_run()
    if run is None:
        st.info(f"There is no run in {settings().runs} yet. Train one, which writes a run there:")
        st.code(f"drnn train dr_resnet16_l2_short --data D --out {settings().runs}/my-run")
        st.caption("Or start the app on another folder: `drnn app --runs FOLDER`.")
        st.stop()
    if run.info is None:
        st.error(f"The run {run.name} cannot be opened. {_sentence(run.problem)}")
        st.caption("The other runs are not affected: choose one in the sidebar.")
        st.stop()
    return run


def _best(runs: list[Run]) -> str:
    """The run that shows most: sound, with records, with pictures, with the most loops.

    Loops count where images differ in them. Without a folder of images the pictures of
    ``generated`` are the ones at hand.
    """

    def shows(run: Run) -> tuple[bool, bool, bool, int]:
        if run.info is None:
            return False, False, False, 0
        test = run.info.metrics.test
        pictured = settings().data is not None or run.info.dataset.split()[0] == "generated"
        return True, recorded(run), pictured, test.loops_max if test.loops_std else 0

    return max(runs, key=shows).name  # the first of several equals


def _card(run: Run) -> None:
    if run.info is None:
        st.caption("damaged: this run cannot be opened")
        return
    metrics = run.info.metrics.test
    many = len(run.info.classes) >= _MANY_CLASSES and metrics.error_top5 is not None
    top5 = f", top-5 {metrics.error_top5:.2f} %" if many else ""
    error = f"test error {metrics.error:.2f} %{top5}"
    recipe = run.info.recipe_name.rpartition("_")[2]
    way = f"{recipe or 'trained'}, {run.info.epochs:,} epochs, seed {run.info.seed}"
    lines = [f"**{run.info.title}**", f"on {data_set_of(run.info)}", way, error]
    if len(run.name) > _ROOM:  # the box cuts it off, and its end tells seeds apart
        lines.insert(0, _verbatim(run.name))
    if metrics.loops_max:
        lines.append(f"{metrics.loops_mean:.2f} of {metrics.loops_max} loops on average")
    st.caption("  \n".join(lines))
    if (rows := recorded_rows(run)) > MOST_IN_MEMORY:
        st.caption(
            f"{rows:,} records: Distribution counts them all, other pages look at a sample.",
            help=f"About {SAMPLE:,} of them, drawn by a fixed rule that knows nothing of the "
            "images, so always the same ones. The n beside a number says how many it is of.",
        )


def _sentence(text: str | None) -> str:
    text = (text or "").rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."
