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
        colours: of the theme; who pays is on the right of the line, too.
    """
    shown = shown_classes(changes)
    bars: dict[str, Any] = {
        "type": "bar",
        "orientation": "h",
        "y": shown.index,
        "x": shown["change"],
        "width": 0.62,
        "marker": {"color": [colours.wrong if c > 0 else colours.ran for c in shown["change"]]},
        "error_x": {
            "type": "data", "symmetric": False,
            "array": shown["high"] - shown["change"], "arrayminus": shown["change"] - shown["low"],
            "color": colours.muted, "thickness": 1.25, "width": 3,
        },
        "customdata": shown[["name", "before", "error", "lost", "won", "images", "loops"]],
        "hovertemplate": (
            "<b>%{customdata[0]}</b><br>error %{customdata[1]:.1f} % at 0.5, "
            "%{customdata[2]:.1f} % here<br>%{customdata[3]} lost, %{customdata[4]} won of "
            "%{customdata[5]:,} images<br>%{customdata[6]:.2f} loops<extra></extra>"
        ),
        **NO_FADING,
    }  # fmt: skip
    reach = float(max(shown["high"].max(), -shown["low"].min(), 0.5))
    return go.Figure(
        data=[bars],
        layout=layout(
            76 + 26 * len(shown),
            margin={"t": 6},
            xaxis={
                "title": {"text": "change of the error, points of %"},
                "showgrid": True,
                "zeroline": True,
                "zerolinecolor": colours.text,
                "range": [min(0.0, 1.06 * float(shown["low"].min())) - 0.02 * reach, 1.06 * reach],
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


def _short(name: str) -> str:
    short = name if len(name) <= _NAME_LONGEST else f"{name[: _NAME_LONGEST - 1].rstrip(' ,')}…"
    return escape(short)
