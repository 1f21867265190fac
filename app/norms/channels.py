"""Figure 7: one norm, channel by channel, a figure for each loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from app.charts import Palette, layout, merge
from drnn_core.analysis.moments import Floats, Moments, NormStatistics, Parts, Sampled

Order = Literal["mean", "channel"]
Scale = Literal["raw", "normalised"]

MOST_CHANNELS = 96  # that are drawn; of more, every so many-th
_SYMBOLS = {"executed": "circle", "skipped": "diamond-open", "running": "line-ew-open"}


@dataclass(frozen=True)
class Look:
    """How the channels are shown.

    Attributes:
        order: by the executed images' mean, or as they are numbered.
        scale: as they are, or as the norm makes them: less the running mean, in running
            standard deviations.
    """

    order: Order
    scale: Scale


def channel_table(loops: Sequence[NormStatistics], look: Look) -> pd.DataFrame:
    """A row for each loop and channel, in the order of the figures.

    Columns: ``loop`` (from 1), ``channel`` (from 1), ``place`` in the figure; ``executed`` and
    ``skipped`` images; ``executed_mean`` and so on for ``skipped`` and ``running``, ``_var``, and
    for the first two half the 95 % interval: ``executed_mean_margin``...
    """
    return pd.concat([_rows(loop, look) for loop in loops], ignore_index=True)


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that are drawn: of many channels every so many-th place, both ends among them."""
    count = int(table["place"].max()) + 1 if len(table) else 0
    if count <= MOST_CHANNELS:
        return table
    kept = np.linspace(0, count - 1, MOST_CHANNELS).round().astype(int)
    return table[table["place"].isin(kept)]


def channel_figure(
    rows: pd.DataFrame, ranges: dict[str, tuple[float, float]], look: Look, colours: Palette
) -> go.Figure:
    """Means above, variances below, of one loop.

    Args:
        rows: of ``channel_table``, those of one loop that are to be drawn.
        ranges: of the axes "mean" and "var", the same for all loops.
        look: how they are shown.
        colours: of the theme.
    """
    data = [
        _marks(rows, group, moment, colours) for moment in ("mean", "var") for group in _drawn(rows)
    ]
    last = int(rows["place"].max()) if len(rows) else 0
    grid = {"showgrid": True, "nticks": 5}
    title = "channels, by executed mean" if look.order == "mean" else "channel"
    low, high = (float(np.log10(edge)) for edge in ranges["var"])
    axes = layout(
        350,
        margin={"t": 20, "b": 8},
        hovermode="closest",
        annotations=[_name(what, y, colours) for what, y in (("mean", 1.0), ("variance", 0.45))],
        xaxis={
            "range": [-0.02 * (last + 1) - 0.5, 1.02 * last + 0.5],
            "showticklabels": look.order == "channel",
            "title": {"text": title},
            "anchor": "y2",
            "nticks": 4,
        },
        yaxis={"domain": [0.56, 1.0], "range": list(ranges["mean"]), "rangemode": "normal", **grid},
    )
    below = merge(
        axes["yaxis"],
        {
            "domain": [0.0, 0.45], "type": "log", "range": [low, high], "anchor": "x",
            "dtick": 1 if high - low > 2 else "D2", "tickformat": "~g",
        },
    )  # fmt: skip
    return go.Figure(data=data, layout={**axes, "yaxis2": below})


def _name(what: str, y: float, colours: Palette) -> dict[str, Any]:
    """Of a panel, above its left corner."""
    return {
        "text": what, "x": 0, "y": y, "xref": "paper", "yref": "paper", "xanchor": "left",
        "yanchor": "bottom", "showarrow": False, "font": {"size": 12, "color": colours.muted},
    }  # fmt: skip


def ranges_of(rows: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Axes that hold every mark of every loop, with a little air."""
    found: dict[str, tuple[float, float]] = {}
    for moment in ("mean", "var"):
        values = rows[[f"{group}_{moment}" for group in _SYMBOLS]].to_numpy(dtype=float)
        values = values[np.isfinite(values) & ((values > 0) | (moment == "mean"))]
        if not len(values):
            found[moment] = (0.1, 10.0)
            continue
        if moment == "var":
            values = np.log(values)
        air = 0.06 * max(float(np.ptp(values)), 0.1)
        low, high = float(values.min()) - air, float(values.max()) + air
        found[moment] = (np.exp(low), np.exp(high)) if moment == "var" else (low, high)
    return found


def symbol_of(group: str) -> str:
    """Plotly's name of a group's mark."""
    return _SYMBOLS[group]


def colour_of(group: str, colours: Palette) -> str:
    """Of a group's marks."""
    return {"executed": colours.ran, "skipped": colours.muted, "running": colours.wrong}[group]


def _drawn(rows: pd.DataFrame) -> list[str]:
    """The groups that have something to draw, the running statistics below the others."""
    return [
        group
        for group in ("running", "skipped", "executed")
        if group == "running" or bool((rows[group] > 0).any())
    ]


def _marks(rows: pd.DataFrame, group: str, moment: str, colours: Palette) -> dict[str, Any]:
    tone = colour_of(group, colours)
    size = {"executed": 5.5, "skipped": 6, "running": 8}[group]
    what = {"executed": "executed", "skipped": "skipped", "running": "running"}[group]
    facts = [rows["channel"], rows[f"{group}_{moment}"]]
    hover = f"channel %{{customdata[0]}}<br><b>{what}</b> %{{customdata[1]:.3g}}"
    if group != "running":
        facts += [rows[f"{group}_{moment}_margin"], rows[group]]
        hover += " ± %{customdata[2]:.2g}<br>n = %{customdata[3]:,} images"
    return {
        "type": "scatter",
        "mode": "markers",
        "x": rows["place"],
        "y": rows[f"{group}_{moment}"],
        "yaxis": "y" if moment == "mean" else "y2",
        "marker": {
            "symbol": _SYMBOLS[group],
            "color": tone,
            "size": size,
            "line": {"color": tone, "width": 1.6 if group == "running" else 1.2},
        },
        "customdata": np.column_stack(facts),
        "hovertemplate": f"{hover}<extra></extra>",
        "name": f"{what}, {moment}",
    }


def _rows(loop: NormStatistics, look: Look) -> pd.DataFrame:
    count = len(loop.population.mean)
    executed = loop.executed.mean
    order = np.arange(count)
    if look.order == "mean":
        by = executed if loop.executed.images else loop.population.mean
        order = np.argsort(by, kind="stable")
    place = np.empty(count, dtype=np.int64)
    place[order] = np.arange(count)
    columns: dict[str, NDArray[Any]] = {
        "loop": np.full(count, loop.loop + 1),
        "channel": np.arange(1, count + 1),
        "place": place,
        "executed": np.full(count, loop.executed.images),
        "skipped": np.full(count, loop.skipped.images),
    }
    for group, parts in (("executed", loop.executed_parts), ("skipped", loop.skipped_parts)):
        columns |= _group(group, parts, loop.population, look.scale)
    running = _scaled(loop.population, loop.population, look.scale)
    columns |= {"running_mean": running.mean, "running_var": running.var}
    return pd.DataFrame(columns).sort_values("place", ignore_index=True)


def _group(name: str, parts: Parts, population: Moments, scale: Scale) -> dict[str, Floats]:
    moments = _scaled(parts.jackknifed(), population, scale)
    found: dict[str, Floats] = {}
    for moment in ("mean", "var"):
        sampled = Sampled.of(getattr(moments, moment))
        found[f"{name}_{moment}"] = sampled.values
        found[f"{name}_{moment}_margin"] = sampled.margin()
    return found


def _scaled(moments: Moments, population: Moments, scale: Scale) -> Moments:
    if scale == "raw":
        return moments
    var = np.where(population.var > 0, population.var, np.nan)
    mean = (moments.mean - population.mean) / np.sqrt(var)
    return Moments(moments.images, mean, moments.var / var)
