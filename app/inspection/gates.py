"""The marks of "Gate by gate": this image's probabilities, and those of the run's images."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from app import cache
from app.charts import Palette
from drnn_core.analysis.loops import gate_matrix

_KEPT = 12
_SECONDS_KEPT = 3600
_ENDS = (0.1, 0.5, 0.9)  # of the images that asked

UNASKED_AT = -0.14  # below the axis: who was not asked has no probability
_RUN = "the run's images: median, 10 to 90 %"
_STEP = "block %{customdata[0]}, loop %{customdata[1]}<br>"

Trace = dict[str, Any]


class Spread(NamedTuple):
    """Probabilities of one gate over the recorded images that asked it.

    Attributes:
        low, median, high: quantiles at 10, 50 and 90 %.
        asked: images that asked.
    """

    low: float
    median: float
    high: float
    asked: int


def spreads_of(prob: NDArray[np.float32]) -> list[Spread | None]:
    """Of each step's gate; None where no image asked it.

    Args:
        prob: (N, S) probabilities, NaN where the gate was not asked.
    """
    found: list[Spread | None] = []
    for column in prob.T:
        asked = column[~np.isnan(column)].astype(np.float64)
        ends: list[float] = np.quantile(asked, _ENDS).tolist() if len(asked) else []
        found.append(Spread(ends[0], ends[1], ends[2], len(asked)) if ends else None)
    return found


def spreads_of_run(run: cache.Run) -> list[Spread | None]:
    """As ``spreads_of``, of the run's records; empty where there are none that can be read."""
    if not cache.recorded(run):
        return []
    try:
        table = cache.table(run)
        return _spreads(run.folder, table.stamp, table)
    except (ValueError, OSError):  # the chart beside it says so
        return []


@st.cache_resource(max_entries=_KEPT, ttl=_SECONDS_KEPT, show_spinner=False)
def _spreads(folder: Path, stamp: str, _table: cache.Table) -> list[Spread | None]:
    del folder, stamp
    return spreads_of(gate_matrix(_table.frame))


def run_marks(table: pd.DataFrame, place: NDArray[Any], few: bool, colours: Palette) -> Trace:
    """Median and range of the run's images, a line across a bar at each step.

    Args:
        table: see ``standing.decision_table``.
        place: (S,) of the steps along the axis.
        few: whether there is room for large marks.
        colours: of the theme.
    """
    median, low, high = (table[name] for name in ("Median", "From", "To"))
    return {
        "type": "scatter",
        "mode": "markers",
        "name": _RUN,
        "x": place,
        "y": median,
        "error_y": {
            "type": "data", "symmetric": False, "array": high - median,
            "arrayminus": median - low, "color": colours.skipped,
            "thickness": 7 if few else 4, "width": 0,
        },
        "marker": {
            "symbol": "line-ew", "size": 18 if few else 9,
            "line": {"width": 2, "color": colours.muted},
        },
        "customdata": np.stack(
            [table["Block"], table["Loop"], [f"{count:,}" for count in table["Images"]],
             _digits(low), _digits(median), _digits(high)],
            axis=1,
        ),
        "hovertemplate": _STEP + "%{customdata[2]} of the run's images asked: median "
        "%{customdata[4]},<br>10 to 90 %: %{customdata[3]} to %{customdata[5]}<extra></extra>",
    }  # fmt: skip


def image_marks(
    table: pd.DataFrame, place: NDArray[Any], few: bool, colours: Palette
) -> list[Trace]:
    """This image's gates by what they decided; a kind that it has none of is left out.

    Args:
        table, place, few, colours: as of ``run_marks``.
    """
    disc = {"symbol": "circle", "size": 11 if few else 8, "color": colours.ran}
    cross = {
        "symbol": "x-thin", "size": 11 if few else 8,
        "line": {"width": 2.5, "color": colours.wrong},
    }  # fmt: skip
    ring = {
        "symbol": "circle-open", "size": 7 if few else 5, "color": colours.muted,
        "line": {"width": 1},
    }  # fmt: skip
    kinds = [
        ("ran", "this image: loop ran", disc),
        ("closed", "gate closed", cross),
        ("not asked", "not asked", ring),
    ]
    marks: list[Trace] = []
    for decision, name, marker in kinds:
        chosen = (table["Decision"] == decision).to_numpy()
        if not chosen.any():
            continue
        there = table[chosen]
        unasked = decision == "not asked"
        marks.append(
            {
                "type": "scatter", "mode": "markers", "name": name, "x": place[chosen],
                "y": np.full(len(there), UNASKED_AT) if unasked else there["Gate"],
                "marker": {"opacity": 1, **marker},
                "customdata": np.stack(
                    [there["Block"], there["Loop"], _digits(there["Gate"]), there["Decision"]],
                    axis=1,
                ),
                "hovertemplate": _STEP
                + ("not asked: it has no probability" if unasked
                   else "gate %{customdata[2]}, %{customdata[3]}")
                + "<extra></extra>",
            }
        )  # fmt: skip
    return marks


def probability_axis(unasked: bool) -> dict[str, Any]:
    """0 to 1, and below it, apart, the line of who was not asked, if there is one."""
    ticks = [0, 0.25, 0.5, 0.75, 1]
    names = [f"{tick:g}" for tick in ticks]
    return {
        "title": {"text": "gate probability"},
        "range": [UNASKED_AT - 0.08 if unasked else -0.06, 1.06],
        "tickvals": [UNASKED_AT, *ticks] if unasked else ticks,
        "ticktext": ["not asked", *names] if unasked else names,
    }


def legend(colours: Palette) -> dict[str, Any]:
    """Which mark says what, above the figure."""
    return {
        "orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left",
        "font": {"size": 12, "color": colours.muted}, "itemclick": False, "itemdoubleclick": False,
        "bgcolor": "rgba(0,0,0,0)",
    }  # fmt: skip


def _digits(values: pd.Series[float]) -> list[str]:
    """Four: unsure gates differ behind the second."""
    return ["–" if math.isnan(value) else f"{value:.4f}" for value in values.tolist()]
