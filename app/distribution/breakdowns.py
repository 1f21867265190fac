"""The page's smaller figures, per block and per class: from tables to plotly figures."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from app.charts import NO_FADING, Palette, layout
from app.distribution.figures import Trace
from drnn_core.analysis.loops import Summary

MOST_CLASSES = 40


def step_figure(
    steps: pd.DataFrame, means: Sequence[float], chosen: tuple[int, int] | None, colours: Palette
) -> go.Figure:
    """Share of the images that ran each loop of each block, with t^k as ticks.

    Args:
        steps: ``analysis.loops.step_table``.
        means: executed loops of each block, over the images.
        chosen: (block, loop) that the gallery is limited to, or None.
        colours: of the theme.
    """
    widest = int(steps["loop"].max()) + 2
    places = (steps["block"] * widest + steps["loop"]).to_numpy()
    lit = [
        chosen is None or (block, loop) == chosen
        for block, loop in zip(steps["block"], steps["loop"], strict=True)
    ]
    facts = (
        steps["name"], steps["loop"] + 1, steps["ran"], 100 * steps["opened"], steps["reached"],
        100 * steps["expected"],
    )  # fmt: skip
    bars: Trace = {
        "type": "bar",
        "x": places,
        "y": 100 * steps["rate"],
        "width": 0.82,
        "marker": {"color": [colours.ran if here else colours.ran_soft for here in lit]},
        "customdata": list(zip(*facts, strict=True)),
        "hovertemplate": (
            "<b>block %{customdata[0]}, loop %{customdata[1]}</b><br>"
            "%{y:.1f} % of the images ran it (%{customdata[2]:,})<br>"
            "the gate opened for %{customdata[3]:.1f} % of %{customdata[4]:,} asked<br>"
            "expected at the target: %{customdata[5]:.1f} %<extra></extra>"
        ),
        **NO_FADING,
    }
    names = steps.groupby("block")["name"].first()
    depths = steps.groupby("block")["loop"].max()
    centres = [block * widest + depth / 2 for block, depth in zip(names.index, depths, strict=True)]
    return go.Figure(
        data=[bars, _expected_ticks(places, 100 * steps["expected"].to_numpy(), colours)],
        layout=layout(
            240,
            annotations=[_above(x, mean, colours) for x, mean in zip(centres, means, strict=True)],
            xaxis={
                "tickvals": centres,
                "ticktext": list(names),
                "title": {"text": "block (stage.block)"},
            },
            yaxis={"range": [0, 100], "ticksuffix": " %", "dtick": 25},
        ),
    )


def _above(x: float, mean: float, colours: Palette) -> Trace:
    """A block's mean loops over its bars."""
    return {
        "x": x, "y": 1.0, "yref": "paper", "yanchor": "bottom", "showarrow": False,
        "text": "" if math.isnan(mean) else f"<b>{mean:.2f}</b>",
        "font": {"size": 12, "color": colours.muted},
    }  # fmt: skip


def _expected_ticks(
    places: NDArray[np.int64], heights: NDArray[np.float64], colours: Palette
) -> Trace:
    x: list[float | None] = []
    y: list[float | None] = []
    for place, height in zip(places.tolist(), heights.tolist(), strict=True):
        x += [place - 0.46, place + 0.46, None]
        y += [height, height, None]
    line = {"color": colours.text, "width": 1.5}
    return {"type": "scatter", "x": x, "y": y, "mode": "lines", "line": line, "hoverinfo": "skip"}


def class_figure(
    classes: pd.DataFrame, chosen: Sequence[str], found: Summary, loops_max: int, colours: Palette
) -> go.Figure:
    """Mean loops of each class with one standard deviation to either side, fewest first.

    Args:
        classes: ``analysis.loops.class_table``; of more than ``MOST_CLASSES``, both ends.
        chosen: names that the gallery is limited to; empty for all.
        found: over all classes, drawn as a line.
        loops_max: end of the axis.
        colours: of the theme.
    """
    shown = ends(classes)
    spread = shown["std"].fillna(0.0)
    lit = [not chosen or name in chosen for name in shown["name"]]
    bars: Trace = {
        "type": "bar",
        "orientation": "h",
        "y": shown["name"],
        "base": shown["mean"] - spread,
        "x": 2 * spread,
        "width": 0.62,
        "marker": {"color": [colours.ran_soft if here else colours.grid for here in lit]},
        "customdata": shown[["n", "mean", "std", "error"]],
        "hovertemplate": (
            "<b>%{y}</b><br>%{customdata[1]:.2f} ± %{customdata[2]:.2f} loops<br>"
            "%{customdata[0]:,} images, error %{customdata[3]:.1f} %<extra></extra>"
        ),
        **NO_FADING,
    }
    dots: Trace = {
        "type": "scatter",
        "y": shown["name"],
        "x": shown["mean"],
        "mode": "markers",
        "marker": {"color": [colours.ran if here else colours.skipped for here in lit], "size": 9},
        "hoverinfo": "skip",
        **NO_FADING,
    }
    line = {
        "type": "line", "x0": found.mean, "x1": found.mean, "y0": 0, "y1": 1, "yref": "paper",
        "line": {"color": colours.muted, "width": 1, "dash": "dot"},
    }  # fmt: skip
    return go.Figure(
        data=[bars, dots],
        layout=layout(
            70 + 26 * len(shown),
            margin={"t": 6},
            shapes=[line],
            xaxis={
                "title": {"text": "loops per image, mean ± standard deviation"},
                "range": [0, loops_max],
                "showgrid": True,
            },
            yaxis={
                "autorange": "reversed",
                "tickfont": {"color": colours.text},
                "type": "category",
            },
        ),
    )


def ends(classes: pd.DataFrame) -> pd.DataFrame:
    """The classes that fit on the figure: all, or half from either end."""
    if len(classes) <= MOST_CLASSES:
        return classes
    half = MOST_CLASSES // 2
    return pd.concat([classes.head(half), classes.tail(half)], ignore_index=True)
