"""The marks of the page's figures: disc, area, diamond, ring; see ``app/budget/figures.py``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from app.budget.axes import Axis, Spacing, Trained
from app.budget.thresholds import name_of
from app.charts import NO_FADING, Palette
from drnn_core.analysis.bootstrap import Estimate
from drnn_core.analysis.budget import Bounds
from drnn_core.analysis.replay import RECORDED_THRESHOLD
from drnn_core.commands.curves import Point

Trace = dict[str, Any]

EXACT, BOUNDS, ANEW, CHOSEN = (
    "exact, from the records",
    "bounds, from the records",
    "run anew, 95 % interval",
    "where the sliders stand",
)
_TINY = 1e-9
_INSIDE = 0.985  # of the axis: where marks stand that would lie beyond it


def diamonds(
    curve: Mapping[float, Point], cost: Axis, error: Axis, top: float, colours: Palette
) -> Trace:
    """The points that ran anew, joined; those beyond the axis stand at its end as triangles."""
    found = list(curve.items())
    x = [_value(point, cost) for _, point in found]
    y = [_value(point, error) for _, point in found]
    beyond = [value > top for value in y]
    return {
        "type": "scatter",
        "mode": "lines+markers+text",
        "name": ANEW,
        "x": x,
        "y": [min(value, _INSIDE * top) for value in y],
        "error_y": _bars([p.found.error for _, p in found], error, colours, beyond),
        "error_x": _bars([_estimate(p, cost) for _, p in found], cost, colours, beyond),
        "line": {"color": colours.ran_soft, "width": 1.5},
        "marker": {
            "symbol": [
                "triangle-up" if out else _symbol(point, found)
                for out, (_, point) in zip(beyond, found, strict=True)
            ],
            "size": [10 if point.anew else 0 for _, point in found],  # else there is a disc
            "color": colours.ran,
            "opacity": 1.0,
            "line": {"color": colours.ran, "width": 1.5},
        },
        "text": names_of([t for t, _ in found], beyond),
        "textposition": ["bottom left" if out else "top right" for out in beyond],
        "textfont": {"size": 11, "color": colours.muted},
        "customdata": [[t, _hover(t, point)] for t, point in found],
        "hovertemplate": "%{customdata[1]}<extra></extra>",
        "cliponaxis": False,
        **NO_FADING,
    }


def diamonds_along(
    curve: Mapping[float, Point], spacing: Spacing, axis: Axis, colours: Palette
) -> Trace:
    """The points that ran anew, over the threshold."""
    found = list(curve.items())
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": ANEW,
        "x": spacing.places(list(curve)),
        "y": [_value(point, axis) for point in curve.values()],
        "error_y": _bars([_estimate(point, axis) for _, point in found], axis, colours),
        "line": {"color": colours.ran_soft, "width": 1.5},
        "marker": {
            "symbol": [_symbol(point, found) for point in curve.values()],
            "size": [8 if point.anew else 0 for point in curve.values()],
            "color": colours.ran,
            "opacity": 1.0,
        },
        "customdata": [[t, _hover(t, point)] for t, point in found],
        "hovertemplate": "%{customdata[1]}<extra></extra>",
        **NO_FADING,
    }


def disc(
    x: list[float], y: list[float], thresholds: list[float], hover: list[str], colours: Palette
) -> Trace:
    """Exact points; hover says what they are."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": EXACT,
        "x": x,
        "y": y,
        "marker": {"symbol": "circle", "size": 11, "color": colours.text},
        "customdata": [list(pair) for pair in zip(thresholds, hover, strict=True)],
        "hovertemplate": "%{customdata[1]}<extra></extra>",
        **NO_FADING,
    }


def area_key(colours: Palette) -> Trace:
    """The legend's entry of the areas, for a figure that draws none itself."""
    return {
        "type": "scatter", "mode": "lines", "name": BOUNDS, "x": [None], "y": [None],
        "fill": "toself", "fillcolor": see_through(colours.skipped, 0.35),
        "line": {"color": colours.skipped, "width": 1},
    }  # fmt: skip


def box(limits: Bounds, cost: Axis, top: float, colours: Palette) -> Trace:
    """All that the records leave open where the sliders stand."""
    low, high = (end / cost.scale for end in getattr(limits, cost.name))
    if high - low < _TINY:  # the cost is exact: a line
        low, high = 0.998 * low, 1.002 * high
    bottom, above = limits.error[0], min(limits.error[1], top)
    return {
        "type": "scatter", "mode": "lines", "name": BOUNDS, "hoverinfo": "skip",
        "x": [low, high, high, low, low], "y": [bottom, bottom, above, above, bottom],
        "fill": "toself", "fillcolor": see_through(colours.skipped, 0.35),
        "line": {"color": colours.skipped, "width": 1},
    }  # fmt: skip


def ring(
    point: Point | None, trained: Trained, limits: Bounds, cost: Axis, top: float, colours: Palette
) -> list[Trace]:
    """Where the sliders stand, if it is one place; with a diamond inside if the network ran."""
    if point is not None:
        x, y = _value(point, cost), point.found.error.value
    elif is_exact(limits):
        x, y = getattr(trained, cost.name) / cost.scale, trained.error
    else:
        return []
    circle = {"symbol": "circle-open", "size": 21, "color": colours.wrong, "line": {"width": 2.5}}
    marks: list[Trace] = [
        {
            "type": "scatter", "mode": "markers", "name": CHOSEN, "x": [x],
            "y": [min(y, _INSIDE * top)], "marker": circle, "hoverinfo": "skip", **NO_FADING,
        }
    ]  # fmt: skip
    if point is not None and point.anew and y <= top:
        diamond = {"symbol": "diamond", "size": 10, "color": colours.ran}
        inside = {
            "type": "scatter", "mode": "markers", "x": [x], "y": [y], "marker": diamond,
            "showlegend": False, "error_y": _bars([point.found.error], Axis.of("error"), colours),
            "customdata": [[None, _hover(None, point)]],
            "hovertemplate": "%{customdata[1]}<extra></extra>", **NO_FADING,
        }  # fmt: skip
        marks.insert(0, inside)
    return marks


def _hover(threshold: float | None, point: Point) -> str:
    found = point.found
    lines = [
        "<b>where the sliders stand</b>"
        if threshold is None
        else f"<b>threshold {name_of(threshold)}</b>",
        f"error {found.error.value:.2f} % ({found.error.low:.2f} to {found.error.high:.2f})",
        f"{found.loops.value:.2f} loops, {found.macs.value / 1e6:.2f} M multiply-adds",
        f"{found.n:,} images, of which {point.anew:,} ran anew",
    ]
    return "<br>".join(lines)


def hover_exact(threshold: float, n: int) -> str:
    """Of the recorded point."""
    return f"<b>threshold {name_of(threshold)}, as trained</b><br>exact: {n:,} records"


def names_of(thresholds: Sequence[float], beyond: Sequence[bool]) -> list[str]:
    """The ends of the curve and some points between are named.

    Of points beyond the axis only an end is: they stand in one line, where names would collide.
    """
    every, last = max(1, math.ceil(len(thresholds) / 6)), len(thresholds) - 1
    named = [
        place in (0, last) or (place % every == 0 and not out) for place, out in enumerate(beyond)
    ]
    return [
        name_of(threshold) if name and threshold != RECORDED_THRESHOLD else ""
        for threshold, name in zip(thresholds, named, strict=True)
    ]


def _symbol(point: Point, found: Sequence[tuple[float, Point]]) -> str:
    """Open where it is of a sample only."""
    whole = max(other.found.n for _, other in found)
    return "diamond" if point.found.n == whole else "diamond-open"


def _estimate(point: Point, axis: Axis) -> Estimate:
    return getattr(point.found, axis.name)


def _value(point: Point, axis: Axis) -> float:
    return _estimate(point, axis).value / axis.scale


def _bars(
    found: Sequence[Estimate], axis: Axis, colours: Palette, hidden: Sequence[bool] = ()
) -> Trace:
    none = [False] * len(found)
    shown = [
        (each, 0.0 if out else 1 / axis.scale)
        for each, out in zip(found, hidden or none, strict=True)
    ]
    return {
        "type": "data",
        "symmetric": False,
        "array": [(each.high - each.value) * unit for each, unit in shown],
        "arrayminus": [(each.value - each.low) * unit for each, unit in shown],
        "color": colours.ran,
        "thickness": 1.25,
        "width": 3,
    }


def line_at(x: float, colours: Palette) -> Trace:
    """A shape: where the sliders stand."""
    return {
        "type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper",
        "line": {"color": colours.wrong, "width": 1.5, "dash": "dot"},
    }  # fmt: skip


def legend(colours: Palette) -> Trace:
    """Which mark says what, above a figure."""
    return {
        "orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left",
        "font": {"size": 12, "color": colours.muted}, "itemclick": False, "itemdoubleclick": False,
        "bgcolor": "rgba(0,0,0,0)",
    }  # fmt: skip


def is_exact(limits: Bounds) -> bool:
    """Whether no image's path may change."""
    return limits.unchanged == limits.n


def see_through(colour: str, opacity: float) -> str:
    """A colour of the palette that lets through what lies behind it."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
