"""The page's figures of operating points: from points and bounds to plotly figures.

Three kinds of marks say where a figure comes from: a disc is exact, from the records; a grey area
holds what the records leave open; a diamond is the network run anew, with its interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from app.budget.axes import Axis, Spacing, Trained
from app.budget.marks import (
    BOUNDS,
    Trace,
    area_key,
    box,
    diamonds,
    diamonds_along,
    disc,
    hover_exact,
    is_exact,
    legend,
    line_at,
    ring,
    see_through,
)
from app.budget.mixing import mixing_line
from app.charts import Palette, layout
from drnn_core.analysis.bootstrap import Estimate
from drnn_core.analysis.budget import Bounds
from drnn_core.analysis.replay import RECORDED_THRESHOLD
from drnn_core.commands.curves import Point


def tradeoff_figure(
    curve: Mapping[float, Point],
    trained: Trained,
    chosen: tuple[Point | None, Bounds],
    cost: Axis,
    colours: Palette,
) -> go.Figure:
    """Error over cost: the curve of one threshold for all gates, and where the sliders stand.

    Args:
        curve: points by threshold.
        trained: the recorded point.
        chosen: what is known where the sliders stand: run anew or not, and the bounds.
        cost: of the axis below.
        colours: of the theme.
    """
    error = Axis.of("error")
    top = error_limit([point.found.error for point in curve.values()], trained.error)
    point, limits = chosen
    moved = not is_exact(limits)
    traces = [
        box(limits, cost, top, colours) if moved and point is None else area_key(colours),
        *mixing_line(curve, cost, top, colours),
        *([diamonds(curve, cost, error, top, colours)] if curve else []),
        disc([getattr(trained, cost.name) / cost.scale], [trained.error], [RECORDED_THRESHOLD],
              [hover_exact(RECORDED_THRESHOLD, trained.n)], colours),
        *ring(point, trained, limits, cost, top, colours),
    ]  # fmt: skip
    return go.Figure(
        data=traces,
        layout=layout(
            430,
            margin={"t": 40},
            showlegend=True,
            legend=legend(colours),
            xaxis={"title": {"text": cost.title}, "showgrid": True},
            yaxis={"title": {"text": error.title}, "range": [0, top]},
        ),
    )


def along_figure(
    curve: Mapping[float, Point],
    limits: pd.DataFrame,
    spacing: Spacing,
    chosen: float | None,
    trained: Trained,
    axis: Axis,
    colours: Palette,
) -> go.Figure:
    """One quantity over the threshold of all gates.

    Args:
        curve: points by threshold.
        limits: ``analysis.budget.threshold_table``.
        spacing: of the axis of thresholds.
        chosen: where the sliders stand; None where gates differ.
        trained: the recorded point.
        axis: error or loops.
        colours: of the theme.
    """
    low, high = (limits[f"{axis.name}_{end}"] / axis.scale for end in ("low", "high"))
    half = getattr(trained, axis.name) / axis.scale
    top = float(high.max())
    if axis.name == "error":
        top = error_limit([point.found.error for point in curve.values()], trained.error)
    places = spacing.places(limits["threshold"].tolist())
    area: Trace = {
        "type": "scatter", "mode": "lines", "hoverinfo": "skip", "name": BOUNDS,
        "x": [*places, *places[::-1]],
        "y": [*low, *high[::-1]],
        "fill": "toself", "fillcolor": see_through(colours.skipped, 0.45),
        "line": {"color": colours.skipped, "width": 1},
    }  # fmt: skip
    traces = [
        area,
        *([diamonds_along(curve, spacing, axis, colours)] if curve else []),
        disc(spacing.places([RECORDED_THRESHOLD]), [half], [RECORDED_THRESHOLD],
              [f"<b>threshold 0.5</b><br>exact: {half:{axis.form}}"], colours),
    ]  # fmt: skip
    shapes = [] if chosen is None else [line_at(spacing.places([chosen])[0], colours)]
    return go.Figure(
        data=traces,
        layout=layout(
            215,
            margin={"t": 8},
            shapes=shapes,
            xaxis=spacing.layout,
            yaxis={"title": {"text": axis.title}, "range": [0, top]},
        ),
    )


def error_limit(found: Sequence[Estimate], trained: float) -> float:
    """End of the axis of error: networks that are all but cut off would press the others flat."""
    worst = max((each.high for each in found), default=trained)
    usual = 2.5 * trained + 5
    return min(1.06 * max(worst, 1.5 * trained, 1.0), usual, 102.0)


def figures_table(curve: Mapping[float, Point]) -> pd.DataFrame:
    """The points as numbers, a row each."""
    rows: list[dict[str, float]] = []
    for threshold, point in curve.items():
        row: dict[str, float] = {
            "threshold": threshold,
            "images": point.found.n,
            "anew": point.anew,
        }
        for name in ("error", "loops", "macs", "error_change", "loops_change", "macs_change"):
            found: Estimate = getattr(point.found, name)
            row |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
        answers = point.found.answers
        row |= {"lost": answers.only_a, "won": answers.only_b, "p": answers.p}
        rows.append(row)
    return pd.DataFrame(rows)


def tradeoff_alt(curve: Mapping[float, Point], trained: Trained) -> str:
    """The curve in a sentence."""
    text = f"error against cost; as trained {trained.error:.2f} % at {trained.loops:.2f} loops"
    if not curve:
        return f"{text}; other thresholds were not measured"
    best = min(curve.values(), key=lambda point: point.found.error.value).found
    return (
        f"{text}; of {len(curve)} thresholds the lowest error is {best.error.value:.2f} % at "
        f"{best.loops.value:.2f} loops"
    )


def along_alt(name: str) -> str:
    """A figure along the threshold in a sentence."""
    what = "mean loops" if name == "loops" else "test error"
    return f"{what} over the threshold of all gates: bounds from the records, and points run anew"
