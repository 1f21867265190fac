"""Who is right where: the two-by-two table of a pair as a figure whose cells can be clicked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from app.charts import NO_FADING, Palette, layout
from app.compare.looks import blend, look_of
from drnn_core.analysis.pair_selection import Outcome

# Where the cell of an outcome stands: left, bottom, width, height.
_PLACES: dict[Outcome, tuple[float, float, float, float]] = {
    "both right": (0, 1, 1, 1),
    "only a": (1, 1, 1, 1),
    "only b": (0, 0, 1, 1),
    "same wrong": (1, 0.5, 1, 0.5),
    "other wrong": (1, 0, 1, 0.5),
}
_GAP = 0.012


def outcome_figure(
    counts: Mapping[Outcome, int],
    letters: tuple[str, str],
    chosen: tuple[Outcome, ...],
    colours: Palette,
) -> go.Figure:
    """Images by who is right: run a down, run b across.

    Args:
        counts: images of each outcome.
        letters: of the two runs.
        chosen: outcomes whose images are shown; empty for all.
        colours: of the theme.
    """
    total = max(1, sum(counts.values()))
    a, b = (blend(look_of(letter).colour, colours.background, 0.26) for letter in letters)
    fills: dict[Outcome, str] = {"only a": a, "only b": b}
    words: dict[Outcome, str] = {"same wrong": "same answer", "other wrong": "different answers"}
    cells: list[dict[str, Any]] = []
    for outcome, count in counts.items():
        left, bottom, width, height = _PLACES[outcome]
        lit = not chosen or outcome in chosen
        what = f"<br>{words[outcome]}" if outcome in words else ""
        share = f"{100 * count / total:.1f} %"
        text = f"<b>{count:,}</b>" + (f" · {share}{what}" if what else f"<br>{share}")
        cells.append(
            {
                "type": "bar",
                "x": [left + width / 2],
                "base": [bottom + _GAP],
                "y": [height - 2 * _GAP],
                "width": [width - 2 * _GAP],
                "marker": {
                    "color": fills.get(outcome, colours.surface),
                    "line": {
                        "color": colours.text if lit else colours.grid,
                        "width": 2 if lit and chosen else 1,
                    },
                },
                "text": [text],
                "textposition": "inside",
                "insidetextanchor": "middle",
                "textangle": 0,
                "constraintext": "none",
                "textfont": {"size": 14, "color": colours.text if lit else colours.muted},
                "customdata": [[outcome]],
                "hovertemplate": (
                    f"{outcome_words(outcome, letters)}: {count:,} images, {share}<extra></extra>"
                ),
                **NO_FADING,
            }
        )
    ticks: dict[str, Any] = {
        "showgrid": False,
        "showline": False,
        "tickfont": {"size": 13, "color": colours.text},
        "rangemode": "normal",
        "range": [0, 2],
        "tickvals": [0.5, 1.5],
    }
    a_letter, b_letter = letters
    return go.Figure(
        data=cells,
        layout=layout(
            300,
            barmode="overlay",
            margin={"t": 4, "b": 4},
            xaxis={**ticks, "side": "top", "ticktext": [f"{b_letter} right", f"{b_letter} wrong"]},
            yaxis={**ticks, "ticktext": [f"{a_letter} wrong", f"{a_letter} right"]},
        ),
    )


def outcome_words(outcome: Outcome, letters: tuple[str, str]) -> str:
    """An outcome in words."""
    a, b = letters
    words: dict[Outcome, str] = {
        "both right": "both right",
        "only a": f"only {a} right",
        "only b": f"only {b} right",
        "same wrong": "both wrong, the same answer",
        "other wrong": "both wrong, different answers",
    }
    return words[outcome]


def outcome_table(counts: Mapping[Outcome, int], letters: tuple[str, str]) -> pd.DataFrame:
    """The same as numbers: ``outcome``, ``images``."""
    words = [outcome_words(outcome, letters) for outcome in counts]
    return pd.DataFrame({"outcome": words, "images": list(counts.values())})


def outcome_alt(counts: Mapping[Outcome, int], letters: tuple[str, str]) -> str:
    """The figure in a sentence."""
    said = [f"{outcome_words(outcome, letters)} {count:,}" for outcome, count in counts.items()]
    return f"images by who is right: {'; '.join(said)}"
