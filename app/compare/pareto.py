"""Error against cost of every training at hand on one data set, and the frontier of the best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from app.charts import NO_FADING, Palette, layout
from app.compare.controls import Cost
from app.compare.looks import look_of
from app.compare.spots import Spot, label_of
from app.models.labels import Place, place_names

Pixels = tuple[float, float]
Line = tuple[Pixels, Pixels]

_HEIGHT, _MARGINS = 420, 76  # in pixels
_WIDTH, _WIDER = 290.0, (380.0, 480.0, 600.0)  # of the plot on a phone, on laptops and beyond


def pareto_figure(spots: Sequence[Spot], cost: Cost, colours: Palette) -> go.Figure:
    """Test error over cost; what is compared with its runs' marks, the others small and grey.

    Args:
        spots: ``spots_of``'s.
        cost: the horizontal axis.
        colours: of the theme.
    """
    most = max((spot.cost for spot in spots), default=1.0)
    unit = 1e9 if most >= 1e9 else 1e6
    reach = 1.16 * most / unit
    low = min((spot.error.low for spot in spots), default=0.0)
    high = max((spot.error.high for spot in spots), default=1.0)
    room = max(0.08 * (high - low), 0.002)
    ends = (100 * max(0.0, low - room), 100 * (high + room))
    what = "multiply-adds an image" if cost == "multiply-adds" else "parameters"
    return go.Figure(
        data=[_frontier(spots, unit, reach, ends, colours), *_marks(spots, unit, colours)],
        layout=layout(
            _HEIGHT,
            margin={"t": 16},
            hovermode="closest",
            annotations=_names(spots, unit, reach, ends, colours),
            xaxis={
                "title": {"text": f"{what}, {'billions' if unit == 1e9 else 'millions'}"},
                "range": [0, reach],
                "showgrid": True,
            },
            yaxis={
                "title": {"text": "test error, %"},
                "range": list(ends),
                "rangemode": "normal",
            },
        ),
    )


def _frontier(
    spots: Sequence[Spot], unit: float, reach: float, ends: tuple[float, float], colours: Palette
) -> dict[str, Any]:
    """Steps through the best trainings: below and left of them there is none."""
    best = [spot for spot in spots if spot.best]
    x = [spot.cost / unit for spot in best]
    y = [100 * spot.error.value for spot in best]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [x[0], *x, reach] if best else [],
        "y": [ends[1], *y, y[-1]] if best else [],
        "line": {"color": colours.muted, "width": 1.3, "shape": "hv", "dash": "dot"},
        "hoverinfo": "skip",
    }


def _marks(spots: Sequence[Spot], unit: float, colours: Palette) -> list[dict[str, Any]]:
    """A trace for each look: those that are compared above the others."""
    traces: list[dict[str, Any]] = []
    letters = ["", *sorted({spot.letters[0] for spot in spots if spot.letters})]
    for letter in letters:
        part = [spot for spot in spots if spot.letters[:1] == letter]
        if not part:
            continue
        look = look_of(letter) if letter else None
        tone = look.colour if look else colours.muted
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [spot.cost / unit for spot in part],
                "y": [100 * spot.error.value for spot in part],
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [100 * (spot.error.high - spot.error.value) for spot in part],
                    "arrayminus": [100 * (spot.error.value - spot.error.low) for spot in part],
                    "color": tone,
                    "thickness": 1,
                    "width": 3,
                },
                "marker": {
                    "symbol": look.mark if look else "circle",
                    "size": 14 if look else 9,
                    "color": tone,
                    "opacity": 1,
                    "line": {"width": 1, "color": colours.background},
                },
                "customdata": [[spot.picked, _hover(spot)] for spot in part],
                "hovertemplate": "%{customdata[1]}<extra></extra>",
                **NO_FADING,
            }
        )
    return traces


def _hover(spot: Spot) -> str:
    low, high = 100 * spot.error.low, 100 * spot.error.high
    several = len(spot.errors) > 1
    letters = f"{', '.join(spot.letters)} " if spot.letters else ""
    seeds = ", ".join(f"{error:.2f} % (seed {seed})" for seed, error in spot.errors.items())
    lines = [
        f"<b>{letters}{escape(spot.title)}</b>",
        *map(escape, spot.changed),
        f"{escape(spot.recipe)} recipe, {spot.epochs:,} epochs"
        + (", a seed that was trained again" if spot.again else ""),
        f"test error {100 * spot.error.value:.2f} %" + (f", mean of {seeds}" if several else ""),
        f"over images: 95 % interval {low:.2f} to {high:.2f}, n = {spot.error.n:,}"
        + (" of one run" if several else ""),
        f"click: compare with {escape(spot.picked)}, or no longer",
    ]
    if spot.best:
        lines.insert(-1, "on the frontier")
    return "<br>".join(lines)


def _names(
    spots: Sequence[Spot], unit: float, reach: float, ends: tuple[float, float], colours: Palette
) -> list[dict[str, Any]]:
    """What is compared is named in any case, where there is no room by its letter alone."""
    order = sorted(spots, key=lambda spot: (not spot.letters, not spot.best, spot.letters))
    height = float(_HEIGHT - _MARGINS)
    span = ends[1] - ends[0]

    def at(cost: float, error: float) -> Pixels:
        return cost / unit / reach * _WIDTH, (ends[1] - 100 * error) / span * height

    def placed(labels: Sequence[str]) -> list[Place | None]:
        points = [at(spot.cost, spot.error.value) for spot in order]
        lines = [*_bars(spots, at), *_steps(spots, at)]
        return place_names(points, labels, (_WIDTH, height), lines, _WIDER)

    named = _named(order)
    labels = [spot.label if spot.names in named else "" for spot in order]
    places = placed([label_of(*each) for each in zip(order, labels, strict=True)])
    crowded = [bool(s.letters) and p is None for s, p in zip(order, places, strict=True)]
    if any(crowded):
        labels = ["" if cut else label for label, cut in zip(labels, crowded, strict=True)]
        places = placed([label_of(*each) for each in zip(order, labels, strict=True)])
    return [
        _name(spot, label, place, unit, colours)
        for spot, label, place in zip(order, labels, places, strict=True)
        if place is not None and spot.names in named
    ]


def _named(order: Sequence[Spot]) -> set[tuple[str, ...]]:
    """What is compared, and of the others the first of each name: seeds may be trained again."""
    labels = {spot.label for spot in order if spot.letters}
    found = {spot.names for spot in order if spot.letters}
    for spot in order:
        if spot.label not in labels:
            labels.add(spot.label)
            found.add(spot.names)
    return found


def _bars(spots: Sequence[Spot], at: Callable[[float, float], Pixels]) -> list[Line]:
    """The intervals as lines, which names should not cover."""
    return [(at(s.cost, s.error.low), at(s.cost, s.error.high)) for s in spots]


def _steps(spots: Sequence[Spot], at: Callable[[float, float], Pixels]) -> list[Line]:
    """The frontier as lines, likewise."""
    best = [(spot.cost, spot.error.value) for spot in spots if spot.best]
    lines: list[Line] = []
    for (cost, error), (then, less) in pairwise(best):
        lines += [(at(cost, error), at(then, error)), (at(then, error), at(then, less))]
    return lines


def _name(spot: Spot, label: str, place: Place, unit: float, colours: Palette) -> dict[str, Any]:
    text, letters = escape(label), ", ".join(spot.letters)
    return {
        "x": spot.cost / unit,
        "y": 100 * spot.error.value,
        "text": f"<b>{letters}</b> {text}".strip() if letters else text,
        "font": {"size": 12, "color": colours.text if letters else colours.muted},
        # Where a bar or the frontier runs behind the name all the same, it stays legible.
        "bgcolor": colours.background,
        "ax": place.dx,
        "ay": place.dy,
        "showarrow": True,
        "arrowhead": 0,
        "arrowwidth": 0.8,
        "arrowcolor": colours.muted if place.far else "rgba(0,0,0,0)",
        "standoff": 7,
        "borderpad": 0,
    }
