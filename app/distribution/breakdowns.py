"""The page's smaller figures, per block and per class: from tables to plotly figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from app.charts import NO_FADING, Palette, layout
from app.distribution.figures import Trace
from drnn_core.analysis.loops import Summary

MOST_CLASSES = 24
MOST_NAMES = 14  # of blocks, below the figure
_NAME_LONGEST = 24  # letters


def step_figure(
    steps: pd.DataFrame, means: Sequence[float], chosen: tuple[int, int] | None, colours: Palette
) -> go.Figure:
    """Share of the images that ran each loop of each block, with what is expected as ticks.

    Args:
        steps: ``analysis.loop_counts.counted_steps``.
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
        steps["name"], steps["loop"] + 1, steps["ran"], steps.apply(_gate, axis=1),
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
            "%{customdata[3]}<br>"
            "expected at the target: %{customdata[4]:.1f} %<extra></extra>"
        ),
        **NO_FADING,
    }
    names = steps.groupby("block")["name"].first()
    depths = steps.groupby("block")["loop"].max()
    centres = [block * widest + depth / 2 for block, depth in zip(names.index, depths, strict=True)]
    few = len(names) <= MOST_NAMES
    ticks = dict(zip(names, centres, strict=True)) if few else stage_ticks(names, centres)
    above = zip(centres, means, strict=True) if few else ()
    return go.Figure(
        data=[bars, _expected_ticks(places, 100 * steps["expected"].to_numpy(), colours)],
        layout=layout(
            240,
            annotations=[_above(x, mean, colours) for x, mean in above],
            xaxis={
                "tickvals": list(ticks.values()),
                "ticktext": list(ticks),
                "tickangle": 0,
                "title": {"text": "block (stage.block)" if few else "blocks by stage"},
                "range": [-1, float(places[-1]) + 1],
            },
            yaxis={"range": [0, 100], "ticksuffix": " %", "dtick": 25},
        ),
    )


def _gate(step: pd.Series[Any]) -> str:
    """What the gate before a step did, for the hover text."""
    if step["reached"] == 0:
        return "no image came so far"
    if math.isnan(step["opened"]):
        return "no gate stands before it"
    return f"the gate opened for {100 * step['opened']:.1f} % of {step['reached']:,} asked"


def stage_ticks(names: pd.Series[str], centres: Sequence[float]) -> dict[str, float]:
    """The middle of each stage's blocks, where there is no room for the name of each."""
    stages = [name.partition(".")[0] for name in names]
    return {
        stage: float(np.mean([x for x, each in zip(centres, stages, strict=True) if each == stage]))
        for stage in dict.fromkeys(stages)
    }


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
        classes: ``analysis.loops.class_table``; of more than ``MOST_CLASSES``, both ends and the
            chosen ones are drawn.
        chosen: names that the gallery is limited to; empty for all.
        found: over all classes, drawn as a line.
        loops_max: end of the axis.
        colours: of the theme.
    """
    shown = shown_classes(classes, chosen)
    there = shown[shown["n"] > 0]
    spread = there["std"].fillna(0.0)
    lit = [not chosen or name in chosen for name in there["name"]]
    bars: Trace = {
        "type": "bar",
        "orientation": "h",
        "y": there.index,
        "base": there["mean"] - spread,
        "x": 2 * spread,
        "width": 0.62,
        "marker": {"color": [colours.ran_soft if here else colours.grid for here in lit]},
        "customdata": there[["name", "n", "mean", "std", "error"]],
        "hovertemplate": (
            "<b>%{customdata[0]}</b><br>%{customdata[2]:.2f} ± %{customdata[3]:.2f} loops<br>"
            "%{customdata[1]:,} images, error %{customdata[4]:.1f} %<extra></extra>"
        ),
        **NO_FADING,
    }
    dots: Trace = {
        "type": "scatter",
        "y": there.index,
        "x": there["mean"],
        "mode": "markers",
        "marker": {"color": [colours.ran if here else colours.skipped for here in lit], "size": 9},
        "customdata": there[["name"]],
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
                "range": [len(shown) - 0.4, -0.6],
                "tickfont": {"color": colours.text},
                "tickvals": shown.index,
                "ticktext": [
                    _tick(name, n, colours)
                    for name, n in zip(shown["name"], shown["n"], strict=True)
                ],
                "showgrid": False,
            },
        ),
    )


def _tick(name: str, images: int, colours: Palette) -> str:
    """A class's name, cut where it is long; a gap's words are muted."""
    if not images:
        return f'<span style="color:{colours.muted}">{name}</span>'
    short = name if len(name) <= _NAME_LONGEST else f"{name[: _NAME_LONGEST - 1].rstrip(' ,')}…"
    return escape(short)


def shown_classes(classes: pd.DataFrame, chosen: Sequence[str] = ()) -> pd.DataFrame:
    """The classes that fit on the figure: all; or half from either end, and the chosen ones.

    A row of no images stands where classes were left out; its name says how many.
    """
    if len(classes) <= MOST_CLASSES:
        return classes.reset_index(drop=True)
    half = MOST_CLASSES // 2
    inner = classes.iloc[half:-half]
    kept = [*range(half), *inner.index[inner["name"].isin(chosen)][:half]]
    kept += range(len(classes) - half, len(classes))
    parts: list[pd.DataFrame] = []
    for before, place in pairwise([-1, *kept]):
        if left_out := place - before - 1:
            parts.append(pd.DataFrame({"name": [f"⋯ {left_out:,} more"], "n": [0]}))
        parts.append(classes.iloc[[place]])
    return pd.concat(parts, ignore_index=True)
