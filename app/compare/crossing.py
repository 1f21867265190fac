"""Loops of one run against those of another, and errors against loops where only one run varies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from app.charts import NO_FADING, Palette, layout
from app.compare.looks import blend, key_of, legend_name, look_of
from app.compare.sides import Side
from drnn_core.analysis.shares import wilson

_MOST_CELLS = 33  # of a side, beyond which neighbouring loops share a cell
FEW = 10  # images, below which a share of them says nothing
_MOST_TEXT = 8  # of a side, up to which counts stand in the cells


@dataclass(frozen=True)
class Crossing:
    """Loops against loops, in cells.

    Attributes:
        counts: (A, B) images of each cell.
        edges_a, edges_b: (A,), (B,) fewest and most loops of each row and column.
    """

    counts: NDArray[np.int64]
    edges_a: list[tuple[int, int]]
    edges_b: list[tuple[int, int]]


def crossing_of(table: NDArray[np.int64]) -> Crossing:
    """Cells of ``analysis.comparison.loops_by_loops``'s table; few enough to be seen."""
    edges = [_edges(size) for size in table.shape]
    starts = [[low for low, _ in part] for part in edges]
    counts = np.add.reduceat(np.add.reduceat(table, starts[0], axis=0), starts[1], axis=1)
    return Crossing(counts, edges[0], edges[1])


def _edges(size: int) -> list[tuple[int, int]]:
    step = -(-size // _MOST_CELLS)
    return [(low, min(low + step, size) - 1) for low in range(0, size, step)]


def crossing_figure(
    cells: Crossing,
    sides: tuple[Side, Side],
    chosen: tuple[tuple[int, int] | None, tuple[int, int] | None],
    colours: Palette,
) -> go.Figure:
    """A heat map of bars, which can be clicked: run a across, run b upwards.

    Args:
        cells: the images.
        sides: the two runs.
        chosen: loops of either that the gallery is limited to; None for all.
        colours: of the theme.
    """
    rows, columns = np.nonzero(cells.counts)
    counts = cells.counts[rows, columns]
    # Roots, so that cells of few images are told from empty ones.
    depth = np.sqrt(counts / max(1, int(counts.max(initial=1))))
    fills = [blend(colours.ran, colours.background, 0.10 + 0.90 * share) for share in depth]
    places = [
        (cells.edges_a[row], cells.edges_b[column])
        for row, column in zip(rows, columns, strict=True)
    ]
    limited = any(limits is not None for limits in chosen)
    lit = [limited and _inside(a, chosen[0]) and _inside(b, chosen[1]) for a, b in places]
    few = max(cells.counts.shape) <= _MOST_TEXT
    total = max(1, int(counts.sum()))
    bars: dict[str, Any] = {
        "type": "bar",
        "x": rows,
        "base": columns - 0.47,
        "y": [0.94] * len(rows),
        "width": 0.94,
        "marker": {
            "color": fills,
            "line": {
                "color": [
                    colours.text if here else fill for here, fill in zip(lit, fills, strict=True)
                ],
                "width": [2 if here else 0 for here in lit],
            },
        },
        "text": [f"{count:,}" if few else "" for count in counts],
        "textposition": "inside",
        "insidetextanchor": "middle",
        "textangle": 0,
        "constraintext": "none",
        "textfont": {
            "size": 12.5,
            "color": [colours.background if share > 0.6 else colours.text for share in depth],
        },
        "customdata": [
            [*a, *b, _range(a), _range(b), count, 100 * count / total]
            for (a, b), count in zip(places, counts.tolist(), strict=True)
        ],
        "hovertemplate": (
            f"{sides[0].letter}: %{{customdata[4]}} loops<br>"
            f"{sides[1].letter}: %{{customdata[5]}} loops<br>"
            "%{customdata[6]:,} images, %{customdata[7]:.1f} %<extra></extra>"
        ),
        **NO_FADING,
    }
    return go.Figure(
        data=[bars],
        layout=layout(
            360,
            barmode="overlay",
            margin={"t": 10},
            shapes=_diagonal(cells, colours),
            xaxis=_axis(sides[0], cells.edges_a),
            yaxis={**_axis(sides[1], cells.edges_b), "rangemode": "normal"},
        ),
    )


def _axis(side: Side, edges: list[tuple[int, int]]) -> dict[str, Any]:
    step = -(-len(edges) // 17)
    return {
        "title": {"text": f"loops in {side.letter}"},
        "range": [-0.6, len(edges) - 0.4],
        "tickvals": list(range(0, len(edges), step)),
        "ticktext": [_range(edge) for edge in edges[::step]],
        "showgrid": False,
    }


def _diagonal(cells: Crossing, colours: Palette) -> list[dict[str, Any]]:
    """Where both loop the same, as far as both can."""
    if max(hi - lo for lo, hi in [*cells.edges_a, *cells.edges_b]) > 0:
        return []
    reach = min(cells.counts.shape) - 0.5
    return [
        {
            "type": "line", "x0": -0.5, "y0": -0.5, "x1": reach, "y1": reach,
            "line": {"color": colours.muted, "width": 1, "dash": "dot"},
        }
    ]  # fmt: skip


def _inside(cell: tuple[int, int], limits: tuple[int, int] | None) -> bool:
    return limits is None or (limits[0] <= cell[0] and cell[1] <= limits[1])


def _range(edge: tuple[int, int]) -> str:
    return str(edge[0]) if edge[0] == edge[1] else f"{edge[0]}–{edge[1]}"


def crossing_table(table: NDArray[np.int64]) -> pd.DataFrame:
    """The same as numbers, a row for each cell that has images: ``loops_a``, ``loops_b``."""
    rows, columns = np.nonzero(table)
    return pd.DataFrame({"loops_a": rows, "loops_b": columns, "images": table[rows, columns]})


def errors_figure(
    table: pd.DataFrame, sides: tuple[Side, Side], by: Side, colours: Palette
) -> go.Figure:
    """How often both runs err on images that loop so often in one of them, with intervals.

    Args:
        table: ``analysis.loops_compared.error_by_loops``'s.
        sides: the two runs.
        by: the one whose loops are meant.
        colours: of the theme.
    """
    table = table[table["n"] >= FEW]
    n = table["n"].to_numpy()
    traces: list[dict[str, Any]] = []
    for side, name, shift in zip(sides, ("wrong_a", "wrong_b"), (-0.06, 0.06), strict=True):
        look = look_of(side.letter)
        wrong = table[name].to_numpy()
        low, high = wilson(wrong, n)
        share = 100 * wrong / n
        low, high = 100 * low, 100 * high
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": legend_name(side),
                "x": table["loops"] + shift,
                "y": share,
                "line": {"color": look.colour, "width": 2, "dash": look.dash},
                "marker": {"symbol": look.mark, "size": 8, "color": look.colour},
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": high - share,
                    "arrayminus": share - low,
                    "color": look.colour,
                    "thickness": 1,
                    "width": 3,
                },
                "customdata": np.stack([table["loops"], n, low, high], axis=1),
                "hovertemplate": (
                    f"<b>{side.letter}</b> errs on %{{y:.1f}} % of the images<br>"
                    f"that take %{{customdata[0]:.0f}} loops in {by.letter}<br>"
                    "95 % interval %{customdata[2]:.1f} to %{customdata[3]:.1f} %, "
                    "n = %{customdata[1]:,.0f}<extra></extra>"
                ),
            }
        )
    return go.Figure(
        data=traces,
        layout=layout(
            360,
            **key_of(colours),
            xaxis={"title": {"text": f"loops in {by.letter}"}, "tickformat": "d"},
            yaxis={"title": {"text": "answered wrong"}, "ticksuffix": " %"},
        ),
    )
