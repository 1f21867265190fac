"""How each run is told apart: letter, colour, dash and mark, so that none needs colour alone.

Blue, orange, the page's own black (white in the dark) and magenta stay apart for the common forms
of colour blindness; dashes and marks are there for everybody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

import streamlit as st

from app.charts import Palette, is_dark, palette
from app.compare.sides import LETTERS, Side

_CSS = Path(__file__).resolve().parent / "assets" / "compare.css"

_LIGHT = ("#0b6e99", "#c2500b", "#1b2430", "#a8437f")
_DARK = ("#56b9e0", "#ff9d5c", "#e3e8ee", "#e08cc0")
_DASHES = ("solid", "dash", "dot", "dashdot")
_MARKS = ("circle", "square", "diamond", "triangle-up")
_SIGNS = "●■◆▲"
_TITLE_LONGEST = 26
_TITLES_MOST = 2  # in a small figure's key


@dataclass(frozen=True)
class Look:
    """How a run is drawn.

    Attributes:
        colour: hex, of the theme.
        dash: Plotly's name of its line.
        mark: Plotly's name of its marker.
        sign: the same mark as a character.
    """

    colour: str
    dash: str
    mark: str
    sign: str


def look_of(letter: str) -> Look:
    """The look of the run with this letter in the session's theme."""
    place = LETTERS.index(letter)
    colours = _DARK if is_dark() else _LIGHT
    return Look(colours[place], _DASHES[place], _MARKS[place], _SIGNS[place])


def legend_name(side: Side, more: str = "") -> str:
    """A run in a figure's key: letter and title, for Plotly; what comes from outside is escaped."""
    return f"<b>{side.letter}</b> {escape(short(side.info.title))}{more}"


def brief_name(side: Side, of: int, more: str = "") -> str:
    """Likewise in one of several small figures: where there are more than two runs, its letter.

    Four titles in each of them would take more room than the lines; the page's table has them.
    """
    return legend_name(side, more) if of <= _TITLES_MOST else f"<b>{side.letter}</b>{more}"


def short(title: str) -> str:
    """A title, cut where it is long."""
    return title if len(title) <= _TITLE_LONGEST else f"{title[: _TITLE_LONGEST - 1].rstrip()}…"


def key_of(colours: Palette, rows: int = 1) -> dict[str, object]:
    """Plotly's layout of a key above the figure; ``rows`` lines of it."""
    return {
        "showlegend": True,
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1,
            "yanchor": "bottom",
            "font": {"size": 12.5, "color": colours.text},
            "itemclick": False,
            "itemdoubleclick": False,
            "bgcolor": "rgba(0,0,0,0)",
            "itemwidth": 40,
        },
        "margin": {"t": 16 + 22 * rows},
    }


def badge(letter: str) -> str:
    """The letter on the run's colour, as HTML."""
    return f'<span class="lc-badge lc-{letter}">{letter}</span>'


def stroke(letter: str) -> str:
    """The run's mark and line, as HTML."""
    sign = look_of(letter).sign
    return f'<span class="lc-stroke lc-{letter}" aria-hidden="true">{sign}<i></i></span>'


def blend(colour: str, ground: str, share: float) -> str:
    """``share`` of a colour over another, hex each."""
    pairs = zip(_parts(colour), _parts(ground), strict=True)
    return "#" + "".join(f"{round(share * top + (1 - share) * under):02x}" for top, under in pairs)


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def style() -> None:
    """The look of the page's tables, in the colours of the theme; call once a script run."""
    colours = palette()
    named = {"text": colours.text, "muted": colours.muted, "grid": colours.grid}
    named |= {"line": colours.skipped, "surface": colours.surface, "ground": colours.background}
    named |= {letter: look_of(letter).colour for letter in LETTERS}
    values = ";".join(f"--lc-{name}:{value}" for name, value in named.items())
    st.html(f"<style>:root{{{values}}}{_CSS.read_text('utf-8')}</style>")
