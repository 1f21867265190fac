"""The part of the lab where one factor runs from no change to its strongest."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import cache, charts
from app.lab import figures
from app.lab.answers import Subject, seconds_of_one
from app.lab.factors import FACTORS, Factor
from app.lab.line import POINTS, STEP, Line, edits_along, is_known, line_along
from app.lab.many import offer, sweep_of
from drnn_core.analysis.edits import Edit, usual_box
from drnn_core.store.sweeps import KeptSweep, SweepError

SWEEP, KEEP = "sweep", "keep"
_FIGURE = "lab_line"
_LAST = "lab_line_last"  # the column that was clicked last


def show_along(subject: Subject, edit: Edit, set_edit: Callable[[Edit], None]) -> None:
    """Draw it.

    Args:
        subject: the picture and its network.
        edit: what the sliders say.
        set_edit: moves them; called from a click on the chart.
    """
    st.subheader(
        "Along one factor",
        anchor=False,
        help=(
            f"The network's answer at {POINTS} strengths of one factor, from no change to the "
            "strongest. Click a column to put the slider there."
        ),
    )
    chosen = st.segmented_control(
        "Factor",
        list(FACTORS),
        default="blur",
        required=True,
        key=SWEEP,
        bind="query-params",
        format_func=lambda name: FACTORS[name].label,
        label_visibility="collapsed",
    )
    factor = FACTORS[chosen or "blur"]
    others = bool(edit.without(factor.name).factors)
    keep = others and st.toggle(
        "Keep the other changes",
        key=KEEP,
        bind="query-params",
        help="Begin with the picture as the other sliders have changed it, not as it is.",
    )
    line = _line(subject, factor, edits_along(subject, factor, edit, keep))
    if line is None:
        return
    many, problem = _many(subject.run, line, keep)

    def move(place: int) -> None:
        value, usual = line.values[place], usual_box(subject.number)
        set_edit(edit.with_value(factor.name, value, usual))

    charts.show(
        figures.line_figure(line, many, line.strength_of(edit), charts.palette()),
        f"{subject.run.name} {factor.name}",
        key=_FIGURE,
        data=lambda: line.frame(many),
        alt=in_words(line),
        on_select=_on_column(factor.name, move),
        selection_mode="points",
    )
    st.caption(in_words(line))
    st.html(_legend(line, many))
    if problem:
        st.caption(problem)
    elif not many:
        offer(subject.run, factor.name)


def _line(subject: Subject, factor: Factor, edits: tuple[Edit, ...]) -> Line | None:
    """The line; of a large network only once it is asked for, with progress."""
    if not subject.slow or is_known(subject, edits):
        return line_along(subject, factor, edits)
    place = st.empty()
    with place.container():
        st.caption(
            f"{len(edits)} answers of this network take about "
            f"{len(edits) * seconds_of_one(subject):.0f} s here, so they wait to be asked for."
        )
        if not st.button(f"Run through {factor.label.lower()}"):
            return None
    # Whatever else is done on the page meanwhile ends this; what was asked is kept.
    bar = place.progress(0.0)
    line = line_along(subject, factor, edits, lambda done, of: _tell(bar, done, of))
    place.empty()
    return line


def _tell(bar: DeltaGenerator, done: int, of: int) -> None:
    bar.progress(done / of, f"{done} of {of} strengths")


def _many(run: cache.Run, line: Line, keep: bool) -> tuple[KeptSweep | None, str]:
    """The run's sweep where it says the same of many images, and a sentence where it does not."""
    if keep:
        return None, "The test images were changed in this factor alone, and are not shown here."
    if line.below and line.factor.name != "rotation":
        return None, "The test images were made brighter, not darker, and are not shown here."
    try:
        return sweep_of(run, line.factor.name), ""
    except (SweepError, OSError) as error:
        return None, f"The sweep over the test images cannot be shown: {error}."


def _on_column(factor: str, move: Callable[[int], None]) -> Callable[[], None]:
    """What to do when a column is clicked; a second click on it takes its mark away, and counts."""

    def chosen() -> None:
        points = st.session_state[_FIGURE]["selection"]["points"]
        if points:
            st.session_state[_LAST] = (factor, round(points[0]["x"] / STEP))
        clicked, place = st.session_state.get(_LAST, ("", 0))
        if clicked == factor:
            move(place)

    return chosen


def in_words(line: Line) -> str:
    """For example "bird up to 0.6 px, fish from 0.8 px; 7 to 9 loops"."""
    factor, values = line.factor, line.values
    parts: list[str] = []
    for start, end, name in figures.segments(line):
        first, last = (factor.in_words(values[place], sign=True) for place in (start, end))
        if end == len(values) - 1:
            parts.append(f"{name} from {first}" if start else f"{name} throughout")
        elif start == end:
            parts.append(f"{name} at {first}")
        else:
            parts.append(f"{name} from {first} to {last}" if start else f"{name} up to {last}")
    words = ", ".join(parts)
    if line.found[0].loops_max:
        counts = [one.loops for one in line.found]
        few, many = min(counts), max(counts)
        words += f"; {few} loops" if few == many else f"; {few} to {many} loops"
    return f"{factor.label}: {words}."


def _legend(line: Line, many: KeptSweep | None) -> str:
    """What is drawn how."""
    first = escape(line.found[0].top[0][0])
    parts = [
        "<b>solid</b> this picture, ◆ where its answer is no longer the first",
        f"<b>dotted</b> probability of {first}",
    ]
    if many:
        chance = ", each either way by chance" if line.factor.name == "rotation" else ""
        parts.append(
            f"<b>dashed</b> mean of {many.images:,} test images ({escape(many.dataset)}) with its "
            f"{many.level:.0%} interval{chance}"
        )
    return f'<p class="ls-note">{" · ".join(parts)}</p>'
