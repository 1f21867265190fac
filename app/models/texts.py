"""The page's words: headings with their definitions, the key of the plots, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

import streamlit as st

from app import charts
from app.inspection.components import drawing
from app.models.cells import columns_of
from app.models.notes import Note
from app.models.plot import Cost
from app.models.points import Point, joins
from app.models.tables import VIEWS, View, counts_right
from app.settings import settings
from drnn_core.recipes.readings import MARK, read_otherwise

_PATHS = {
    "circle": "M13,3a5,5 0 1 0 .01,0z",
    "triangle-up-open": "M13,3l5,9h-10z",
    "circle-open": "M13,3a5,5 0 1 0 .01,0z",
    "diamond-open": "M13,2.5l5.5,5.5l-5.5,5.5l-5.5,-5.5z",
    "square": "M8.5,3.5h9v9h-9z",
    "square-open": "M8.5,3.5h9v9h-9z",
}
_WORDS = {
    "circle": "dynamic recursive",
    "triangle-up-open": "recursive, no gates",
    "circle-open": "plain",
    "diamond-open": "other baselines",
    "square": "trained here, recursive",
    "square-open": "trained here, others",
}


def lead() -> None:
    """What the page is of."""
    st.caption(
        "Every network of the paper's tables: what we count beside what is printed, and what was "
        "trained here."
    )


def plots_title(points: Sequence[Point], data_set: str) -> None:
    """Heading of a pair of plots."""
    printed = any(point.accuracy is not None and not point.ours for point in points)
    what = "Top-1 accuracy" if counts_right(data_set) else "Test error"
    meaning = (
        f"{what} on {data_set} against what a network costs. "
        + (
            "Circles, diamonds and triangles are the paper's results, as printed. "
            if printed
            else ""
        )
        + "Squares are runs of ours: test error, measured multiply-adds, counted parameters. "
        "A line joins a recursive network with its plain counterpart. Click a point to see its "
        "blocks."
    )
    title = f"{what} on {data_set}" if printed else f"Our runs on {data_set}"
    st.subheader(title, anchor=False, help=meaning)


def plots_note(points: Sequence[Point], data_set: str) -> None:
    """Under a pair of plots on a data set of which the paper prints nothing."""
    if not any(point.accuracy is not None and not point.ours for point in points):
        st.caption(
            f"Another data set than the paper's: these errors say nothing about "
            f"{'ImageNet' if counts_right(data_set) else 'CIFAR-10'}, only about each other."
        )


def plot_alt(points: Sequence[Point], cost: Cost, data_set: str) -> str:
    """A plot in words: every point with both of its numbers."""
    what = "top-1 accuracy" if counts_right(data_set) else "test error"
    of = "multiply-adds" if cost == "macs" else "parameters"
    listed: list[str] = []
    for point in points:
        value = point.macs if cost == "macs" else point.params
        if value is not None and point.accuracy is not None:
            listed.append(f"{point.label} {point.accuracy:.2f} % at {value / 1e6:.4g} million")
    return f"{what} on {data_set} against {of}: {'; '.join(listed)}"


def key_of_marks(points: Sequence[Point], key: str) -> None:
    """What the marks of a plot stand for, those that occur."""
    colours = charts.palette()
    there = {point.symbol for point in points if point.accuracy is not None}
    parts: list[str] = []
    for symbol, words in _WORDS.items():
        if symbol not in there:
            continue
        tone = colours.muted
        if symbol.startswith("square"):
            tone = colours.wrong
        elif symbol in ("circle", "triangle-up-open"):
            tone = colours.ran
        fill = "none" if symbol.endswith("open") else tone
        parts.append(
            f'<span><svg width="26" height="16" aria-hidden="true"><path d="{_PATHS[symbol]}" '
            f'fill="{fill}" stroke="{tone}" stroke-width="1.8"/></svg>{words}</span>'
        )
    line = (
        f'<span><svg width="26" height="16" aria-hidden="true"><path d="M3,12L23,4" '
        f'stroke="{colours.skipped}" stroke-width="1.5"/></svg>to its plain counterpart</span>'
    )
    joined = joins([point for point in points if point.accuracy is not None])
    drawing(f'<div class="ls-legend">{"".join(parts)}{line if joined else ""}</div>', key)


def table_title(view: View) -> None:
    """Heading of the table."""
    st.subheader(
        VIEWS[view],
        anchor=False,
        help="Point at a column's name for what it means, at a figure for more of it. Figures in "
        "orange, underlined with dots, are printed otherwise than we count; the notes below say "
        "why, where we know. Click a row to draw the network.",
    )


def notes(found: Mapping[int, Note]) -> None:
    """The notes under the table."""
    lines = "".join(
        f"<li value='{number}'>{escape(note.text)}</li>" for number, note in found.items()
    )
    if lines:
        st.html(f'<ol class="ls-notes">{lines}</ol>')


def how_long(epochs: int) -> None:
    """How long those results of a table were trained that do not say it themselves."""
    if epochs:
        st.caption(f"Here: trained for {epochs:,} epochs where no others are said.")


def other_readings(networks: Iterable[str | None]) -> None:
    """What a marked figure of the paper is, where there is one."""
    if any(map(read_otherwise, networks)):
        st.caption(
            f"\\{MARK} The paper's figure of the row that this network reads otherwise, such "
            "as with a first loop that no gate is asked for (docs/paper.md)."
        )


def column_meanings(view: View, data_set: str) -> None:
    """The columns' definitions, for those who cannot point at a heading."""
    with st.expander("What the columns mean"):
        groups = "".join(
            f"<dt>{escape(' · '.join(filter(None, (column.group, column.head))))}</dt>"
            f"<dd>{escape(column.meaning)}</dd>"
            for column in columns_of(view, data_set)
        )
        st.html(f'<dl class="ls-meanings">{groups}</dl>')


def against_title() -> None:
    """Heading of the tests against plain counterparts."""
    st.subheader(
        "Against the plain counterpart",
        anchor=False,
        help="Each training beside that of the network that the paper sets it against: the same "
        "recipe, the same seeds and so the same batches, the same test images. The paper's claim "
        "is a difference below 0 with fewer parameters and multiply-adds. Where the plain network "
        "of a row's own blocks was trained, each run once, it stands beside that, too: what "
        "loops add to the same parameters.",
    )


def runs_title() -> None:
    """Heading of our runs."""
    st.subheader(
        "Trained here",
        anchor=False,
        help=f"Runs in {settings().runs} of the networks above, with what their test split gave. "
        "The name of a run opens it; where several seeds were trained, "
        "figures are means over them and each seed opens its run.",
    )


def commands(lines: Sequence[str]) -> None:
    """How the trainings above were made, to be made again."""
    with st.expander("Commands that train these anew"):
        st.code("\n".join(lines), language="bash", wrap_lines=True)
        st.caption(
            "DATA: the data set's folder, or generated. RUN: a new folder. S: a seed. Then "
            "`drnn records RUN --data DATA`."
        )


def no_runs(network: str) -> None:
    """Instead of an empty table."""
    st.info(f"None of these networks has a run in {settings().runs} yet. This trains one:")
    st.code(f"drnn train {network}_short --data FOLDER --out {settings().runs}/my-run")


def damaged(names: Sequence[str]) -> None:
    """Runs that are left out because they cannot be read."""
    several = len(names) > 1
    st.caption(
        f"Left out, because {'they' if several else 'it'} cannot be opened: {', '.join(names)}. "
        f"`drnn verify` says what is damaged."
    )
