"""Every method and statistic at once: a matrix of correlations, as a plotly figure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from app.charts import NO_FADING, Palette, layout
from app.columns import EVIDENCE
from app.methods import METHOD_TITLES
from app.numbers import between, number, p_value
from app.saliency.measures import Cell
from app.saliency.subject import Choice, View
from drnn_core.analysis.evidence import METHODS, Method

Trace = dict[str, Any]

# A correlation that has the full colour.
_FULL = 0.5
_SHORT = {"area": "area of half", "off_centre": "off centre", "on_object": "on object"}
_SIDE = 0.94  # of a cell


def overview_figure(
    cells: Sequence[Cell], view: View, choice: Choice, colours: Palette
) -> go.Figure:
    """Rows are methods, columns statistics; colour and number are the correlation with loops."""
    place = {method: row for row, method in enumerate(METHODS)}
    columns = list(view.statistics)
    chosen = [(cell.method, cell.statistic) == (choice.method, choice.statistic) for cell in cells]
    bars: Trace = {
        "type": "bar",
        "x": [columns.index(cell.statistic) for cell in cells],
        "base": [place[cell.method] - _SIDE / 2 for cell in cells],
        "y": [_SIDE] * len(cells),
        "width": _SIDE,
        "marker": {
            "color": [_colour(cell, colours) for cell in cells],
            "line": {
                "color": [colours.text if here else colours.grid for here in chosen],
                "width": [
                    2.5 if here else 1 if cell.relation is None else 0
                    for here, cell in zip(chosen, cells, strict=True)
                ],
            },
        },
        "text": [_text(cell) for cell in cells],
        "textposition": "inside",
        "insidetextanchor": "middle",
        "constraintext": "none",
        "textangle": 0,
        "insidetextfont": {"color": [_ink(cell, colours) for cell in cells], "size": 13},
        "customdata": [[_hover(cell)] for cell in cells],
        "hovertemplate": "%{customdata[0]}<extra></extra>",
        **NO_FADING,
    }
    return go.Figure(
        data=[bars],
        layout=layout(
            34 + 42 * len(METHODS),
            margin={"t": 6, "l": 4, "r": 4, "b": 4},
            bargap=0,
            xaxis={
                "side": "top",
                "tickvals": list(range(len(columns))),
                "ticktext": [_SHORT.get(each, each) for each in columns],
                "tickfont": {"color": colours.text, "size": 12},
                "range": [-0.5, len(columns) - 0.5],
                "showline": False,
            },
            yaxis={
                "tickvals": list(range(len(METHODS))),
                "ticktext": [_row(method, view, colours) for method in METHODS],
                "tickfont": {"color": colours.text, "size": 13},
                "range": [len(METHODS) - 0.5, -0.5],
                "showgrid": False,
                "showline": False,
            },
        ),
    )


def overview_table(cells: Sequence[Cell]) -> pd.DataFrame:
    """The numbers of the matrix, a row for each cell that was measured."""
    return pd.DataFrame(
        [
            {
                "method": cell.method,
                "statistic": cell.statistic,
                "rho": found.rho,
                "low": found.low,
                "high": found.high,
                "p": found.p,
                "n": found.n,
            }
            for cell in cells
            if (found := cell.relation) is not None
        ],
        columns=["method", "statistic", "rho", "low", "high", "p", "n"],
    )


def overview_alt(cells: Sequence[Cell]) -> str:
    """The matrix in a sentence: its strongest correlation."""
    known = [cell for cell in cells if cell.relation is not None]
    known = [cell for cell in known if cell.relation and not math.isnan(cell.relation.rho)]
    if not known:
        return "matrix of correlations with loops, empty"
    top = max(known, key=lambda cell: abs(cell.relation.rho) if cell.relation else 0)
    assert top.relation is not None
    return (
        f"matrix of {len(known)} rank correlations with loops; the strongest is of "
        f"{METHOD_TITLES[top.method]}, {EVIDENCE[top.statistic][0]}: {number(top.relation.rho)}"
    )


def _row(method: Method, view: View, colours: Palette) -> str:
    count, rows = view.measured(method), len(view.keep)
    note = "" if count == rows else f"{count:,} images" if count else "not measured"
    name = METHOD_TITLES[method]
    return (
        f'{name}<br><span style="font-size:11px;color:{colours.muted}">{note}</span>'
        if (note)
        else name
    )


def _text(cell: Cell) -> str:
    found = cell.relation
    if found is None:
        return ""
    if math.isnan(found.rho):
        return "–"
    short = number(round(found.rho, 2) + 0.0, "+.2f").replace("0.", ".", 1)
    return f"<b>{short}</b>" if _is_apart(cell) else short


def _is_apart(cell: Cell) -> bool:
    """Whether the interval leaves out 0."""
    found = cell.relation
    return found is not None and (found.low > 0 or found.high < 0)


def _hover(cell: Cell) -> str:
    title = f"<b>{METHOD_TITLES[cell.method]}: {EVIDENCE[cell.statistic][0]}</b><br>"
    found = cell.relation
    if found is None:
        return f"{title}not measured: click to see how"
    return (
        f"{title}ρ = {number(found.rho)}, {found.level:.0%} interval "
        f"{between(found.low, found.high)}<br>{p_value(found.p)}, n = {found.n:,} images"
    )


def _strength(cell: Cell) -> float:
    found = cell.relation
    if found is None or math.isnan(found.rho):
        return 0.0
    return min(1.0, abs(found.rho) / _FULL)


def _colour(cell: Cell, colours: Palette) -> str:
    found = cell.relation
    if found is None:
        return "rgba(0,0,0,0)"
    if math.isnan(found.rho):
        return colours.surface
    full = colours.ran if found.rho > 0 else colours.wrong
    return _mixed(colours.surface, full, _strength(cell) ** 0.8)


def _ink(cell: Cell, colours: Palette) -> str:
    if not _is_apart(cell):
        return colours.muted if _strength(cell) < 0.3 else colours.text
    return colours.background if _strength(cell) > 0.75 else colours.text


def _mixed(start: str, end: str, share: float) -> str:
    parts = [
        round((1 - share) * int(start[i : i + 2], 16) + share * int(end[i : i + 2], 16))
        for i in (1, 3, 5)
    ]
    return "#" + "".join(f"{part:02x}" for part in parts)
