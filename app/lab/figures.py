"""A picture along one factor, beside the mean of many: thumbnails, confidence and loops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from PIL import Image

from app import charts
from app.charts import Palette
from app.inspection.components import data_uri
from app.lab.line import STEP, Line
from app.numbers import percent
from drnn_core.store.sweeps import KeptPoint, KeptSweep, Ranged

_THUMB = 64  # pixels
_LETTERS = 9  # of a class, for each point that it holds
# Vertical places, from 0 below to 1 above.
_CONFIDENCE, _LOOPS, _THUMBS, _NAMES = (0.44, 0.78), (0.0, 0.34), (0.87, 1.0), 0.80


def line_figure(
    line: Line, many: KeptSweep | None, at: float | None, colours: Palette
) -> go.Figure:
    """The chart; each of its columns can be clicked.

    Args:
        line: of the picture.
        many: the same factor over test images.
        at: the strength that the sliders stand at, marked.
        colours: of the page.
    """
    frame = line.frame()
    looped = line.found[0].loops_max > 0
    figure = go.Figure()
    if many:
        strengths = [point.strength for point in many.points]
        _add_band(figure, strengths, [point.confidence for point in many.points], "y", colours)
        if looped:
            _add_band(figure, strengths, [point.loops for point in many.points], "y2", colours)
    x, first = frame["strength"], line.found[0].label
    other = np.array([one.label != first for one in line.found])
    figure.add_scatter(
        x=x, y=frame["probability_of_first"], mode="lines", hoverinfo="skip",
        line={"color": colours.ran, "width": 1.2, "dash": "dot"},
    )  # fmt: skip
    _add_line(figure, x, frame["confidence"], other, "y", colours)
    if looped:
        _add_line(figure, x, frame["loops"], other, "y2", colours)
    low, high = _range(line, many)
    _add_columns(figure, line, many, (low, high) if looped else None)
    figure.update_layout(**_layout(line, looped, (low, high)))
    _add_names(figure, line, colours)
    _add_thumbs(figure, line)
    if at is not None:
        _add_mark(figure, at, colours)
    return figure


def _add_band(
    figure: go.Figure,
    strengths: Sequence[float],
    ranged: Sequence[Ranged],
    axis: str,
    colours: Palette,
) -> None:
    mean, low, high = zip(*ranged, strict=True)
    figure.add_scatter(
        x=[*strengths, *reversed(strengths)], y=[*high, *reversed(low)], yaxis=axis,
        fill="toself", fillcolor=colours.skipped, opacity=0.5, mode="lines",
        line={"width": 0}, hoverinfo="skip",
    )  # fmt: skip
    figure.add_scatter(
        x=strengths, y=mean, yaxis=axis, mode="lines", hoverinfo="skip",
        line={"color": colours.muted, "width": 1.6, "dash": "dash"},
    )  # fmt: skip


def _add_line(
    figure: go.Figure, x: Any, y: Any, other: NDArray[np.bool_], axis: str, colours: Palette
) -> None:
    """Dots where the answer is the first one, diamonds where it is another."""
    figure.add_scatter(
        x=x, y=y, yaxis=axis, mode="lines+markers", hoverinfo="skip",
        line={"color": colours.ran, "width": 2.2},
        marker={
            "size": np.where(other, 10, 8),
            "symbol": np.where(other, "diamond", "circle"),
            "color": np.where(other, colours.wrong, colours.ran),
            "opacity": 1,
        },
    )  # fmt: skip


def _add_columns(
    figure: go.Figure, line: Line, many: KeptSweep | None, loops: tuple[float, float] | None
) -> None:
    """Unseen bars over the whole height, to be pointed at and clicked."""
    frame = line.frame()
    points = {} if many is None else {point.strength: point for point in many.points}
    words = [
        _words(line, place, points.get(STEP * place), loops is not None)
        for place in range(len(line.found))
    ]
    bars: dict[str, Any] = {
        "x": frame["strength"],
        "width": STEP,
        "marker": {"color": "rgba(0,0,0,0)", "line": {"width": 0}},
        "hovertext": words,
        "hovertemplate": "%{hovertext}<extra></extra>",
        **charts.NO_FADING,
    }
    figure.add_bar(y=[1.0] * len(frame), **bars)
    if loops:
        low, high = loops
        figure.add_bar(y=[high - low] * len(frame), base=low, yaxis="y2", **bars)


def _words(line: Line, place: int, point: KeptPoint | None, looped: bool) -> str:
    """Of one column."""
    found = line.found[place]
    said, chance = found.top[0]
    strength = line.factor.in_words(line.values[place], sign=True)
    words = f"<b>{strength}</b><br>{said}, {percent(chance)}"
    if looped:
        words += f"<br>{found.loops} loops"
    if point is None:
        return words
    mean, low, high = point.confidence
    words += f"<br><br>test images:<br>confidence {mean:.1%} ({low:.1%} to {high:.1%})"
    if looped:
        words += "<br>{:.2f} ({:.2f} to {:.2f}) loops".format(*point.loops)
    return words + "<br>{:.1f} % ({:.1f} to {:.1f}) answered otherwise".format(*point.flipped)


def _layout(line: Line, looped: bool, loops: tuple[float, float]) -> dict[str, Any]:
    factor, values = line.factor, line.values
    unit = f", {factor.unit}" if factor.unit else ""
    layout = charts.layout(
        450 if looped else 340,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        bargap=0,
        barmode="overlay",
        xaxis={
            "title": {"text": f"{factor.label.lower()}{unit}"},
            "tickvals": [STEP * place for place in range(len(values))],
            "ticktext": [
                f"{factor.shown(value):.{factor.digits}f}".replace("-", "−") for value in values
            ],
            "tickangle": 0,
            "range": [-STEP / 2, STEP * (len(values) - 0.5)],
            "anchor": "y2" if looped else "y",
        },
        yaxis={
            "title": {"text": "confidence"},
            "range": [0, 1.04],
            "dtick": 0.5,
            "tickformat": ".0%",
            "domain": _CONFIDENCE if looped else (0.0, _CONFIDENCE[1]),
        },
    )
    if looped:
        layout["yaxis2"] = {
            **layout["yaxis"],
            "title": {**layout["yaxis"]["title"], "text": "loops"},
            "range": list(loops),
            "dtick": max(1, round((loops[1] - loops[0]) / 4)),
            "tickformat": "d",
            "rangemode": "normal",
            "domain": _LOOPS,
        }
    return layout


def _range(line: Line, many: KeptSweep | None) -> tuple[float, float]:
    """Of the axis of loops: all that is drawn, with room."""
    numbers = [float(one.loops) for one in line.found]
    if many:
        numbers += [number for point in many.points for number in point.loops]
    return max(np.floor(min(numbers)) - 1, -0.5), np.ceil(max(numbers)) + 1


def segments(line: Line) -> list[tuple[int, int, str]]:
    """First and last point of every stretch with one answer, and the answer."""
    starts = [0, *line.flips]
    ends = [*(place - 1 for place in line.flips), len(line.found) - 1]
    return [
        (start, end, line.found[start].top[0][0]) for start, end in zip(starts, ends, strict=True)
    ]


def _add_names(figure: go.Figure, line: Line, colours: Palette) -> None:
    """The answer of every stretch above it, and a line where it changes."""
    first = line.found[0].top[0][0]
    for start, end, name in segments(line):
        room = _LETTERS * (end - start + 1)
        figure.add_annotation(
            x=STEP * (start + end) / 2, y=_NAMES, yref="paper", yanchor="bottom", showarrow=False,
            text=name if len(name) <= room else f"{name[: room - 1]}…",
            font={"size": 12.5, "color": colours.ran if name == first else colours.wrong},
        )  # fmt: skip
        if start:
            figure.add_shape(
                type="line", x0=STEP * (start - 0.5), x1=STEP * (start - 0.5), y0=0, y1=_THUMBS[0],
                yref="paper", line={"color": colours.wrong, "width": 1, "dash": "dot"},
            )  # fmt: skip


def _add_thumbs(figure: go.Figure, line: Line) -> None:
    for place, one in enumerate(line.found):
        figure.add_layout_image(
            source=_thumb(one.seen), x=STEP * place, y=_THUMBS[1], xref="x", yref="paper",
            sizex=0.86 * STEP, sizey=_THUMBS[1] - _THUMBS[0], xanchor="center", yanchor="top",
            sizing="contain",
        )  # fmt: skip


def _thumb(seen: NDArray[np.uint8]) -> str:
    """Small, and blocks of pixels where there are few of them."""
    image = Image.fromarray(seen)
    few = max(image.size) < _THUMB
    how = Image.Resampling.NEAREST if few else Image.Resampling.LANCZOS
    return data_uri(np.asarray(image.resize((_THUMB, _THUMB), how), np.uint8))


def _add_mark(figure: go.Figure, at: float, colours: Palette) -> None:
    figure.add_shape(
        type="line", x0=at, x1=at, y0=0, y1=_CONFIDENCE[1], yref="paper", layer="below",
        line={"color": colours.muted, "width": 1.2},
    )  # fmt: skip
    figure.add_annotation(
        x=at, y=0, yref="paper", yanchor="bottom", showarrow=False, xanchor="left", xshift=4,
        text="the slider", font={"size": 11.5, "color": colours.muted}, bgcolor=colours.background,
    )  # fmt: skip
