"""The choice of the runs beside the first, ``with=`` in the address."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app import cache, runpicker
from app.cache import Run, list_runs
from app.pairs import same_images, trained_alike
from drnn_core.recipes import NETWORKS

WITH = "with"
MOST = 3  # runs beside the first
TOGGLED = "compare_toggled"  # a click elsewhere changed the choice
_FIRST = "compare_first"  # the first run when the page was last drawn
_WRITTEN = "compare_with"  # what this page wrote into the address last


def others_control(first: Run) -> list[Run]:
    """The choice of the runs beside the first, which is that of the sidebar."""
    runs = {run.name: run for run in list_runs() if run.name != first.name}
    alike = {name for name, run in runs.items() if trained_alike(first, run)}
    names = sorted(
        runs, key=lambda name: (not same_images(first, runs[name]), name not in alike, name)
    )
    _follow(first.name, names)
    chosen: list[str] = st.multiselect(
        "Compared with",
        names,
        key=WITH,
        max_selections=MOST,
        placeholder="choose up to three runs",
        help=(
            f"Beside {first.name}, the run of the sidebar. Runs with records of the same images "
            "come first, and of them those trained alike with the same seed; others can be "
            "compared in their figures, not image by image. Type a part of a name to find it."
        ),
    )
    # By hand, as the run's name: the address then says what is compared, also where it is what
    # the page opens with, and going back in the browser swaps no runs.
    if st.query_params.get_all(WITH) != chosen:
        st.query_params[WITH] = chosen
    st.session_state[_WRITTEN] = chosen
    return [runs[name] for name in chosen]


def _follow(first: str, names: Sequence[str]) -> None:
    """Settle the choice before its box is drawn.

    An address that was opened or gone back to comes first, then what was chosen before; at first a
    sensible partner. A new first run changes places with the old one.
    """
    state = st.session_state
    before = state.get(_FIRST)
    state[_FIRST] = first
    written: list[str] | None = state.get(_WRITTEN)
    addressed = st.query_params.get_all(WITH)
    if any(name in names for name in addressed) and addressed != written:
        wanted = addressed
    else:
        wanted = list(state.get(WITH, [] if written is None else written))
        if before is not None and first in wanted:
            wanted[wanted.index(first)] = before
        if written is None or (before != first and not _pairable(first, wanted)):
            partner = partner_of(first, names)
            wanted = [partner] if partner else wanted
    known = [name for name in dict.fromkeys(wanted) if name in names][:MOST]
    if known != state.get(WITH):
        state[WITH] = known


def _pairable(first: str, names: Sequence[str]) -> bool:
    """Whether one of the runs is on the images of the first."""
    runs = {run.name: run for run in list_runs()}
    return any(same_images(runs[first], runs[name]) for name in names if name in runs)


def partner_of(first: str, names: Sequence[str]) -> str | None:
    """The run to compare with when nothing is said: on the same images, and of another kind.

    Beside a network that loops that is a plain one, first of all its counterpart, and beside a
    plain one that whose images differ most in their loops; of several one trained alike with the
    same seed. None where no other run can be opened.
    """
    runs = {run.name: run for run in list_runs()}
    here = runs[first]
    sound = [name for name in names if runs[name].info is not None]

    def fits(name: str) -> tuple[bool, bool, bool, int, bool]:
        run = runs[name]
        kind = _loops(run) if not _loops(here) else -_loops(run)
        counterparts = _counterparts(here, run)
        alike = trained_alike(here, run)
        return same_images(here, run), cache.recorded(run), counterparts, kind, alike

    return max(sound, key=fits, default=None)


def _counterparts(one: Run, other: Run) -> bool:
    """Whether the paper sets one of the two networks against the other."""
    names = [run.info.model for run in (one, other) if run.info is not None]
    recipes = [NETWORKS[name] for name in names if name in NETWORKS]
    if len(recipes) < 2:
        return False
    a, b = recipes
    return a.counterpart == b.name or b.counterpart == a.name


def _loops(run: Run) -> int:
    """Most loops of a run, counted twice where images differ in them."""
    if run.info is None:
        return 0
    test = run.info.metrics.test
    return test.loops_max * (2 if test.loops_std else 1)


def toggle_run(name: str) -> None:
    """Compare with one run more, or one less; in a callback."""
    chosen: list[str] = list(st.session_state.get(WITH, []))
    if name in chosen:
        chosen.remove(name)
    elif name != st.session_state.get(runpicker.RUN) and len(chosen) < MOST:
        chosen.append(name)
    st.session_state[WITH] = chosen
    st.session_state[TOGGLED] = True
