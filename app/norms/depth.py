"""Numbers of every norm and loop along the depth of the network, block by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from app.charts import NO_FADING, Palette, layout
from app.norms.found import Found
from app.norms.marks import others_of
from drnn_core.analysis.moments import ends_of

_MOST_NAMES = 14  # of blocks, below the figure


@dataclass(frozen=True)
class Series:
    """What is drawn of one run.

    Attributes:
        found: the run's statistics.
        norm: name of the norm.
        column: of the table.
        name: for the hover text.
        symbol: Plotly's name of the mark.
        colour: hex.
        exponential: draw and tell e to the power of the column, a ratio.
        shift: sideways, of the distance between two loops, so that series lie side by side.
        dash: of the lines between loops.
        positive: the column cannot be negative, nor can its intervals.
    """

    found: Found
    norm: str
    column: str
    name: str
    symbol: str
    colour: str
    exponential: bool = False
    shift: float = 0.0
    dash: str = "solid"
    positive: bool = False


def places_of(found: Found) -> dict[tuple[str, int], float]:
    """Where a block's loop stands on the horizontal axis; a gap follows each block."""
    places: dict[tuple[str, int], float] = {}
    x = 0.0
    for block in found.header.blocks:
        for loop in range(block.loops):
            places[block.name, loop] = x
            x += 1
        x += 0.9
    return places


def depth_figure(
    series: Sequence[Series],
    chosen: str,
    unit: str,
    colours: Palette,
    level: float | None = None,
    beside: bool = False,
) -> go.Figure:
    """One mark with its 95 % interval for each loop of each block; a point's row can be picked.

    Args:
        series: of networks of one shape; the first decides the axes.
        chosen: name of the block that is marked.
        unit: title of the vertical axis.
        colours: of the theme.
        level: a value that is drawn as a line, such as the one that is right.
        beside: draw the other norms of the first series, grey, behind it.
    """
    found = series[0].found
    places = places_of(found)
    ratio = series[0].exponential
    drawn = _others(series[0], places, colours) if beside else []
    drawn += [trace for each in series for trace in _traces(each, places)]
    names, centres = _ticks(found, places)
    shapes = [_band(chosen, places, colours)]
    if level is not None:
        shapes.append(
            {
                "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": level, "y1": level,
                "line": {"color": colours.muted, "width": 1, "dash": "dot"},
            }
        )  # fmt: skip
    return go.Figure(
        data=drawn,
        layout=layout(
            300,
            margin={"t": 10},
            hovermode="closest",
            shapes=[shape for shape in shapes if shape],
            xaxis={
                "tickvals": centres,
                "ticktext": names,
                "tickangle": 0,
                "title": {"text": "block and its loops, in the order of execution"},
                "range": [-0.8, max(places.values(), default=0) + 0.8],
            },
            yaxis={
                "title": {"text": unit},
                "type": "log" if ratio else "linear",
                **({"rangemode": "normal", "tickformat": "~g"} if ratio else {}),
                **({"dtick": "D2"} if ratio and _wide(drawn) else {}),
            },
        ),
    )


def gap_figure(series: Series, chosen: str, unit: str, colours: Palette) -> go.Figure:
    """A discrepancy over depth, with what shuffled decisions give and the other norms beside it."""
    figure: Any = depth_figure([series], chosen, unit, colours, beside=True)
    chance = _baseline(series, places_of(series.found), colours)
    return go.Figure(data=[chance, *figure.data], layout=figure.layout)


def _baseline(
    series: Series, places: dict[tuple[str, int], float], colours: Palette
) -> dict[str, Any]:
    """What shuffled decisions give, as short lines."""
    rows, column = series.found.rows(series.norm), series.column
    x = [places[block, loop] for block, loop in zip(rows["block"], rows["loop"], strict=True)]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": x,
        "y": rows[f"{column}_shuffled"],
        "marker": {
            "symbol": "line-ew-open", "size": 13,
            "line": {"color": colours.wrong, "width": 2}, "color": colours.wrong,
        },
        "hovertemplate": "decisions shuffled: %{y:.3g}<extra></extra>",
        **NO_FADING,
    }  # fmt: skip


def _others(
    series: Series, places: dict[tuple[str, int], float], colours: Palette
) -> list[dict[str, Any]]:
    """The other norms, for comparison: marks of their own, and a line for each block."""
    found = series.found
    drawn: list[dict[str, Any]] = []
    for norm, symbol in others_of(found, series.norm):
        rows = found.rows(norm)
        value = rows[series.column].to_numpy(dtype=float)
        value = np.exp(value) if series.exponential else value
        x = [places[key] for key in zip(rows["block"], rows["loop"], strict=True)]
        line = {"color": colours.muted, "width": 1.2}
        behind = _lines(x, value, rows["block"].tolist(), line)
        drawn.append(
            {
                **behind,
                "mode": "lines+markers",  # a block of one loop has no line
                "marker": {"symbol": symbol, "size": 7, "color": colours.muted},
                "name": norm,
                "hoverinfo": "skip",  # where marks coincide, the pointer is the chosen norm's
            }
        )
    return drawn


def _traces(series: Series, places: dict[tuple[str, int], float]) -> list[dict[str, Any]]:
    """A line through the loops of each block, and the marks over them."""
    rows = series.found.rows(series.norm)
    value = rows[series.column].to_numpy(dtype=float)
    half = series.found.margin(rows, series.column).to_numpy(dtype=float)
    low, high = ends_of(value, half, series.positive)
    if series.exponential:
        value, low, high = (np.exp(each) for each in (value, low, high))
    keys = list(zip(rows["block"], rows["loop"], strict=True))
    x = np.array([places[key] for key in keys]) + series.shift
    line = {"color": series.colour, "width": 1.5, "dash": series.dash}
    lines = _lines(x, value, [block for block, _ in keys], line)
    facts = (rows["block"], rows["loop"] + 1, rows["executed"], rows["skipped"], value, low, high)
    unsure = rows["unsure"].to_numpy(dtype=bool)
    notes = np.where(unsure, "<br>few images: unsure", "")
    marks = {
        "type": "scatter",
        "mode": "markers",
        "x": x,
        "y": value,
        "error_y": {
            "type": "data", "symmetric": False, "array": high - value, "arrayminus": value - low,
            "color": series.colour, "thickness": 1.4, "width": 0,
        },
        "marker": {
            "symbol": [series.symbol + ("" if sure else "-open") for sure in ~unsure],
            "size": 9,
            "color": series.colour,
            "line": {"color": series.colour, "width": 1.4},
        },
        "customdata": [list(row) for row in zip(*facts, notes, strict=True)],
        "hovertemplate": (
            f"<b>{series.name}</b>, block %{{customdata[0]}}, loop %{{customdata[1]}}<br>"
            "%{customdata[4]:.3g} (%{customdata[5]:.3g} to %{customdata[6]:.3g})<br>"
            "%{customdata[2]:,} executed, %{customdata[3]:,} skipped%{customdata[7]}"
            "<extra></extra>"
        ),
        **NO_FADING,
    }  # fmt: skip
    return [lines, marks]


def _lines(x: Any, y: Any, blocks: Sequence[str], line: dict[str, Any]) -> dict[str, Any]:
    """One trace, broken between blocks."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    for place, block in enumerate(blocks):
        if place and blocks[place - 1] != block:
            xs.append(None)
            ys.append(None)
        xs.append(float(x[place]))
        ys.append(float(y[place]))
    return {
        "type": "scatter", "mode": "lines", "x": xs, "y": ys, "hoverinfo": "skip",
        "line": line,
    }  # fmt: skip


def _wide(drawn: Sequence[dict[str, Any]]) -> bool:
    """Whether a logarithmic axis needs ticks at 1, 2, 5, 10... rather than at even steps."""
    values = np.array([y for trace in drawn for y in trace["y"] if y is not None], dtype=float)
    values = values[np.isfinite(values)]
    return bool(len(values)) and float(values.max() / values.min()) > 4


def _ticks(found: Found, places: dict[tuple[str, int], float]) -> tuple[list[str], list[float]]:
    """Names of blocks in their middle; of many blocks, those of the stages."""
    centres = {
        block.name: float(np.mean([places[block.name, loop] for loop in range(block.loops)]))
        for block in found.header.blocks
    }
    if len(centres) <= _MOST_NAMES:
        return list(centres), list(centres.values())
    stages: dict[str, list[float]] = {}
    for name, centre in centres.items():
        stages.setdefault(name.rpartition(".")[0] or name, []).append(centre)
    return [f"stage {stage}" for stage in stages], [float(np.mean(x)) for x in stages.values()]


def _band(chosen: str, places: dict[tuple[str, int], float], colours: Palette) -> dict[str, Any]:
    own = [x for (block, _), x in places.items() if block == chosen]
    if not own:
        return {}
    return {
        "type": "rect", "yref": "paper", "y0": 0, "y1": 1, "x0": min(own) - 0.65,
        "x1": max(own) + 0.65, "fillcolor": colours.surface, "line": {"width": 0},
        "layer": "below",
    }  # fmt: skip
