"""Accuracy against confidence of several runs, beside what a calibrated network would have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from app.charts import Palette, layout
from app.compare.crossing import FEW
from app.compare.looks import key_of, legend_name, look_of
from app.compare.sides import Side
from drnn_core.analysis.bootstrap import Estimate
from drnn_core.analysis.confidence import reliability_curve
from drnn_core.analysis.shares import wilson


def reliability_table(sides: Sequence[Side]) -> pd.DataFrame:
    """A row for each run and bin of confidence that holds images, with the accuracy's interval."""
    parts: list[pd.DataFrame] = []
    for side in sides:
        curve = reliability_curve(side.column("confidence"), side.column("correct"))
        curve = curve[curve["n"] > 0].reset_index(drop=True)
        right = (curve["accuracy"] * curve["n"]).round()
        low, high = wilson(right, curve["n"])
        parts.append(curve.assign(run=side.name, accuracy_low=low, accuracy_high=high))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def reliability_figure(
    sides: Sequence[Side],
    table: pd.DataFrame,
    errors: Sequence[Estimate | None],
    colours: Palette,
) -> go.Figure:
    """Reliability curves over each other; bins of fewer than ten images are left out.

    Args:
        sides: runs with records.
        table: ``reliability_table``'s.
        errors: expected calibration errors, as many.
        colours: of the theme.
    """
    traces: list[dict[str, Any]] = []
    for side, error in zip(sides, errors, strict=True):
        part = table[(table["run"] == side.name) & (table["n"] >= FEW)]
        more = f", {100 * error.value:.2f} %" if error is not None else ""
        traces.append(_curve(side, part, more))
    line = {
        "type": "line", "x0": 0, "y0": 0, "x1": 100, "y1": 100, "layer": "below",
        "line": {"color": colours.muted, "width": 1, "dash": "dot"},
    }  # fmt: skip
    axis = {"range": [0, 102], "ticksuffix": " %", "dtick": 20}
    return go.Figure(
        data=traces,
        layout=layout(
            400,
            **key_of(colours, -(-len(sides) // 2)),
            shapes=[line],
            xaxis={**axis, "title": {"text": "confidence"}},
            yaxis={**axis, "title": {"text": "answered right"}},
        ),
    )


def _curve(side: Side, part: pd.DataFrame, more: str) -> dict[str, Any]:
    look = look_of(side.letter)
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": legend_name(side, more),
        "x": 100 * part["confidence"],
        "y": 100 * part["accuracy"],
        "line": {"color": look.colour, "width": 2, "dash": look.dash},
        "marker": {"symbol": look.mark, "size": 7, "color": look.colour},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": 100 * (part["accuracy_high"] - part["accuracy"]),
            "arrayminus": 100 * (part["accuracy"] - part["accuracy_low"]),
            "color": look.colour,
            "thickness": 0.8,
            "width": 0,
        },
        "customdata": part[["n", "accuracy_low", "accuracy_high"]],
        "hovertemplate": (
            f"<b>{side.letter}</b>: %{{y:.1f}} % right at %{{x:.1f}} % confidence<br>"
            "95 % interval %{customdata[1]:.1%} to %{customdata[2]:.1%}, "
            "n = %{customdata[0]:,} images<extra></extra>"
        ),
    }
