"""Which classes pay for other thresholds: a figure and its numbers."""

from __future__ import annotations

from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from app.charts import NO_FADING, Palette, layout

MOST = 24
_NAME_LONGEST = 24  # letters


def shown_classes(changes: pd.DataFrame) -> pd.DataFrame:
    """The classes that fit: all, or half from either end."""
    if len(changes) <= MOST:
        return changes
    return pd.concat([changes.iloc[: MOST // 2], changes.iloc[-MOST // 2 :]], ignore_index=True)


def classes_figure(changes: pd.DataFrame, colours: Palette) -> go.Figure:
    """Change of each class's error with its interval.

    Args:
        changes: ``analysis.operating.class_changes``.
        colours: of the theme; who pays stands right of the line.
    """
    shown = shown_classes(changes)
    marks: dict[str, Any] = {
        "type": "scatter",
        "mode": "markers",
        "y": shown.index,
        "x": shown["change"],
        "marker": {"size": 9, "color": _colours(shown, colours)},
        "error_x": {
            "type": "data", "symmetric": False,
            "array": shown["high"] - shown["change"], "arrayminus": shown["change"] - shown["low"],
            "color": colours.muted, "thickness": 1.5, "width": 4,
        },
        "customdata": shown[["name", "before", "error", "lost", "won", "images", "loops"]],
        "hovertemplate": (
            "<b>%{customdata[0]}</b><br>error %{customdata[1]:.1f} % at 0.5, "
            "%{customdata[2]:.1f} % here<br>%{customdata[3]} lost, %{customdata[4]} won of "
            "%{customdata[5]:,} images<br>%{customdata[6]:.2f} loops<extra></extra>"
        ),
        **NO_FADING,
    }  # fmt: skip
    low, high = min(0.0, float(shown["low"].min())), max(0.0, float(shown["high"].max()))
    room = max(0.2, 0.06 * (high - low))
    return go.Figure(
        data=[marks],
        layout=layout(
            76 + 26 * len(shown),
            margin={"t": 6},
            xaxis={
                "title": {"text": "change of the error, points of %"},
                "showgrid": True,
                "zeroline": True,
                "zerolinecolor": colours.text,
                "range": [low - room, high + room],
            },
            yaxis={
                "range": [len(shown) - 0.4, -0.6],
                "tickfont": {"color": colours.text},
                "tickvals": shown.index,
                "ticktext": [_short(name) for name in shown["name"]],
                "showgrid": False,
            },
        ),
    )


def _colours(shown: pd.DataFrame, colours: Palette) -> list[str]:
    """Of classes that pay and that gain; in between where the interval holds 0."""
    unsure = (shown["low"] <= 0) & (shown["high"] >= 0)
    return [
        colours.muted if each else colours.wrong if change > 0 else colours.ran
        for each, change in zip(unsure, shown["change"], strict=True)
    ]


def _short(name: str) -> str:
    short = name if len(name) <= _NAME_LONGEST else f"{name[: _NAME_LONGEST - 1].rstrip(' ,')}…"
    return escape(short)
