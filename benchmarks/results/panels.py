"""Small charts side by side as SVG, written by hand so that equal numbers give equal bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_COLUMNS = 2
_WIDTH, _HEIGHT = 400, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 10, 34, 42
_HEAD = 34
_BLUE, _ORANGE, _GREY = "#0072b2", "#d55e00", "#767676"  # the first two are Okabe and Ito's
_LETTER = 6.5  # pixels, more or less


@dataclass(frozen=True)
class Panel:
    """One chart: a value for each place, with its interval.

    Attributes:
        name: over it.
        places: names of the N places, from left to right.
        values, low, high: (N,) and the ends of the intervals.
        chance: (N,) what chance gives, marked beside; empty where nothing is known of it.
        bars: values are heights of bars from 0; else points on a logarithmic axis.
    """

    name: str
    places: Sequence[str]
    values: Floats
    low: Floats
    high: Floats
    chance: Floats
    bars: bool


def panels(title: str, found: Sequence[Panel], axes: tuple[str, str]) -> str:
    """SVG of all, two in a row.

    Args:
        title: over all, and its name for those who do not see it.
        found: the charts; at least one.
        axes: what lies to the right and what upwards.

    Raises:
        ValueError: there is none.
    """
    if not found:
        raise ValueError("expected at least one panel, got none")
    across = min(_COLUMNS, len(found))
    width, height = across * _WIDTH, _HEAD + -(-len(found) // _COLUMNS) * _HEIGHT
    parts = [f'<text x="10" y="20" font-size="13" font-weight="bold">{escape(title)}</text>']
    for place, panel in enumerate(found):
        row, column = divmod(place, _COLUMNS)
        moved = f'<g transform="translate({column * _WIDTH} {_HEAD + row * _HEIGHT})">'
        parts.append(f"{moved}\n{_panel(panel, axes)}\n</g>")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" font-family="sans-serif" font-size="11">'
        f"<title>{escape(title)}</title>\n"
        f'<rect width="{width}" height="{height}" fill="white"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _panel(panel: Panel, axes: tuple[str, str]) -> str:
    low, high, ticks = _bars_axis(panel) if panel.bars else _log_axis(panel)
    bottom, span = _HEIGHT - _BOTTOM, _HEIGHT - _TOP - _BOTTOM

    def y(value: float) -> float:
        scaled = value if panel.bars else float(np.log10(value))
        return bottom - span * min(max((scaled - low) / (high - low), 0.0), 1.0)

    parts = [_axes(panel.name, axes)]
    for tick in ticks:
        at = y(tick)
        parts += [
            f'<path d="M{_LEFT},{at:.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>',
            f'<text x="{_LEFT - 5}" y="{at + 4:.1f}" text-anchor="end">{tick:.3g}</text>',
        ]
    step = (_WIDTH - _LEFT - _RIGHT) / len(panel.places)
    longest = max(map(len, panel.places)) + 1
    every = max(1, int(np.ceil(_LETTER * longest / step)))
    for place, name in enumerate(panel.places):
        middle = _LEFT + (place + 0.5) * step
        if place % every == 0:
            parts.append(_centred(name, middle, bottom + 14))
        value, ends = panel.values[place], (panel.low[place], panel.high[place])
        if np.isfinite(value):
            parts += _mark(panel.bars, middle, step, y(value), bottom)
            parts.append(f'<path d="M{middle:.1f},{y(ends[0]):.1f}V{y(ends[1]):.1f}" {_STROKE}/>')
        if len(panel.chance) and np.isfinite(panel.chance[place]):
            at = y(panel.chance[place])
            across = f"M{middle - 5:.1f},{at:.1f}H{middle + 5:.1f}"
            parts.append(f'<path d="{across}" stroke="{_ORANGE}" stroke-width="2"/>')
    return "\n".join(parts)


_STROKE = 'stroke="black" stroke-width="1.2"'


def _mark(bars: bool, middle: float, step: float, at: float, bottom: float) -> list[str]:
    if not bars:
        return [f'<circle cx="{middle:.1f}" cy="{at:.1f}" r="3.5" fill="{_BLUE}"/>']
    left, size = middle - 0.4 * step, (0.8 * step, bottom - at)
    place = f'x="{left:.1f}" y="{at:.1f}" width="{size[0]:.1f}" height="{size[1]:.1f}"'
    return [f'<rect {place} fill="{_BLUE}"/>']


def _bars_axis(panel: Panel) -> tuple[float, float, Floats]:
    most = float(np.nanmax(panel.high))
    step = next(size for size in (0.02, 0.05, 0.1, 0.2, 0.5) if most / size <= 6)
    ticks = np.arange(0, most + step, step)
    return 0.0, float(ticks[-1]), ticks


def _log_axis(panel: Panel) -> tuple[float, float, Floats]:
    known = np.concatenate([panel.values, panel.low, panel.high, panel.chance])
    known = known[np.isfinite(known) & (known > 0)]
    low, high = np.floor(np.log10(known.min())), np.ceil(np.log10(known.max()))
    high = max(high, low + 1)
    return float(low), float(high), 10.0 ** np.arange(low, high + 1)


def _axes(name: str, axes: tuple[str, str]) -> str:
    middle, upright = (_LEFT + _WIDTH - _RIGHT) / 2, (_TOP + _HEIGHT - _BOTTOM) / 2
    turned = f'transform="translate(14 {upright:.0f}) rotate(-90)" text-anchor="middle"'
    return "\n".join(
        [
            f'<text x="10" y="18" font-weight="bold">{escape(name)}</text>',
            _centred(axes[0], middle, _HEIGHT - 10, _GREY),
            f'<text {turned} fill="{_GREY}">{escape(axes[1])}</text>',
        ]
    )


def _centred(text: str, x: float, y: float, fill: str = "black") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="middle" fill="{fill}"'
    return f"<text {place}>{escape(text)}</text>"
