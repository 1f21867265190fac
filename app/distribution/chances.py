"""The figure of what gates say: chances to run, gate by gate and loop by loop."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from app.charts import Palette, layout
from app.distribution.breakdowns import MOST_NAMES, stage_ticks
from app.distribution.figures import Trace


def chance_figure(chances: pd.DataFrame, colours: Palette) -> go.Figure:
    """A column for each loop that a gate was asked about: the darker, the more images there.

    Args:
        chances: ``analysis.gate_logits.chance_counts``.
        colours: of the theme.
    """
    steps = chances.drop_duplicates(["block", "loop"])[["block", "loop"]].reset_index(drop=True)
    blocks = list(dict.fromkeys(steps["block"]))
    numbers = steps["block"].map({name: number for number, name in enumerate(blocks)})
    widest = int(steps["loop"].max()) + 2
    places = (numbers * widest + steps["loop"]).to_numpy()
    bins = len(chances) // len(steps)
    # a column for every place, so that the gaps between blocks stay empty
    share = np.full((bins, int(places[-1]) + 1), np.nan)
    share[:, places] = 100 * chances["share"].to_numpy().reshape(len(steps), bins).T
    images = chances["images"].to_numpy().reshape(len(steps), bins)
    low, high = (chances[end].to_numpy()[:bins] for end in ("low", "high"))
    step_at = dict(zip(places.tolist(), range(len(steps)), strict=True))
    said = [
        [
            [steps["block"][step], steps["loop"][step] + 1, f"{low[row]:.3f}", f"{high[row]:.3f}",
             images[step, row]]
            if (step := step_at.get(place)) is not None
            else [""] * 5
            for place in range(share.shape[1])
        ]
        for row in range(bins)
    ]  # fmt: skip
    cells: Trace = {
        "type": "heatmap",
        "x": np.arange(share.shape[1]),
        "y": (low + high) / 2,
        "z": share,
        "xgap": 2,
        "hoverongaps": False,
        "zmin": 0,
        "zmax": max(25.0, float(np.nanmax(share))),
        # few images must be seen beside a bin that holds nearly all
        "colorscale": [
            [0, colours.background], [0.004, colours.grid], [0.05, colours.ran_soft],
            [0.5, colours.ran], [1, colours.text],
        ],
        "showscale": False,
        "customdata": said,
        "hovertemplate": (
            "<b>block %{customdata[0]}, loop %{customdata[1]}</b><br>"
            "%{z:.1f} % of those asked (%{customdata[4]:,})<br>"
            "have a chance of %{customdata[2]} to %{customdata[3]}<extra></extra>"
        ),
    }  # fmt: skip
    threshold = {
        "type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": 0.5, "y1": 0.5,
        "line": {"color": colours.wrong, "width": 1, "dash": "dot"},
    }  # fmt: skip
    centres = {
        name: float(places[(numbers == number).to_numpy()].mean())
        for number, name in enumerate(blocks)
    }
    few = len(blocks) <= MOST_NAMES
    ticks = centres if few else stage_ticks(pd.Series(blocks), list(centres.values()))
    return go.Figure(
        data=[cells],
        layout=layout(
            240,
            margin={"t": 8},
            shapes=[threshold],
            xaxis={
                "tickvals": list(ticks.values()),
                "ticktext": list(ticks),
                "tickangle": 0,
                "title": {"text": "block (stage.block)" if few else "blocks by stage"},
                "range": [float(places[0]) - 1, float(places[-1]) + 1],
            },
            yaxis={
                "range": [0, 1],
                "tickvals": [0, 0.25, 0.5, 0.75, 1],
                "ticktext": ["0", ".25", "runs above .5", ".75", "1"],
                "showgrid": False,
            },
        ),
    )
