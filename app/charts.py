"""Colours and chart layout shared by all pages.

One accent for what ran, one muted tone for what was skipped, one warm tone for what went wrong.
Blue against orange stays apart for every common form of colour blindness; what matters is also
said by position, dash or text, never by colour alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import plotly.graph_objects as go
import streamlit as st

from app.downloads import Data, figure_key, figure_menu


@dataclass(frozen=True)
class Palette:
    """Hex colours of one theme.

    Attributes:
        ran: executed loops; the accent.
        skipped: loops not executed.
        wrong: misclassified images.
        text, muted, grid, background, surface: of the page.
    """

    ran: str
    ran_soft: str
    skipped: str
    wrong: str
    text: str
    muted: str
    grid: str
    background: str
    surface: str


LIGHT = Palette(
    ran="#0b6e99",
    ran_soft="#a9cfe0",
    skipped="#cdd4dc",
    wrong="#c2500b",
    text="#1b2430",
    muted="#5d6978",
    grid="#e8ebef",
    background="#ffffff",
    surface="#f2f4f7",
)
DARK = Palette(
    ran="#56b9e0",
    ran_soft="#2a5a70",
    skipped="#3a4552",
    wrong="#ff9d5c",
    text="#e3e8ee",
    muted="#9aa7b5",
    grid="#252e38",
    background="#10151b",
    surface="#1a212a",
)

FONT = '"Source Sans", "Source Sans 3", "Helvetica Neue", Arial, sans-serif'

# A clicked mark keeps its look: what is chosen is drawn by us, from the session's values.
NO_FADING: dict[str, Any] = {
    "selected": {"marker": {"opacity": 1.0}},
    "unselected": {"marker": {"opacity": 1.0}},
}
# Without Plotly's tool bar: ``downloads`` saves pictures.
_CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}


def is_dark() -> bool:
    """Whether this session shows the dark theme."""
    return st.context.theme.type == "dark"


def palette() -> Palette:
    """The colours of this session's theme."""
    return DARK if is_dark() else LIGHT


def layout(height: int, **changes: Any) -> dict[str, Any]:
    """Plotly layout of every chart: quiet axes, no drag, room for labels; ``height`` in pixels."""
    colours = palette()
    axis = {
        "gridcolor": colours.grid,
        "linecolor": colours.skipped,
        "zeroline": False,
        "tickfont": {"color": colours.muted, "size": 12},
        "title": {"font": {"color": colours.muted, "size": 13}},
        "fixedrange": True,
        "automargin": True,
    }
    base: dict[str, Any] = {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 28, "b": 8},
        "font": {"family": FONT, "color": colours.text, "size": 13},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "dragmode": False,
        "showlegend": False,
        "bargap": 0.12,
        "hoverlabel": {
            "bgcolor": colours.surface,
            "bordercolor": colours.grid,
            "font": {"family": FONT, "color": colours.text, "size": 13},
        },
        "xaxis": {**axis, "showgrid": False, "showline": True},
        "yaxis": {**axis, "rangemode": "tozero"},
    }
    return merge(base, changes)


def merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """``base`` with ``changes``, nested dictionaries merged."""
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            value = merge(cast(dict[str, Any], old), cast(dict[str, Any], value))  # noqa: PLW2901
        merged[key] = value
    return merged


def show(
    figure: go.Figure, name: str, *, key: str, data: Data | None = None, **options: Any
) -> Any:
    """Draw a figure of ours: full width, our colours, and a button to save it.

    Args:
        figure: to draw.
        name: of the files when it is saved.
        key: of the figure; unique on its page.
        data: the numbers behind it, a row for each mark, or what makes them.
        options: to ``st.plotly_chart`` (``on_select``, ``selection_mode``, ``alt``...).
    """
    draw: Callable[..., Any] = st.plotly_chart
    with st.container(key=figure_key(key), gap=None):
        figure_menu(name, key, data)
        return draw(figure, width="stretch", theme=None, config=_CONFIG, key=key, **options)
