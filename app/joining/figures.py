"""The page's figures: what loops go with, and loops along one column."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from app.charts import NO_FADING, Palette, layout
from drnn_core.analysis.outside import OutsideColumn
from drnn_core.analysis.relations import Relation

_NAME_LONGEST = 26  # letters
_BAND = 30  # pixels of a mark's line

# attribute, words, symbol, whether it is of the loops
_KINDS: tuple[tuple[str, str, str, bool], ...] = (
    ("loops", "loops", "circle", True),
    ("loops_within_class", "loops, within classes", "square", True),
    ("loops_given_confidence", "loops, given confidence", "diamond", True),
    ("confidence", "confidence", "circle-open", False),
    ("entropy", "entropy", "square-open", False),
)


def relations_figure(found: Sequence[OutsideColumn], colours: Palette) -> go.Figure:
    """Rank correlations of each column with loops, beside those of confidence and entropy.

    A row a column; each kind of correlation has its own symbol and its own line in the row.
    """
    span = len(_KINDS) + 1
    traces = [_marks(found, place, span, colours) for place in range(len(_KINDS))]
    reach = max((abs(end) for one in found for end in _ends(one)), default=0.1)
    reach = min(1.0, 1.1 * reach)
    return go.Figure(
        data=traces,
        layout=layout(
            96 + _BAND * span * len(found) * 2 // 3,
            margin={"t": 48},
            showlegend=True,
            legend={
                "orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "xanchor": "left",
                "font": {"size": 12, "color": colours.muted},
                "itemclick": False, "itemdoubleclick": False, "bgcolor": "rgba(0,0,0,0)",
            },
            xaxis={
                "title": {"text": "Spearman's ρ with the column, 95 % interval"},
                "range": [-reach, reach],
                "showgrid": True,
                "zeroline": True,
                "zerolinecolor": colours.muted,
            },
            yaxis={
                "range": [span * len(found) - 0.5, -0.8],
                "tickvals": [span * row + (span - 2) / 2 for row in range(len(found))],
                "ticktext": [_short(one.name) for one in found],
                "tickfont": {"color": colours.text},
                "showgrid": False,
            },
        ),
    )  # fmt: skip


def binned_figure(binned: pd.DataFrame, name: str, loops_max: int, colours: Palette) -> go.Figure:
    """Mean loops along a column.

    Args:
        binned: ``analysis.outside.binned_loops``.
        name: of the column.
        loops_max: of the network.
        colours: of the theme.
    """
    marks: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": binned.index,
        "y": binned["loops"],
        "line": {"color": colours.ran_soft, "width": 1.5},
        "marker": {"size": 9, "color": colours.ran},
        "error_y": {
            "type": "data", "symmetric": False,
            "array": binned["high"] - binned["loops"],
            "arrayminus": binned["loops"] - binned["low"],
            "color": colours.ran, "thickness": 1.25, "width": 3,
        },
        "customdata": binned[["first", "last", "n", "low", "high"]],
        "hovertemplate": (
            "<b>%{customdata[0]:.4g} to %{customdata[1]:.4g}</b><br>%{y:.2f} loops "
            "(%{customdata[3]:.2f} to %{customdata[4]:.2f})<br>%{customdata[2]:,} images"
            "<extra></extra>"
        ),
        **NO_FADING,
    }  # fmt: skip
    low, high = float(binned["low"].min()), float(binned["high"].max())
    room = max(0.1, 0.15 * (high - low))
    return go.Figure(
        data=[marks],
        layout=layout(
            320,
            margin={"t": 8},
            xaxis={
                "title": {"text": f"{_short(name)}, mean of each part"},
                "tickvals": binned.index,
                "ticktext": [f"{value:.2g}" for value in binned["mean"]],
                "range": [-0.5, len(binned) - 0.5],
            },
            yaxis={
                "title": {"text": "mean loops per image"},
                "range": [max(0.0, low - room), min(float(loops_max), high + room) + 0.02],
                "rangemode": "normal",
            },
        ),
    )


def relations_table(found: Sequence[OutsideColumn]) -> pd.DataFrame:
    """Every relation as numbers, a row each."""
    rows: list[dict[str, Any]] = []
    for one in found:
        for attribute, words, _, _ in _KINDS:
            relation: Relation = getattr(one, attribute)
            rows.append(
                {
                    "column": one.name,
                    "related": words,
                    "rho": relation.rho,
                    "low": relation.low,
                    "high": relation.high,
                    "p": relation.p,
                    "n": relation.n,
                    "corrected": one.corrected if attribute == "loops" else float("nan"),
                }
            )
    return pd.DataFrame(rows)


def _marks(
    found: Sequence[OutsideColumn], kind: int, span: int, colours: Palette
) -> dict[str, Any]:
    attribute, words, symbol, of_loops = _KINDS[kind]
    relations: list[Relation] = [getattr(one, attribute) for one in found]
    colour = colours.ran if of_loops else colours.muted
    return {
        "type": "scatter",
        "mode": "markers",
        "name": words,
        "y": [span * row + kind for row in range(len(found))],
        "x": [relation.rho for relation in relations],
        "error_x": {
            "type": "data", "symmetric": False,
            "array": [relation.high - relation.rho for relation in relations],
            "arrayminus": [relation.rho - relation.low for relation in relations],
            "color": colour, "thickness": 1.25, "width": 3,
        },
        "marker": {"symbol": symbol, "size": 9, "color": colour},
        "customdata": [
            [escape(one.name), words, relation.low, relation.high, relation.n, relation.p]
            for one, relation in zip(found, relations, strict=True)
        ],
        "hovertemplate": (
            "<b>%{customdata[0]}</b><br>%{customdata[1]}: ρ = %{x:.3f} "
            "(%{customdata[2]:.3f} to %{customdata[3]:.3f})<br>"
            "p = %{customdata[5]:.1e}, %{customdata[4]:,} images<extra></extra>"
        ),
        **NO_FADING,
    }  # fmt: skip


def _ends(one: OutsideColumn) -> list[float]:
    relations: list[Relation] = [getattr(one, attribute) for attribute, *_ in _KINDS]
    ends = [end for relation in relations for end in (relation.low, relation.high)]
    return [end for end in ends if not math.isnan(end)]


def _short(name: str) -> str:
    short = name if len(name) <= _NAME_LONGEST else f"{name[: _NAME_LONGEST - 1].rstrip()}…"
    return escape(short)
