"""Accuracy against what it costs: the paper's points, and apart from them those of our runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from app.charts import NO_FADING, Palette, layout
from app.models.labels import Place
from app.models.plot import Cost, Dot, Plot
from app.models.points import Point
from app.models.strips import Strip
from app.models.tables import counts_right, measure_name


def accuracy_figure(
    points: Sequence[Point], cost: Cost, data_set: str, chosen: str, colours: Palette
) -> go.Figure:
    """Accuracy over cost of one data set's networks.

    A line joins each recursive network with its plain counterpart. Where results lie far apart, as
    those of short trainings do, the axis of accuracy is broken.

    Args:
        points: of one data set; those without the cost or the accuracy are left out.
        cost: the horizontal axis.
        data_set: that they were tested on.
        chosen: name of the network that is marked.
        colours: of the theme.
    """
    plot = Plot.of(points, cost, chosen)
    what = "multiply-adds an image" if cost == "macs" else "parameters"
    names = [_name(dot, place, chosen, colours) for dot, place in plot.named()]
    return go.Figure(
        data=[*_lines(plot, colours), *(_marks(plot, strip, colours) for strip in plot.strips)],
        layout=layout(
            plot.height,
            margin={"t": 22},
            hovermode="closest",
            annotations=[*names, *_headings(plot, colours)],
            xaxis={
                "title": {"text": f"{what}, {plot.unit}"},
                "range": [0.0, plot.reach],
                "showgrid": True,
                "anchor": "free",
                "position": 0,
            },
            **_axes(plot, data_set),
        ),
    )


def _lines(plot: Plot, colours: Palette) -> list[dict[str, Any]]:
    """From each recursive network to its plain counterpart."""
    drawn: list[dict[str, Any]] = []
    for dot, other in plot.joined():
        lit = plot.chosen in (dot.point.network, other.point.network)
        drawn.append(
            {
                "type": "scatter",
                "mode": "lines",
                "yaxis": dot.strip.axis,
                "x": [other.x, dot.x],
                "y": [other.y, dot.y],
                "line": {
                    "color": colours.ran if lit else colours.skipped,
                    "width": 2.2 if dot.point.network == plot.chosen else 1.2,
                    "dash": "dot" if dot.point.ours else "solid",
                },
                "hoverinfo": "skip",
            }
        )
    return drawn


def _marks(plot: Plot, strip: Strip, colours: Palette) -> dict[str, Any]:
    """The points on a part of the axis."""
    dots = [dot for dot in plot.dots if dot.strip == strip]
    tones = [tone_of(dot.point, colours) for dot in dots]
    hollow = [dot.point.symbol.endswith("open") for dot in dots]
    looks = list(zip(tones, hollow, strict=True))
    return {
        "type": "scatter",
        "mode": "markers",
        "yaxis": strip.axis,
        "x": [dot.x for dot in dots],
        "y": [dot.y for dot in dots],
        "marker": {
            "size": [17 if dot.point.network == plot.chosen else 12 for dot in dots],
            # Filled with the background, so that no line shows inside.
            "symbol": [dot.point.symbol.removesuffix("-open") for dot in dots],
            "color": [colours.background if open_ else tone for tone, open_ in looks],
            "line": {
                "width": [2.2 if open_ else 1.0 for open_ in hollow],
                "color": [tone if open_ else colours.background for tone, open_ in looks],
            },
            "opacity": 1,
        },
        "customdata": [[dot.point.network, dot.point.hover] for dot in dots],
        "hovertemplate": "%{customdata[1]}<extra></extra>",
        **NO_FADING,
    }


def tone_of(point: Point, colours: Palette) -> str:
    """Colour of a point's mark."""
    if point.ours:
        return colours.wrong
    return colours.ran if point.loops else colours.muted


def _name(dot: Dot, place: Place, chosen: str, colours: Palette) -> dict[str, Any]:
    here = dot.point.network == chosen
    return {
        "x": dot.x,
        "y": dot.y,
        "yref": dot.strip.axis,
        "text": f"<b>{dot.point.label}</b>" if here else dot.point.label,
        "font": {"size": 12, "color": colours.text if here else colours.muted},
        "ax": place.dx,
        "ay": place.dy,
        "showarrow": True,
        "arrowhead": 0,
        "arrowwidth": 0.8,
        "arrowcolor": colours.muted if place.far else "rgba(0,0,0,0)",
        "standoff": 7,
        "borderpad": 0,
    }


def _headings(plot: Plot, colours: Palette) -> list[dict[str, Any]]:
    """Of a broken axis: that it is, and whose points a part has where that is not both's."""
    found: list[dict[str, Any]] = []
    sources = [{dot.point.ours for dot in plot.dots if dot.strip == strip} for strip in plot.strips]
    for strip, here in zip(plot.strips, sources, strict=True):
        if strip.top < 1:
            found.append(_over(strip, 1, "axis broken", colours.muted))
        if len(here) == 1 and any(other != here for other in sources):
            ours = True in here
            text = "trained here" if ours else "printed in the paper"
            found.append(_over(strip, 0, text, colours.wrong if ours else colours.muted))
    return found


def _over(strip: Strip, x: int, text: str, colour: str) -> dict[str, Any]:
    """A word over the left (0) or right (1) end of a part of the axis."""
    return {
        "x": x, "xref": "paper", "xanchor": "right" if x else "left",
        "y": strip.top, "yref": "paper", "yanchor": "bottom",
        "showarrow": False, "borderpad": 0, "text": text, "font": {"size": 12, "color": colour},
    }  # fmt: skip


def _axes(plot: Plot, data_set: str) -> dict[str, Any]:
    """The axes of accuracy, one for each part."""
    quiet: dict[str, Any] = layout(0)["yaxis"]
    axes = {
        _axis(strip): {
            **quiet,
            "domain": [strip.bottom, strip.top],
            "range": [strip.low, strip.high],
            "rangemode": "normal",
            "nticks": 4 if strip.top - strip.bottom < 0.5 else 8,
        }
        for strip in plot.strips
    }
    better = "higher" if counts_right(data_set) else "lower"
    widest = max(plot.strips, key=lambda strip: strip.top - strip.bottom)
    text = f"{measure_name(data_set)} ({better} is better)"
    axes[_axis(widest)]["title"] = {**quiet["title"], "text": text}
    return axes


def _axis(strip: Strip) -> str:
    return strip.axis.replace("y", "yaxis")
