"""What the trainings went through, epoch by epoch: figure 6 of the paper, for several runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go

from app.charts import Palette, layout
from app.compare.bands import band_trace
from app.compare.looks import brief_name, key_of, look_of
from app.compare.sides import Side

Measure = Literal["test_error", "train_loss", "rate"]
MEASURES: dict[Measure, str] = {
    "test_error": "test error, %",
    "train_loss": "training loss, rate loss included, nats",
    "rate": "gates open",
}
_MOST_MARKS = 30  # epochs, beyond which lines have no marks


def curve_table(sides: Sequence[Side]) -> pd.DataFrame:
    """A row for each run and epoch: ``run``, ``epoch`` and the measures, NaN where not taken."""
    rows = [
        {"run": side.name, "epoch": point.epoch, "lr": point.lr}
        | {measure: getattr(point, measure) for measure in MEASURES}
        for side in sides
        for point in side.info.curve
    ]
    columns = ["run", "epoch", *MEASURES, "lr"]
    table = pd.DataFrame(rows, columns=columns)
    return table.astype(dict.fromkeys([*MEASURES, "lr"], "float64"))


def curve_figure(
    sides: Sequence[Side],
    table: pd.DataFrame,
    measure: Measure,
    colours: Palette,
    bands: pd.DataFrame,
) -> go.Figure:
    """A measure over the epochs of each run, as long as each was trained.

    Args:
        sides: the runs.
        table: ``curve_table``'s.
        measure: which; runs without it are left out.
        colours: of the theme.
        bands: ``band_table``'s: how far seeds of the same training lie apart.
    """
    traces: list[dict[str, Any]] = []
    behind = [band_trace(side, bands, measure) for side in sides]
    targets: dict[float, None] = {}
    longest = 0
    for side in sides:
        part = table[(table["run"] == side.name) & table[measure].notna()]
        if part.empty:
            continue
        longest = max(longest, int(part["epoch"].max()))
        traces.append(_line(side, part, measure, len(sides)))
        if side.info.metrics.test.target is not None:
            targets[side.info.metrics.test.target] = None
    shapes = [_target(target, colours) for target in targets if measure == "rate"]
    top: dict[str, Any] = {"range": [0, 1.03], "tickformat": ".1f"} if measure == "rate" else {}
    return go.Figure(
        data=[*filter(None, behind), *traces],
        layout=layout(
            300,
            **key_of(colours),
            shapes=shapes,
            xaxis={"title": {"text": "epoch"}, "range": [0, 1.02 * longest], "tickformat": "d"},
            yaxis={"title": {"text": MEASURES[measure]}, **top},
        ),
    )


def _line(side: Side, part: pd.DataFrame, measure: Measure, of: int) -> dict[str, Any]:
    look = look_of(side.letter)
    form = ".2f" if measure == "test_error" else ".3f"
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(part) <= _MOST_MARKS else "lines",
        "name": brief_name(side, of),
        "x": part["epoch"],
        "y": part[measure],
        "line": {"color": look.colour, "width": 2, "dash": look.dash},
        "marker": {"symbol": look.mark, "size": 6, "color": look.colour},
        "customdata": part[["lr"]],
        "hovertemplate": (
            f"<b>{side.letter}</b>, epoch %{{x}}: %{{y:{form}}}<br>"
            "learning rate %{customdata[0]:.4g}<extra></extra>"
        ),
    }


def _target(target: float, colours: Palette) -> dict[str, Any]:
    return {
        "type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": target, "y1": target,
        "line": {"color": colours.muted, "width": 1, "dash": "dot"},
        "label": {
            "text": f"target {target:g}", "textposition": "start",
            "font": {"size": 12, "color": colours.muted}, "padding": 2,
        },
    }  # fmt: skip


def curve_alt(sides: Sequence[Side], table: pd.DataFrame, measure: Measure) -> str:
    """A figure in a sentence: where each run ends."""
    said: list[str] = []
    for side in sides:
        part = table[(table["run"] == side.name) & table[measure].notna()]
        if len(part):
            last = part.iloc[-1]
            said.append(
                f"{side.letter} {side.info.title} {float(last[measure]):.3g} after epoch "
                f"{int(last['epoch'])}"
            )
    return f"{MEASURES[measure]} over epochs: {'; '.join(said)}"
