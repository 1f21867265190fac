"""The page's figures: pure functions from counts and tables to plotly figures."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from app.charts import Palette, layout
from drnn_core.analysis.loops import Summary

MOST_CLASSES = 40


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
        everything: the same of all records, drawn behind; None if nothing is filtered.
        chosen: loops that the gallery shows; None for all.
        found: mean and standard deviation of what ``counts`` counts.
        expected: expectation at the target; None without gates.
        colours: of the theme.
    """
    loops = np.arange(len(counts))
    figure = go.Figure()
    if everything is not None:
        figure.add_bar(
            x=loops, y=everything, marker_color=colours.skipped, opacity=0.55, hoverinfo="skip"
        )
    low, high = chosen or (0, len(counts))
    inside = (loops >= low) & (loops <= high)
    total = max(1, int(counts.sum()))
    figure.add_bar(
        x=loops,
        y=counts,
        marker_color=[colours.ran if here else colours.ran_soft for here in inside],
        customdata=100 * counts / total,
        hovertemplate="<b>%{x} loops</b><br>%{y:,} images, %{customdata:.1f} %<extra></extra>",
        **_no_fading(),
    )
    figure.update_layout(
        layout(
            300,
            barmode="overlay",
            bargap=0.16,
            margin={"t": 46},
            xaxis={"title": {"text": "loops per image"}, "dtick": _tick(len(counts))},
            yaxis={"title": {"text": "images"}, "tickformat": ",d"},
        )
    )
    _mark_distribution(figure, found, expected, len(counts), colours)
    return figure


def _mark_distribution(
    figure: go.Figure, found: Summary, expected: float | None, bars: int, colours: Palette
) -> None:
    if not math.isnan(found.mean):
        spread = 0.0 if math.isnan(found.std) else found.std
        figure.add_vrect(
            x0=found.mean - spread,
            x1=found.mean + spread,
            fillcolor=colours.text,
            opacity=0.06,
            line_width=0,
            layer="below",
        )
        text = f"mean <b>{found.mean:.2f}</b> ± {spread:.2f}"
        _mark(figure, found.mean, text, 1.12, bars, colours.text, "solid")
    if expected is not None:
        text = f"expected at target <b>{expected:.2f}</b>"
        _mark(figure, expected, text, 1.01, bars, colours.muted, "dash")


def _mark(
    figure: go.Figure, x: float, text: str, height: float, bars: int, colour: str, dash: str
) -> None:
    """A vertical line with its text in a row of its own above the bars, so texts never collide."""
    figure.add_shape(
        type="line", x0=x, x1=x, y0=0, y1=height + 0.07, yref="paper",
        line={"color": colour, "width": 1.5, "dash": dash},
    )  # fmt: skip
    left = x < (bars - 1) / 2
    figure.add_annotation(
        x=x,
        y=height,
        yref="paper",
        yanchor="bottom",
        xanchor="left" if left else "right",
        xshift=5 if left else -5,
        text=text,
        showarrow=False,
        font={"color": colour, "size": 13},
    )


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
    places = steps["block"] * widest + steps["loop"]
    picked = [(block, loop) == chosen for block, loop in zip(steps["block"], steps["loop"], strict=True)]
    figure = go.Figure()
    figure.add_bar(
        x=places,
        y=100 * steps["rate"],
        width=0.82,
        marker_color=[colours.ran if chosen is None or here else colours.ran_soft for here in picked],
        customdata=np.stack(
            [steps["name"], steps["loop"] + 1, steps["ran"], 100 * steps["opened"], steps["reached"],
             100 * steps["expected"]], axis=-1,
        ),
        hovertemplate=(
            "<b>block %{customdata[0]}, loop %{customdata[1]}</b><br>"
            "%{y:.1f} % of the images ran it (%{customdata[2]:,})<br>"
            "the gate opened for %{customdata[3]:.1f} % of %{customdata[4]:,} asked<br>"
            "expected at the target: %{customdata[5]:.1f} %<extra></extra>"
        ),
        **_no_fading(),
    )  # fmt: skip
    _expected_ticks(figure, places, 100 * steps["expected"], colours)
    names = steps.groupby("block")["name"].first()
    depths = steps.groupby("block")["loop"].max()
    centres = [block * widest + depth / 2 for block, depth in zip(names.index, depths, strict=True)]
    for centre, mean in zip(centres, means, strict=True):
        figure.add_annotation(
            x=centre, y=1.0, yref="paper", yanchor="bottom", showarrow=False,
            text="" if math.isnan(mean) else f"<b>{mean:.2f}</b>", font={"size": 12, "color": colours.muted},
        )  # fmt: skip
    figure.update_layout(
        layout(
            240,
            xaxis={"tickvals": centres, "ticktext": list(names), "title": {"text": "block (stage.block)"}},
            yaxis={"range": [0, 100], "ticksuffix": " %", "dtick": 25},
        )
    )
    return figure


def _expected_ticks(
    figure: go.Figure, places: pd.Series[int], heights: pd.Series[float], colours: Palette
) -> None:
    x: list[float | None] = []
    y: list[float | None] = []
    for place, height in zip(places, heights, strict=True):
        x += [place - 0.46, place + 0.46, None]
        y += [height, height, None]
    figure.add_scatter(
        x=x, y=y, mode="lines", line={"color": colours.text, "width": 1.5}, hoverinfo="skip"
    )


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
    figure = go.Figure()
    figure.add_bar(
        orientation="h",
        y=shown["name"],
        base=shown["mean"] - spread,
        x=2 * spread,
        width=0.62,
        marker_color=[colours.ran_soft if here else colours.grid for here in lit],
        customdata=shown[["n", "mean", "std", "error"]],
        hovertemplate=(
            "<b>%{y}</b><br>%{customdata[1]:.2f} ± %{customdata[2]:.2f} loops<br>"
            "%{customdata[0]:,} images, error %{customdata[3]:.1f} %<extra></extra>"
        ),
        **_no_fading(),
    )
    figure.add_scatter(
        y=shown["name"],
        x=shown["mean"],
        mode="markers",
        marker={"color": [colours.ran if here else colours.skipped for here in lit], "size": 9},
        hoverinfo="skip",
        **_no_fading(),
    )
    if not math.isnan(found.mean):
        figure.add_vline(x=found.mean, line={"color": colours.muted, "width": 1, "dash": "dot"})
    figure.update_layout(
        layout(
            70 + 26 * len(shown),
            margin={"t": 6},
            bargap=0.3,
            xaxis={
                "title": {"text": "loops per image, mean ± standard deviation"},
                "range": [0, loops_max],
                "showgrid": True,
            },
            yaxis={"autorange": "reversed", "tickfont": {"color": colours.text}, "type": "category"},
        )
    )
    return figure


def ends(classes: pd.DataFrame) -> pd.DataFrame:
    """The classes that fit on the figure: all, or half from either end."""
    if len(classes) <= MOST_CLASSES:
        return classes
    half = MOST_CLASSES // 2
    return pd.concat([classes.head(half), classes.tail(half)], ignore_index=True)


def _tick(bars: int) -> int:
    return next(step for step in (1, 2, 5, 10, 20, 50, 100) if bars / step <= 26)


def _no_fading() -> dict[str, dict[str, dict[str, float]]]:
    """A clicked mark keeps its look: what is chosen is drawn by us, from the session's values."""
    plain = {"marker": {"opacity": 1.0}}
    return {"selected": plain, "unselected": plain}
