"""All columns as a forest: each one's effect with its interval, the largest on top."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from html import escape

import pandas as pd
import plotly.graph_objects as go

from app.charts import NO_FADING, Palette, layout
from app.distribution.figures import Trace
from app.easy_hard.comparison import SOURCES, Compared
from app.numbers import between, number
from drnn_core.analysis.effects import SIZES, size_of

_ROW, _LOW_ROW, _MANY = 24, 20, 24  # pixels of a row; of one among so many
_MORE = 0.7  # of a row, for every further line of its name
_LINE_LONGEST = 26  # letters: on a phone more than half of the width is left for the marks
_SYMBOLS = {"picture": "circle", "factor": "diamond", "network": "square-open", "brought": "star"}


def forest_figure(pairs: Sequence[Compared], chosen: str, colours: Palette) -> go.Figure:
    """Cliff's delta of every column with its interval, the largest on top.

    Args:
        pairs: as ``comparison.compared`` orders them.
        chosen: name of the column whose row is marked.
        colours: of the theme.
    """
    names = [_wrapped(pair.column.label) for pair in pairs]
    heights = [1 + _MORE * (len(lines) - 1) for lines in names]
    end = sum(heights) - 0.5  # the middle of a first row of one line is at 0
    places = [sum(heights[:row]) + (height - 1) / 2 for row, height in enumerate(heights)]
    rows: Trace = {  # what is hovered and clicked: a row is easier to hit than a mark
        "type": "bar",
        "orientation": "h",
        "y": places,
        "base": [-1] * len(pairs),
        "x": [2] * len(pairs),
        "width": heights,
        "marker": {
            "color": [
                colours.surface if pair.column.name == chosen else "rgba(0,0,0,0)" for pair in pairs
            ],
            "line": {"width": 0},
        },
        "customdata": [_facts(pair) for pair in pairs],
        "hovertemplate": (
            "<b>%{customdata[0]}</b>, %{customdata[1]}<br>%{customdata[2]}<br>"
            "δ within classes %{customdata[3]}<br>δ over all %{customdata[4]}<br>"
            "mean %{customdata[5]}<br>n = %{customdata[6]}<extra></extra>"
        ),
        "hoverlabel": {"align": "left"},
        "showlegend": False,
        **NO_FADING,
    }
    return go.Figure(
        data=[rows, *_marks(pairs, places, colours)],
        layout=layout(
            100 + round((_ROW if len(pairs) <= _MANY else _LOW_ROW) * sum(heights)),
            barmode="overlay",
            margin={"t": 30, "b": 66},
            annotations=_axis_names(colours),
            showlegend=True,
            legend={
                "orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "xanchor": "left",
                "yref": "paper", "font": {"size": 12, "color": colours.muted}, "itemclick": False,
                "itemdoubleclick": False,
            },
            shapes=_lines(colours),
            xaxis={
                "range": [-1, 1], "tickvals": [-1, -0.5, 0, 0.5, 1],
                "ticktext": ["−1", "−0.5", "0", "+0.5", "+1"],
            },
            yaxis={
                "range": [end, -0.5],
                "tickvals": places,
                "ticktext": [
                    _tick(lines, pair.column.name == chosen)
                    for lines, pair in zip(names, pairs, strict=True)
                ],
                "tickfont": {"color": colours.text},
                "showgrid": False,
            },
        ),
    )  # fmt: skip


def _axis_names(colours: Palette) -> list[Trace]:
    """The axis in words, below its two ends and its middle; on a phone in two lines each."""
    below: Trace = {
        "showarrow": False, "xref": "paper", "y": 0, "yref": "paper", "yanchor": "top",
        "yshift": -26, "font": {"color": colours.muted, "size": 13},
    }  # fmt: skip
    return [
        {**below, "x": 0, "xanchor": "left", "align": "left", "text": "hard has<br>← less"},
        {**below, "x": 0.5, "xanchor": "center", "text": "Cliff's δ"},
        {**below, "x": 1, "xanchor": "right", "align": "right", "text": "hard has<br>more →"},
    ]


def _marks(pairs: Sequence[Compared], places: Sequence[float], colours: Palette) -> list[Trace]:
    """A trace for each source of columns, so that each has its symbol in the legend."""
    traces: list[Trace] = []
    for source, words in SOURCES.items():
        own = [(y, pair) for y, pair in zip(places, pairs, strict=True) if pair.source == source]
        if not own:
            continue
        found = [pair.effect.within for _, pair in own]
        colour = colours.muted if source == "network" else colours.ran
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": words,
                "y": [place for place, _ in own],
                "x": [one.value for one in found],
                "error_x": {
                    "type": "data", "symmetric": False, "width": 0, "thickness": 2,
                    "array": [one.high - one.value for one in found],
                    "arrayminus": [one.value - one.low for one in found],
                    "color": colour,
                },
                "marker": {"symbol": _SYMBOLS[source], "size": 9, "color": colour},
                "hoverinfo": "skip",
                **NO_FADING,
            }
        )  # fmt: skip
    return traces


def _lines(colours: Palette) -> list[Trace]:
    """No difference, and the ends of the sizes on both sides."""
    ends = [end for _, end in SIZES if math.isfinite(end)]
    across: Trace = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
    dots = {"color": colours.grid, "width": 1}
    sizes = [
        {**across, "x0": end, "x1": end, "line": dots} for end in (*ends, *(-end for end in ends))
    ]
    return [*sizes, {**across, "x0": 0, "x1": 0, "line": {"color": colours.muted, "width": 1}}]


def _wrapped(name: str) -> list[str]:
    """A name in lines that leave room for the marks, whole."""
    return textwrap.wrap(name, _LINE_LONGEST) or [""]


def _tick(lines: Sequence[str], chosen: bool) -> str:
    whole = "<br>".join(escape(line) for line in lines)
    return f"<b>{whole}</b>" if chosen else whole


def _facts(pair: Compared) -> list[str]:
    """What is said of a row on hover."""
    effect = pair.effect
    within, delta = (
        f"{number(one.value, '+.2f')} ({between(one.low, one.high, '+.2f')})"
        for one in (effect.within, effect.delta)
    )
    return [
        escape(pair.column.label),
        SOURCES[pair.source],
        escape(pair.column.meaning),
        f"{within}: {size_of(effect.within.value)}",
        delta,
        f"{number(effect.easy_mean, '.3g')} easy, {number(effect.hard_mean, '.3g')} hard",
        f"{effect.easy_n:,} easy, {effect.hard_n:,} hard",
    ]


def forest_table(pairs: Sequence[Compared]) -> pd.DataFrame:
    """The numbers behind the figure, a row a column."""
    return pd.DataFrame(
        [
            {
                "column": pair.column.name,
                "label": pair.column.label,
                "source": SOURCES[pair.source],
                "delta": pair.effect.within.value,
                "low": pair.effect.within.low,
                "high": pair.effect.within.high,
                "size": size_of(pair.effect.within.value),
                "easy_mean": pair.effect.easy_mean,
                "hard_mean": pair.effect.hard_mean,
                "cohens_d": pair.effect.d.value,
                "delta_overall": pair.effect.delta.value,
                "easy_n": pair.effect.easy_n,
                "hard_n": pair.effect.hard_n,
                "meaning": pair.column.meaning,
            }
            for pair in pairs
        ]
    )
