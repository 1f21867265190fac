"""The figures of the chosen column: density, means at each number of loops, classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from app.charts import NO_FADING, Palette, layout
from app.saliency.measures import Related
from drnn_core.analysis.by_loops import Density

Trace = dict[str, Any]

_FEW = 5  # images of a number of loops below which its interval says nothing
_NAME_LONGEST = 20  # letters


def density_figure(found: Related, label: str, loops_max: int, colours: Palette) -> go.Figure:
    """Images by loops and value: the darker the more; the line is the mean."""
    counts, edges = found.density
    share = counts / np.maximum(counts.sum(axis=0, keepdims=True), 1)
    most = max(1, int(counts.max()))
    heat: Trace = {
        "type": "heatmap",
        "x": list(range(counts.shape[1])),
        "y": edges,
        "z": np.where(counts > 0, counts, np.nan),
        "customdata": np.stack([100 * share], axis=-1),
        "colorscale": [[0, _pale(colours)], [1, colours.ran]],
        "zmin": 0,
        "zmax": most,
        "xgap": 1,
        "colorbar": {
            "thickness": 8, "outlinewidth": 0, "len": 0.92, "title": {"text": "images"},
            "tickfont": {"color": colours.muted, "size": 11}, "nticks": 4, "tickformat": ",d",
        },
        "hovertemplate": (
            "%{x} loops, value about %{y:.3g}<br><b>%{z:,} images</b>, %{customdata[0]:.1f} % of "
            "those with as many loops<extra></extra>"
        ),
    }  # fmt: skip
    means = found.means[found.means["n"] >= _FEW]
    line: Trace = {
        "type": "scatter",
        "x": means["loops"],
        "y": means["mean"],
        "mode": "lines+markers",
        "line": {"color": colours.text, "width": 2},
        "marker": {"size": 5, "color": colours.text},
        "hoverinfo": "skip",
    }
    return go.Figure(
        data=[heat, line],
        layout=layout(
            320,
            margin={"t": 10},
            xaxis=_loops_axis(loops_max),
            yaxis={
                "title": {"text": label},
                "range": [float(edges[0]), float(edges[-1])],
                "rangemode": "normal",
                "showgrid": False,
            },
        ),
    )


def means_figure(found: Related, label: str, loops_max: int, colours: Palette) -> go.Figure:
    """The mean at each number of loops with its interval."""
    means = found.means
    shown = means[means["n"] >= _FEW] if (means["n"] >= _FEW).any() else means
    points: Trace = {
        "type": "scatter",
        "x": shown["loops"],
        "y": shown["mean"],
        "mode": "markers+lines",
        "line": {"color": colours.ran_soft, "width": 1.5},
        "marker": {"color": colours.ran, "size": 8},
        "error_y": {
            "type": "data", "array": shown["high"] - shown["mean"],
            "arrayminus": shown["mean"] - shown["low"], "color": colours.ran, "thickness": 1.5,
            "width": 3,
        },
        "customdata": shown[["n", "low", "high"]],
        "hovertemplate": (
            "<b>%{x} loops</b><br>mean %{y:.4g}, 95 % interval %{customdata[1]:.4g} to "
            "%{customdata[2]:.4g}<br>n = %{customdata[0]:,} images<extra></extra>"
        ),
    }  # fmt: skip
    shapes: list[Trace] = []
    if len(means):
        overall = float(np.average(means["mean"], weights=means["n"]))
        shapes = [
            {
                "type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": overall, "y1": overall,
                "line": {"color": colours.muted, "width": 1, "dash": "dot"},
            }
        ]  # fmt: skip
    return go.Figure(
        data=[points],
        layout=layout(
            320,
            margin={"t": 10},
            shapes=shapes,
            xaxis=_loops_axis(loops_max),
            yaxis={
                "title": {"text": f"mean {label}"},
                "range": _around(shown),
                "rangemode": "normal",
            },
        ),
    )


def class_table(found: Related, classes: Sequence[str]) -> pd.DataFrame:
    """Each class's correlation, falling: ``name``, ``n``, ``rho``, ``low``, ``high``, ``p``."""
    rows = [
        {"name": classes[label], "n": one.n, "rho": one.rho, "low": one.low, "high": one.high,
         "p": one.p}
        for label, one in found.by_class.items()
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["name", "n", "rho", "low", "high", "p"])
    return table.sort_values("rho", ascending=False, ignore_index=True)


def class_figure(shown: pd.DataFrame, found: Related, colours: Palette) -> go.Figure:
    """Each class's correlation with its interval; dotted: that within classes, over all.

    Args:
        shown: ``class_table``, of many classes what ``breakdowns.shown_classes`` leaves.
        found: the relation.
        colours: of the theme.
    """
    there = shown[shown["rho"].notna()]
    apart = (there["low"] > 0) | (there["high"] < 0)
    dots: Trace = {
        "type": "scatter",
        "x": there["rho"],
        "y": there.index,
        "mode": "markers",
        "marker": {
            "size": 9,
            "color": [colours.ran if clear else colours.background for clear in apart],
            "line": {"color": colours.ran, "width": 1.6},
        },
        "error_x": {
            "type": "data", "array": (there["high"] - there["rho"]).fillna(0),
            "arrayminus": (there["rho"] - there["low"]).fillna(0), "color": colours.ran,
            "thickness": 1.5, "width": 3,
        },
        "customdata": there[["name", "low", "high", "n", "p"]],
        "hovertemplate": (
            "<b>%{customdata[0]}</b><br>ρ = %{x:.2f}, 95 % interval %{customdata[1]:.2f} to "
            "%{customdata[2]:.2f}<br>p = %{customdata[4]:.2g}, n = %{customdata[3]:,} images"
            "<extra></extra>"
        ),
        **NO_FADING,
    }  # fmt: skip
    lines: list[Trace] = [_upright(0.0, colours.skipped, "solid")]
    if not math.isnan(found.within.rho):
        lines.append(_upright(found.within.rho, colours.muted, "dot"))
    return go.Figure(
        data=[dots],
        layout=layout(
            64 + 27 * max(1, len(shown)),
            margin={"t": 6},
            shapes=lines,
            xaxis={"title": {"text": "ρ with loops within the class"}, "showgrid": True},
            yaxis={
                "range": [len(shown) - 0.4, -0.6],
                "tickvals": shown.index,
                "ticktext": [_cut(name) for name in shown["name"]],
                "tickfont": {"color": colours.text},
                "showgrid": False,
            },
        ),
    )


def density_table(found: Density) -> pd.DataFrame:
    """The density's numbers, a row for each bin and number of loops that has images."""
    row, loops = np.nonzero(found.counts)
    return pd.DataFrame(
        {
            "loops": loops,
            "from": found.edges[row],
            "to": found.edges[row + 1],
            "images": found.counts[row, loops],
        }
    )


def _loops_axis(loops_max: int) -> Trace:
    return {
        "title": {"text": "loops per image"},
        "range": [-0.6, loops_max + 0.6],
        "dtick": 1 if loops_max <= 8 else 2 if loops_max <= 26 else 5,
    }


def _around(means: pd.DataFrame) -> list[float]:
    """A range that holds the means and intervals of all but a few images."""
    parts = means[["mean", "low", "high"]].to_numpy(np.float64)
    if not np.isfinite(parts).any():
        return [0.0, 1.0]
    low, high = float(np.nanmin(parts)), float(np.nanmax(parts))
    room = 0.08 * (high - low) or 0.5 * abs(high) or 1.0
    return [low - room, high + room]


def _upright(x: float, colour: str, dash: str) -> Trace:
    return {
        "type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "layer": "below",
        "line": {"color": colour, "width": 1.5, "dash": dash},
    }  # fmt: skip


def _cut(name: str) -> str:
    short = name if len(name) <= _NAME_LONGEST else f"{name[: _NAME_LONGEST - 1].rstrip(' ,')}…"
    return escape(short)


def _pale(colours: Palette) -> str:
    red, green, blue = (int(colours.ran[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.06)"
