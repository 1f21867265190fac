"""The figure of the check by random weights, and its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from app.charts import Palette, layout
from app.methods import METHOD_TITLES
from drnn_core.analysis.evidence import METHODS, Method
from drnn_core.analysis.saliency_sanity import LIKE, SanityCheck

Trace = dict[str, Any]
Checks = Mapping[Method, SanityCheck]

_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x")
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


def level_names(found: SanityCheck) -> list[str]:
    """The levels from left to right: "trained", "classifier", "+ stage 3" ..."""
    names = ["trained"]
    for place, level in enumerate(found.levels[1:]):
        names.append(_part(level.part) if not place else f"+ {_part(level.part)}")
    return names


def check_figure(found: Checks, colours: Palette) -> go.Figure:
    """How like the trained network's the maps remain, as more and more weights are random."""
    lines: list[Trace] = []
    names = level_names(next(iter(found.values())))
    inks = (colours.ran, colours.wrong, colours.text, colours.muted, colours.ran_soft)
    for method, check in found.items():
        place = METHODS.index(method)
        ranks = [level.rank for level in check.levels]
        lines.append(
            {
                "type": "scatter",
                "name": METHOD_TITLES[method],
                "x": list(range(len(ranks))),
                "y": [each.value for each in ranks],
                "mode": "lines+markers",
                "line": {"color": inks[place], "width": 2, "dash": _DASHES[place]},
                "marker": {"symbol": _SYMBOLS[place], "size": 8, "color": inks[place]},
                "error_y": {
                    "type": "data", "array": [each.high - each.value for each in ranks],
                    "arrayminus": [each.value - each.low for each in ranks],
                    "thickness": 1.2, "width": 3, "color": inks[place],
                },
                "customdata": [[names[i], r.low, r.high, r.n] for i, r in enumerate(ranks)],
                "hovertemplate": (
                    f"<b>{METHOD_TITLES[method]}</b>, random: %{{customdata[0]}}<br>ρ of the maps "
                    "%{y:.2f}, 95 % interval %{customdata[1]:.2f} to %{customdata[2]:.2f}<br>"
                    "n = %{customdata[3]} images<extra></extra>"
                ),
            }
        )  # fmt: skip
    limit = {
        "type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": LIKE, "y1": LIKE,
        "line": {"color": colours.muted, "width": 1, "dash": "dot"},
    }  # fmt: skip
    return go.Figure(
        data=lines,
        layout=layout(
            330,
            margin={"t": 10},
            showlegend=True,
            legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            shapes=[limit],
            xaxis={
                "tickvals": list(range(len(names))),
                "ticktext": names,
                "title": {"text": "weights that are random"},
                "range": [-0.3, len(names) - 0.7],
            },
            yaxis={"title": {"text": "ρ with the trained network's maps"}, "range": [-0.25, 1.08]},
        ),
    )


def check_table(found: Checks) -> pd.DataFrame:
    """The check's numbers, a row for each method and level."""
    rows = [
        {
            "method": method, "random": name, "rank": level.rank.value, "rank_low": level.rank.low,
            "rank_high": level.rank.high, "ssim": level.ssim.value, "ssim_low": level.ssim.low,
            "ssim_high": level.ssim.high, "n": level.rank.n, "draws": check.draws,
        }
        for method, check in found.items()
        for name, level in zip(level_names(check), check.levels, strict=True)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _part(path: str) -> str:
    """A part of the network for people: "stages.2" is stage 3."""
    head, _, rest = path.partition(".")
    if head == "stages" and rest.isdigit():
        return f"stage {int(rest) + 1}"
    return rest or head
