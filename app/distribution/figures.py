"""The page's histogram: pure functions from counts to a plotly figure."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from app.charts import NO_FADING, Palette, layout
from drnn_core.analysis.loops import Summary

Trace = dict[str, Any]


def histogram_figure(
    counts: NDArray[np.int64],
    everything: NDArray[np.int64] | None,
    chosen: tuple[int, int] | None,
    found: Summary,
    expected: float | None,
    colours: Palette,
) -> go.Figure:
    """Images by total loops (figure 8 of the paper), with the mean and the expectation marked.

    Args:
        counts: images with 0, 1, ... loops.
        everything: the same of all records; drawn as an outline, as if there were as many of
            them as in ``counts``, so that the shapes can be compared. None if nothing is filtered.
        chosen: loops that the gallery shows; None for all.
        found: mean and standard deviation of what ``counts`` counts.
        expected: expectation at the target; None without gates.
        colours: of the theme.
    """
    loops = np.arange(len(counts))
    low, high = chosen or (0, len(counts))
    inside = (loops >= low) & (loops <= high)
    bars: Trace = {
        "type": "bar",
        "x": loops,
        "y": counts,
        "marker": {"color": [colours.ran if here else colours.ran_soft for here in inside]},
        "customdata": 100 * counts / max(1, int(counts.sum())),
        "hovertemplate": ("<b>%{x} loops</b><br>%{y:,} images, %{customdata:.1f} %<extra></extra>"),
        **NO_FADING,
    }
    marks = _distribution_marks(found, expected, len(counts), colours)
    return go.Figure(
        data=[bars] if everything is None else [bars, _outline(everything, counts, colours)],
        layout=layout(
            300,
            barmode="overlay",
            bargap=0.16,
            margin={"t": 46},
            xaxis={
                "title": {"text": "loops per image"},
                "dtick": _tick(len(counts)),
                "range": [-0.6, len(counts) - 0.4],
            },
            yaxis={"title": {"text": "images"}, "tickformat": ",d", **_upwards(counts)},
            **marks,
        ),
    )


def _upwards(counts: NDArray[np.int64]) -> Trace:
    """An axis of no or few images has whole numbers only."""
    most = int(counts.max(initial=0))
    return {"dtick": 1, "range": [0, max(1, most) * 1.05]} if most < 5 else {}


def _outline(everything: NDArray[np.int64], counts: NDArray[np.int64], colours: Palette) -> Trace:
    edges = np.arange(len(counts) + 1) - 0.5
    heights = everything * (counts.sum() / everything.sum())
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.repeat(edges, 2)[1:-1],
        "y": np.repeat(heights, 2),
        "line": {"color": colours.muted, "width": 1.25},
        "hoverinfo": "skip",
    }


def _distribution_marks(
    found: Summary, expected: float | None, bars: int, colours: Palette
) -> Trace:
    """The shapes and annotations that mark mean, spread and expectation."""
    shapes: list[Trace] = []
    notes: list[Trace] = []
    if expected is not None:
        left = math.isnan(found.mean) or expected <= found.mean
        left = (left and expected > bars / 3) or expected > bars / 2
        line, note = _mark(expected, 1.01, left, colours.muted, "dash")
        shapes.append(line)
        notes.append({**note, "text": f"expected at target <b>{expected:.2f}</b>"})
    if not math.isnan(found.mean):
        spread = 0.0 if math.isnan(found.std) else found.std
        shapes.append(
            {
                "type": "rect", "layer": "below", "yref": "paper", "y0": 0, "y1": 1,
                "x0": found.mean - spread, "x1": found.mean + spread,
                "fillcolor": colours.text, "opacity": 0.06, "line": {"width": 0},
            }
        )  # fmt: skip
        left = expected is not None and found.mean < expected
        left = (left and found.mean > bars / 3) or found.mean > bars / 2
        line, note = _mark(found.mean, 1.12, left, colours.text, "solid")
        shapes.append(line)
        notes.append({**note, "text": f"mean <b>{found.mean:.2f}</b> ± {spread:.2f}"})
    for note in notes:
        note["bgcolor"] = colours.background
    return {"shapes": shapes, "annotations": notes}


def _mark(x: float, height: float, left: bool, colour: str, dash: str) -> tuple[Trace, Trace]:
    """A vertical line, and its text beside its upper end in a row of its own above the bars."""
    line = {
        "type": "line", "x0": x, "x1": x, "y0": 0, "y1": height + 0.08, "yref": "paper",
        "line": {"color": colour, "width": 1.5, "dash": dash},
    }  # fmt: skip
    note = {
        "x": x,
        "y": height,
        "yref": "paper",
        "yanchor": "bottom",
        "xanchor": "right" if left else "left",
        "xshift": -4 if left else 4,
        "showarrow": False,
        "borderpad": 1,
        "font": {"color": colour, "size": 13},
    }
    return line, note


def _tick(bars: int) -> int:
    return next(step for step in (1, 2, 5, 10, 20, 50, 100) if bars / step <= 26)
