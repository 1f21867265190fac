"""Where an image stands in its run, and what each gate decided: two charts with their words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from app import cache, charts
from app.inspection.gates import (
    Spread,
    image_marks,
    legend,
    probability_axis,
    run_marks,
    spreads_of_run,
)
from app.inspection.path import NetworkPath
from drnn_core.analysis.loops import Selection
from drnn_core.inference.prediction import Prediction

_MOST_NAMES = 14  # of blocks, below the chart of a phone
_NAMES = {  # of the table's columns, for programs
    "Block": "block",
    "Loop": "loop",
    "Gate": "gate_prob",
    "Decision": "decision",
    "Median": "median_of_the_run",
    "From": "p10_of_the_run",
    "To": "p90_of_the_run",
    "Images": "images_of_the_run_that_asked",
    "Opens in the run": "opening_rate_of_the_run",
    "Asked": "asked",
}


def show_standing(run: cache.Run, prediction: Prediction) -> None:
    """The run's histogram of loops with this image's bar marked."""
    st.subheader(
        "Among the run's images",
        anchor=False,
        help="How many loops the images of the run's records took; the marked bar is this image's.",
    )
    if not cache.recorded(run):
        st.caption("This run has no records to compare with yet. Write them with")
        st.code(f"drnn records {run.folder} --data D", language=None)
        return
    try:
        table = cache.table(run)
        counts = table.records.loop_counts(Selection())
    except (ValueError, OSError) as error:
        st.warning(f"The run's records cannot be read: {error}")
        return
    words = standing_in_words(counts, prediction.loops)
    figure = standing_figure(counts, prediction.loops, charts.palette())
    data = pd.DataFrame(
        {
            "loops": np.arange(len(counts)),
            "images": counts,
            "this_image": np.arange(len(counts)) == prediction.loops,
        }
    )
    charts.show(figure, f"{run.name} standing", key="inspect_standing", data=data, alt=words)
    st.caption(words)


def standing_in_words(counts: np.ndarray, loops: int) -> str:
    """Which share of the images took fewer, as many and more loops; ``counts`` by loops."""
    total = int(counts.sum())
    if not total:
        return "The records hold no images."
    fewer = int(counts[:loops].sum()) / total
    same = int(counts[loops]) / total
    more = 1 - fewer - same
    unit = "loop" if loops == 1 else "loops"
    return (
        f"{loops} {unit}: more than {fewer:.0%} of the {total:,} recorded images, as many as "
        f"{same:.0%}, fewer than {abs(more):.0%}."
    )


def standing_figure(counts: np.ndarray, loops: int, colours: charts.Palette) -> go.Figure:
    """Bars by loops, the image's own in the accent."""
    numbers = np.arange(len(counts))
    bar_colours = [colours.ran if k == loops else colours.skipped for k in numbers]
    share = counts / max(int(counts.sum()), 1)
    figure = go.Figure(
        go.Bar(
            x=numbers,
            y=counts,
            marker={"color": bar_colours, "line": {"width": 0}},
            customdata=share,
            hovertemplate="%{x} loops<br>%{y:,} images, %{customdata:.1%}<extra></extra>",
        )
    )
    headroom = 1.18 * max(int(counts.max()), 1)
    figure.add_shape(
        x0=loops,
        x1=loops,
        y0=int(counts[loops]),
        y1=0.95 * headroom,
        line={"color": colours.ran, "width": 1.2, "dash": "dot"},
    )
    figure.add_annotation(
        x=loops,
        y=0.95 * headroom,
        text="this image",
        showarrow=False,
        xanchor="left" if loops < len(counts) / 2 else "right",
        xshift=5 if loops < len(counts) / 2 else -5,
        font={"color": colours.ran, "size": 12.5},
    )
    figure.update_layout(
        **charts.layout(
            220,
            xaxis={"title": {"text": "executed loops"}, "dtick": max(1, len(counts) // 10)},
            yaxis={"title": {"text": "images"}, "range": [0, headroom]},
        )
    )
    return figure


def show_decisions(
    run: cache.Run, path: NetworkPath, opening_rates: Sequence[float | None]
) -> None:
    """Each gate's probability, beside those of the run's images that asked the same gate."""
    st.subheader(
        "Gate by gate",
        anchor=False,
        help=(
            "The gate's probability to run each loop: it opens above one half, the dotted line. "
            "The grey bar holds the middle 80 % of the probabilities that the run's recorded "
            "images had at the same gate, of those that asked it; the line across it is their "
            "median. A gate that this image never reached has no probability: it stands below."
        ),
    )
    table = decision_table(path, opening_rates, spreads_of_run(run))
    figure = decision_figure(table, charts.palette())
    charts.show(
        figure,
        "gates",
        key="inspect_gates",
        data=lambda: _named(table),
        alt=path.in_words(),
    )
    with st.expander("As a table"):
        st.dataframe(
            table.drop(columns=["Asked", "From", "To", "Images"]).rename(
                columns={"Median": "Median in the run"}
            ),
            hide_index=True,
            width="stretch",
            height="content",
            column_config={
                "Median in the run": st.column_config.NumberColumn(
                    help="Of the probabilities of the run's recorded images that asked this gate."
                ),
                "Opens in the run": st.column_config.NumberColumn(
                    help="Share of the run's test images for which this gate opened, of those "
                    "that asked it."
                ),
            },
        )


def decision_table(
    path: NetworkPath,
    opening_rates: Sequence[float | None],
    spreads: Sequence[Spread | None] = (),
) -> pd.DataFrame:
    """One row per step: block, loop, gate, decision, and what the run's images met there."""
    rates, found = list(opening_rates), list(spreads)
    rows: list[dict[str, object]] = []
    names = {"ran": "ran", "closed": "closed", "unasked": "not asked"}
    nobody = Spread(math.nan, math.nan, math.nan, 0)
    for block in path.recursive:
        for number, loop in enumerate(block.loops, 1):
            rate = rates[len(rows)] if len(rows) < len(rates) else None
            spread = (found[len(rows)] if len(rows) < len(found) else None) or nobody
            rows.append(
                {
                    "Block": block.name,
                    "Loop": number,
                    "Gate": math.nan if loop.prob is None else round(loop.prob, 4),
                    "Decision": names[loop.fate],
                    "Median": round(spread.median, 4),
                    "From": round(spread.low, 4),
                    "To": round(spread.high, 4),
                    "Images": spread.asked,
                    "Opens in the run": math.nan if rate is None else round(rate, 4),
                    "Asked": loop.asked,
                }
            )
    return pd.DataFrame(rows, columns=list(_NAMES))


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """The table under names for programs."""
    return table.rename(columns=_NAMES)


def decision_figure(table: pd.DataFrame, colours: charts.Palette) -> go.Figure:
    """Gate probability over steps, grouped by block, with the run's images behind."""
    names = list(dict.fromkeys(table["Block"]))
    # One unit a loop, and one between blocks.
    place = np.arange(len(table)) + np.array([names.index(name) for name in table["Block"]])
    few = len(names) <= _MOST_NAMES
    bands = _bands(table["Block"], few)
    middles = {name: float(place[bands == name].mean()) for name in dict.fromkeys(bands)}
    behind = [run_marks(table, place, few, colours)] if table["Images"].any() else []
    figure = go.Figure(data=[*behind, *image_marks(table, place, few, colours)])
    for name in list(middles)[::2]:
        inside = place[bands == name]
        figure.add_vrect(
            x0=inside[0] - 0.75,
            x1=inside[-1] + 0.75,
            fillcolor=colours.surface,
            layer="below",
            line_width=0,
        )
    figure.add_hline(y=0.5, line={"color": colours.muted, "width": 1, "dash": "dot"})
    figure.update_layout(
        **charts.layout(
            270,
            showlegend=True,
            legend=legend(colours),
            xaxis={
                "title": {"text": f"loops of each {'block' if few else 'stage'}"},
                "tickvals": list(middles.values()),
                "ticktext": list(middles),
                "tickangle": 0,
                "range": [-1, float(place[-1]) + 1],
            },
            yaxis=probability_axis(bool((table["Decision"] == "not asked").any())),
            hovermode="closest",
        )
    )
    return figure


def _bands(blocks: pd.Series[str], few: bool) -> NDArray[np.str_]:
    """What stands below each step: its block, or of more than there is room for its stage."""
    if few:
        return blocks.to_numpy(dtype=np.str_)
    return np.array([name.partition(".")[0] for name in blocks], dtype=np.str_)
