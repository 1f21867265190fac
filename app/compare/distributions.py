"""Loops per image of several runs over each other: figure 8 of the paper, for more than one run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from app.charts import Palette, layout
from app.compare.controls import Axis
from app.compare.looks import key_of, legend_name, look_of
from app.compare.sides import Side
from drnn_core.analysis.loops import Selection

Floats = NDArray[np.float64]
Trace = dict[str, Any]

_MOST_MARKS = 40  # loops of a network, beyond which its outline alone is drawn


def distribution_table(sides: Sequence[Side]) -> pd.DataFrame:
    """A row for each run and number of loops: ``run``, ``loops``, ``most``, ``images``, ``share``.

    Args:
        sides: runs with records and recursive blocks.
    """
    parts: list[pd.DataFrame] = []
    for side in sides:
        assert side.table is not None
        counts = side.table.records.loop_counts(Selection())
        parts.append(
            pd.DataFrame(
                {
                    "run": side.name,
                    "loops": np.arange(len(counts)),
                    "most": side.facts.loops_max,
                    "images": counts,
                    "share": counts / max(1, int(counts.sum())),
                }
            )
        )
    columns = ["run", "loops", "most", "images", "share"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def distribution_figure(
    sides: Sequence[Side], table: pd.DataFrame, axis: Axis, colours: Palette
) -> go.Figure:
    """Outlines of the runs whose images differ in their loops; a line where all loop alike.

    Args:
        sides: as ``distribution_table`` takes them.
        table: its result.
        axis: loops, or loops of the most that the network has. On the second, heights are images
            on a tenth of the axis, so that outlines of networks of any depth enclose the same.
        colours: of the theme.
    """
    shared = axis != "loops"
    traces: list[Trace] = []
    for side in sides:
        part = table[table["run"] == side.name]
        shares: Floats = part["share"].to_numpy().astype(np.float64)
        if side.changes:
            traces += _outline(side, shares, shared)
        else:
            traces.append(_everybody(side, shares, shared))
    widest = max((side.facts.loops_max for side in sides), default=1)
    narrowest = min((side.facts.loops_max for side in sides), default=1)
    reach = [-50 / narrowest, 100 + 50 / narrowest] if shared else [-0.6, widest + 0.6]
    return go.Figure(
        data=traces,
        layout=layout(
            340,
            **key_of(colours, len(sides)),
            xaxis={
                "title": {"text": "loops of the network's most" if shared else "loops per image"},
                "range": reach,
                **({"ticksuffix": " %", "dtick": 20} if shared else {"tickformat": "d"}),
            },
            yaxis={
                "title": {"text": "images on a tenth of the axis" if shared else "images"},
                "ticksuffix": " %",
            },
        ),
    )


def _outline(side: Side, shares: Floats, shared: bool) -> list[Trace]:
    look, most = look_of(side.letter), side.facts.loops_max
    unit = most / 100 if shared else 1  # loops of a step on the axis
    edges = (np.arange(len(shares) + 1) - 0.5) / unit
    heights = 100 * shares * (most / 10 if shared else 1)
    loops = np.arange(len(shares))
    mean = float(shares @ loops)
    line: Trace = {
        "type": "scatter",
        "mode": "lines",
        "name": legend_name(side, f", mean {mean:.2f} of {most}"),
        "x": [edges[0], *np.repeat(edges, 2)[1:-1], edges[-1]],
        "y": [0.0, *np.repeat(heights, 2), 0.0],
        "line": {"color": look.colour, "width": 2.2, "dash": look.dash},
        "fill": "tozeroy",
        "fillcolor": _veil(look.colour, 0.10),
        "hoverinfo": "skip",
    }
    marks: Trace = {
        "type": "scatter",
        "mode": "markers",
        "showlegend": False,
        "x": loops / unit,
        "y": heights,
        "marker": {
            "symbol": look.mark,
            "size": 7,
            "color": look.colour,
            "opacity": 1 if most <= _MOST_MARKS else 0,
        },
        "customdata": np.stack([loops, 100 * shares], axis=1),
        "hovertemplate": (
            f"<b>{side.letter}</b>: %{{customdata[0]:.0f}} of {most} loops<br>"
            "%{customdata[1]:.1f} % of its images<extra></extra>"
        ),
    }
    return [line, marks]


def _everybody(side: Side, shares: Floats, shared: bool) -> Trace:
    """A line without a height, where all images of a run loop alike: it would dwarf the others."""
    look, most = look_of(side.letter), side.facts.loops_max
    loops = int(np.argmax(shares))
    x = 100 * loops / most if shared else loops
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": legend_name(side, f", every image {loops} of {most}"),
        "x": [x, x],
        "y": [0.0, 2.0],
        "line": {"color": look.colour, "width": 2.2, "dash": look.dash},
        "marker": {"symbol": look.mark, "size": 9, "color": look.colour},
        "hovertemplate": (
            f"<b>{side.letter}</b>: every image {loops} of {most} loops<extra></extra>"
        ),
    }


def _veil(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def distribution_alt(sides: Sequence[Side], table: pd.DataFrame) -> str:
    """The figure in a sentence."""
    said: list[str] = []
    for side in sides:
        part = table[table["run"] == side.name]
        mean = float(np.average(part["loops"], weights=part["share"]))
        said.append(f"{side.letter} {side.info.title}: mean {mean:.2f} of {side.facts.loops_max}")
    return f"loops per image of {len(sides)} runs over each other; {'; '.join(said)}"
