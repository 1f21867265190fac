"""The other way round: a mean cost that is wanted, and the threshold that should give it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from app.budget import controls
from app.budget.axes import Axis, Trained
from app.budget.controls import Setting
from app.budget.points import View
from app.budget.thresholds import name_of
from drnn_core.analysis.budget import Floats
from drnn_core.analysis.replay import RECORDED_THRESHOLD
from drnn_core.analysis.solving import Solved, threshold_for

_KEY, _FOUND = "budget_wanted", "budget_found"
_CERTAIN = 0.01  # of all that a mean can be: bounds so close are as good as a measured mean
_TELLING = 0.01  # share of equal probabilities that is worth a word


@dataclass(frozen=True)
class Answer:
    """What a wanted mean led to; ``solved`` is None where no threshold gives it.

    ``of`` is the run's name and the stamp of its records.
    """

    of: tuple[str, str]
    wanted: float
    axis: Axis
    known: Mapping[float, float]
    solved: Solved | None


def known_means(view: View, trained: Trained, axis: Axis) -> dict[float, float]:
    """Means of all images by threshold: measured, or left all but certain by the records."""
    low, high = (view.limits[f"{axis.name}_{end}"] / axis.scale for end in ("low", "high"))
    sure = high - low <= _CERTAIN * (high.max() - low.min())
    thresholds: list[float] = view.limits["threshold"][sure].tolist()
    means: list[float] = ((low + high) / 2)[sure].tolist()
    known = dict(zip(thresholds, means, strict=True))
    known[RECORDED_THRESHOLD] = getattr(trained, axis.name) / axis.scale
    for threshold, point in view.curve().items():
        if point.found.n == trained.n:
            known[threshold] = getattr(point.found, axis.name).value / axis.scale
    return known


def panel(view: View, setting: Setting, trained: Trained, axis: Axis) -> None:
    """A box that takes the wanted mean and moves the sliders, and what came of it."""
    known = known_means(view, trained, axis)
    key, of = f"{_KEY}_{axis.name}", (view.run.name, view.table.stamp)
    least, most = min(known.values()), max(known.values())
    st.number_input(
        f"Wanted: {axis.title}",
        min_value=0.0,
        value=None,
        step=0.1,
        format=f"%{axis.form}",
        placeholder=f"{least:{axis.form}} to {most:{axis.form}}",
        key=key,
        on_change=_solve,
        args=(key, of, view.chances, known, axis),
        help=(
            "Moves the one threshold of all gates to where the mean should be as wanted. Between "
            "the nearest known thresholds the mean is taken to change evenly with the recorded "
            "decisions: an estimate, until the network runs there."
        ),
    )
    answer: Answer | None = st.session_state.get(_FOUND)
    asked = of, st.session_state[key], axis
    if answer is not None and (answer.of, answer.wanted, answer.axis) == asked:
        _told(answer, setting)


def _solve(
    key: str, of: tuple[str, str], chances: Floats, known: Mapping[float, float], axis: Axis
) -> None:
    wanted: float | None = st.session_state[key]
    if wanted is None:
        st.session_state.pop(_FOUND, None)
        return
    solved = threshold_for(chances, known, wanted)
    st.session_state[_FOUND] = Answer(of, wanted, axis, known, solved)
    if solved is not None:
        controls.choose(solved.threshold)


def _told(answer: Answer, setting: Setting) -> None:
    solved, known, form = answer.solved, answer.known, answer.axis.form
    if solved is None:
        ends = [f"{known[end]:{form}} at threshold {end:g}" for end in (1.0, 0.0)]
        st.caption(f"{answer.wanted:{form}} cannot be reached: there is {' to '.join(ends)}.")
        return
    if setting.single != solved.threshold:
        return  # moved on since
    low, high = solved.beside
    if low == high:
        st.caption(f"Known: {known[low]:{form}} at {name_of(low)}.")
        return
    beside = " and ".join(f"{known[end]:{form}} at {name_of(end)}" for end in (low, high))
    leap = (
        f" {solved.same:.0%} of the recorded probabilities are equal there, and no one threshold "
        "parts them: the mean may leap past what is wanted."
        if solved.same >= _TELLING
        else ""
    )
    st.caption(f"An estimate between {beside}.{leap} Run the network to know.")
