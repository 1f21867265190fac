"""The table of key figures as HTML, and as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import pandas as pd

from app.compare.key_figures import NONE, Entry, Row
from app.compare.looks import badge, stroke
from app.compare.sides import Side, same_test


def table_html(sides: Sequence[Side], rows: Sequence[Row]) -> str:
    """The table; what comes from outside is escaped."""
    heads = "".join(_head(side) for side in sides)
    same = [same_test(sides[0], side) for side in sides]
    body = "".join(_line(row, same) for row in rows)
    return (
        '<div class="lc-scroll" tabindex="0" role="region" aria-label="Key figures of the runs">'
        f'<table class="lc-table"><thead><tr><th scope="col"></th>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _head(side: Side) -> str:
    return (
        f'<th scope="col"><span class="lc-head">{badge(side.letter)}'
        f"<span>{escape(side.info.title)}</span></span>"
        f"<small>{escape(side.name)}</small>{stroke(side.letter)}</th>"
    )


def _line(row: Row, same: Sequence[bool]) -> str:
    first, *others = row.entries
    cells = _cell(first, "")
    for entry, alike in zip(others, same[1:], strict=True):
        other_images = row.tested and not alike and entry.value is not None
        cells += _cell(entry, "other images" if other_images else change_of(row, entry, first))
    name = f'<abbr title="{escape(row.meaning, quote=True)}">{escape(row.name)}</abbr>'
    return f'<tr><th scope="row">{name}</th>{cells}</tr>'


def _cell(entry: Entry, change: str) -> str:
    title = f' title="{escape(entry.meaning, quote=True)}"' if entry.meaning else ""
    words = " lc-words" if isinstance(entry.value, str) else ""
    none = " lc-none" if entry.text == NONE else ""
    changed = f'<span class="lc-change">{escape(change)}</span>' if change else ""
    below = f"<small>{escape(entry.below)}</small>" if entry.below else ""
    text = f'<span class="lc-value{words}{none}">{escape(entry.text)}</span>'
    return f"<td{title}>{text}{changed}{below}</td>"


def change_of(row: Row, entry: Entry, first: Entry) -> str:
    """The change of a figure to that of the first run; "" where there is none."""
    if row.change is None or not isinstance(entry.value, int | float):
        return ""
    return row.change(entry.value, first.value) if isinstance(first.value, int | float) else ""


def meanings_html(rows: Sequence[Row]) -> str:
    """The rows' definitions, for those who cannot point at a name."""
    lines = "".join(f"<dt>{escape(row.name)}</dt><dd>{escape(row.meaning)}</dd>" for row in rows)
    return f'<dl class="lc-meanings">{lines}</dl>'


def table_frame(sides: Sequence[Side], rows: Sequence[Row]) -> pd.DataFrame:
    """The same as numbers, a row for each run."""
    columns = {row.column: [entry.value for entry in row.entries] for row in rows}
    return pd.DataFrame({"run": [side.name for side in sides], **columns})
