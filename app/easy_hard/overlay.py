"""One column's two distributions: easy images against hard ones, in the same bins."""

from __future__ import annotations

from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from app.charts import NO_FADING, Palette, layout
from app.distribution.figures import Trace
from app.easy_hard.comparison import Compared
from app.numbers import number

_TICKS_MOST = 8


def distribution_figure(counts: pd.DataFrame, pair: Compared, colours: Palette) -> go.Figure:
    """Easy images as filled bars, hard ones as a line over them, in the same bins.

    Args:
        counts: ``analysis.histograms.two_histograms``.
        pair: the column.
        colours: of the theme.
    """
    shares = [
        100 * counts[end].to_numpy() / max(1, int(counts[end].sum())) for end in ("easy", "hard")
    ]
    edges = _edges(counts)
    centres, widths = (edges[:-1] + edges[1:]) / 2, np.diff(edges)
    ends = zip(counts["low"], counts["high"], counts["easy"], counts["hard"], *shares, strict=True)
    bars: Trace = {
        "type": "bar",
        "x": centres,
        "y": shares[0],
        "width": widths,
        "marker": {"color": colours.ran_soft, "line": {"width": 0}},
        "customdata": [
            [f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}", *rest]
            for low, high, *rest in ends
        ],
        "hovertemplate": (
            "<b>%{customdata[0]}</b><br>easy: %{customdata[3]:.1f} % (%{customdata[1]:,} images)"
            "<br>hard: %{customdata[4]:.1f} % (%{customdata[2]:,} images)<extra></extra>"
        ),
        **NO_FADING,
    }
    outline: Trace = {
        "type": "scatter",
        "mode": "lines",
        "x": np.repeat(edges, 2),
        "y": [0, *np.repeat(shares[1], 2), 0],
        "line": {"color": colours.wrong, "width": 2},
        "hoverinfo": "skip",
    }
    shapes, notes = _means(pair, float(edges[0] + edges[-1]) / 2, colours)
    most = max(1.0, *(float(share.max(initial=0)) for share in shares))
    return go.Figure(
        data=[bars, outline],
        layout=layout(
            300,
            bargap=0,
            margin={"t": 46},
            shapes=shapes,
            annotations=notes,
            xaxis={
                "title": {"text": escape(pair.column.label)}, "range": _view(edges),
                **_few_ticks(counts),
            },
            yaxis={"title": {"text": "share of the images"}, "ticksuffix": " %",
                   "range": [0, 1.06 * most]},
        ),
    )  # fmt: skip


def _few_ticks(counts: pd.DataFrame) -> Trace:
    """The values themselves where there are few, such as 0 and 1."""
    values = counts["low"].to_numpy()
    if len(values) > _TICKS_MOST or (values != counts["high"].to_numpy()).any():
        return {}
    return {"tickvals": values, "ticktext": [f"{value:.4g}" for value in values]}


def _edges(counts: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Ends of the bins as drawn: values around themselves, outermost bins as wide as others."""
    low, high = counts["low"].to_numpy(), counts["high"].to_numpy()
    if (low == high).all():
        half = np.diff(low).min() / 2 if len(low) > 1 else 0.5
        middles = (low[1:] + low[:-1]) / 2
        return np.array([low[0] - half, *middles, low[-1] + half])
    edges = np.append(low, high[-1])
    if len(edges) > 3:
        step = edges[2] - edges[1]
        edges[0], edges[-1] = edges[1] - step, edges[-2] + step
    return edges


def _view(edges: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float]:
    room = 0.02 * (edges[-1] - edges[0])
    return [float(edges[0] - room), float(edges[-1] + room)]


def _means(pair: Compared, middle: float, colours: Palette) -> tuple[list[Trace], list[Trace]]:
    """Both means as lines with their names in rows of their own above the bars."""
    shapes: list[Trace] = []
    notes: list[Trace] = []
    both = (
        ("easy", pair.effect.easy_mean, colours.ran, "solid", 1.0),
        ("hard", pair.effect.hard_mean, colours.wrong, "dash", 1.1),
    )
    for name, mean, colour, dash, height in both:
        shapes.append(
            {
                "type": "line", "x0": mean, "x1": mean, "yref": "paper", "y0": 0,
                "y1": height + 0.07, "line": {"color": colour, "width": 1.5, "dash": dash},
            }
        )  # fmt: skip
        notes.append(
            {
                "x": mean, "y": height, "yref": "paper", "yanchor": "bottom", "showarrow": False,
                "xanchor": "left" if mean <= middle else "right",
                "xshift": 4 if mean <= middle else -4, "borderpad": 1,
                "text": f"{name}: mean <b>{number(mean, '.3g')}</b>",
                "font": {"color": colour, "size": 13}, "bgcolor": colours.background,
            }
        )  # fmt: skip
    return shapes, notes
