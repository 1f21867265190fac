"""What the marks of the figures stand for, in lines above them."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from itertools import cycle

from app import charts
from app.inspection.components import drawing
from app.norms.found import Found


def groups_key(skips: bool, key: str) -> None:
    """What the marks of the channels stand for."""
    colours = charts.palette()
    marks = {
        "executed images": _DOT.format(colours.ran),
        "skipped images": _DIAMOND.format(f'fill="none" stroke="{colours.muted}"'),
        "running statistics of the loop": _DASH.format(colours.wrong),
    }
    _key({words: mark for words, mark in marks.items() if skips or "skipped" not in words}, key)


def depth_key(found: Found, norm: str, key: str, shuffled: bool = True) -> None:
    """What the marks over depth stand for."""
    colours = charts.palette()
    marks = {norm: _DOT.format(colours.ran)}
    marks |= {
        other: _OTHER[symbol].format(colours.muted) for other, symbol in others_of(found, norm)
    }
    if shuffled:
        marks["decisions shuffled: what chance gives"] = _DASH.format(colours.wrong)
    _key(marks, key)


def runs_key(first: Found, second: Found, key: str) -> None:
    """Which mark is which run."""
    colours = charts.palette()
    pair = (_DOT.format(colours.ran), _DIAMOND.format(f'fill="{colours.wrong}"'))
    _key(
        {
            f"{found.run} ({found.kind})": mark
            for mark, found in zip(pair, (first, second), strict=True)
        },
        key,
    )


_DOT = '<circle cx="13" cy="8" r="4.5" fill="{0}"/>'
_DIAMOND = '<path d="M13,2.5l5.5,5.5l-5.5,5.5l-5.5,-5.5z" stroke-width="1.5" {0}/>'
_DASH = '<path d="M6,8h14" stroke="{0}" stroke-width="2.2"/>'
# Of the other norms: filled, since an open mark is an unsure one.
_OTHER = {
    "diamond": '<path d="M3,8h20" stroke="{0}"/><path d="M13,4l4,4l-4,4l-4,-4z" fill="{0}"/>',
    "square": '<path d="M3,8h20" stroke="{0}"/><path d="M9.5,4.5h7v7h-7z" fill="{0}"/>',
    "triangle-up": '<path d="M3,8h20" stroke="{0}"/><path d="M13,3.5l4.5,8h-9z" fill="{0}"/>',
}


def others_of(found: Found, norm: str) -> list[tuple[str, str]]:
    """The norms beside the chosen one, each with Plotly's name of its mark."""
    others = [other for other in found.all_norms if other != norm]
    return list(zip(others, cycle(_OTHER), strict=False))


def _key(marks: Mapping[str, str], key: str) -> None:
    parts = [
        f'<span><svg width="26" height="16" aria-hidden="true">{mark}</svg>{escape(words)}</span>'
        for words, mark in marks.items()
    ]
    drawing(f'<div class="ls-legend">{"".join(parts)}</div>', key)
