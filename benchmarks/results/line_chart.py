"""A chart of lines with bands as SVG, written by hand so that equal numbers give equal bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_WIDTH, _HEIGHT = 760, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 16, 40, 44
# Of Okabe and Ito's palette, told apart by those who see colours otherwise, and by their dashes.
_LOOKS = (
    ("#595959", "2 3"),
    ("#d55e00", "7 3"),
    ("#0072b2", ""),
    ("#009e73", "10 3 2 3"),
    ("#cc79a7", "4 2"),
)


@dataclass(frozen=True)
class Line:
    """A line: ``epochs`` (E,), and ``mean``, ``least``, ``most`` there, (E,) each."""

    name: str
    epochs: Floats
    mean: Floats
    least: Floats
    most: Floats


def line_chart(title: str, lines: Sequence[Line], height_title: str) -> str:
    """SVG of lines over epochs, each in its band from the least to the most.

    Args:
        title: over the chart, and its name for those who do not see it.
        lines: at least one, at most as many as there are looks, with at least one epoch each.
        height_title: of the axis of heights.

    Raises:
        ValueError: too many lines, or none.
    """
    if not 1 <= len(lines) <= len(_LOOKS):
        raise ValueError(f"expected one to {len(_LOOKS)} lines, got {len(lines)}")
    longest = max(float(line.epochs[-1]) for line in lines)
    low, high = _limits(lines)

    def x(epochs: Floats) -> Floats:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * epochs / longest

    def y(values: Floats) -> Floats:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * (values - low) / (high - low)

    parts = [_frame(title, height_title, longest, (low, high), y)]
    for line, (colour, dash) in zip(lines, _LOOKS, strict=False):
        there = x(line.epochs)
        band = _points([*there, *there[::-1]], [*y(line.most), *y(line.least)[::-1]])
        stroke = _stroke(colour, dash)
        parts += [
            f'<polygon points="{band}" fill="{colour}" fill-opacity="0.15"/>',
            f'<polyline points="{_points(there, y(line.mean))}" fill="none" {stroke}/>',
        ]
    parts.append(_key(lines))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" role="img" font-family="sans-serif" font-size="12">'
        f"<title>{escape(title)}</title>\n"
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _limits(lines: Sequence[Line]) -> tuple[float, float]:
    """Whole tens around all bands."""
    low = min(float(line.least.min()) for line in lines)
    high = max(float(line.most.max()) for line in lines)
    low, high = 10 * np.floor(low / 10), 10 * np.ceil(high / 10)
    return float(low), float(max(high, low + 10))


def _frame(
    title: str,
    name: str,
    longest: float,
    limits: tuple[float, float],
    y: Callable[[Floats], Floats],
) -> str:
    bottom = _HEIGHT - _BOTTOM
    parts: list[str] = []
    for value in np.arange(limits[0], limits[1] + 1, 10):
        at = float(y(np.array([value]))[0])
        parts += [
            f'<path d="M{_LEFT},{at:.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>',
            f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{value:g}</text>',
        ]
    for epoch in ticks(longest):
        at = _LEFT + (_WIDTH - _LEFT - _RIGHT) * epoch / longest
        parts.append(
            f'<text x="{at:.1f}" y="{bottom + 18}" text-anchor="middle">{epoch:.0f}</text>'
        )
    middle, centred, upright = (_LEFT + _WIDTH - _RIGHT) / 2, 'text-anchor="middle"', escape(name)
    parts += [
        f'<text x="{middle:.0f}" y="{_HEIGHT - 8}" {centred}>epoch</text>',
        f'<text transform="translate(14 {_HEIGHT / 2:.0f}) rotate(-90)" {centred}>{upright}</text>',
        f'<text x="{_LEFT}" y="20" font-weight="bold">{escape(title)}</text>',
    ]
    return "\n".join(parts)


def ticks(longest: float) -> Floats:
    """Whole epochs from 0 on, at most eleven, 1, 2 or 5 times a power of ten apart."""
    steps = (factor * 10**power for power in range(9) for factor in (1, 2, 5))
    step = next(step for step in steps if longest / step <= 10)
    return np.arange(0, longest + step / 100, step)


def _key(lines: Sequence[Line]) -> str:
    """The lines' names, in the corner where curves that rise leave room."""
    parts: list[str] = []
    left, bottom = _WIDTH - _RIGHT - 250, _HEIGHT - _BOTTOM - 12
    for place, (line, (colour, dash)) in enumerate(zip(lines, _LOOKS, strict=False)):
        at = bottom - 18 * (len(lines) - 1 - place)
        stroke = _stroke(colour, dash)
        parts += [
            f'<line x1="{left}" y1="{at - 4}" x2="{left + 30}" y2="{at - 4}" {stroke}/>',
            f'<text x="{left + 36}" y="{at}">{escape(line.name)}</text>',
        ]
    return "\n".join(parts)


def _stroke(colour: str, dash: str) -> str:
    return f'stroke="{colour}" stroke-width="2"' + (f' stroke-dasharray="{dash}"' if dash else "")


def _points(xs: Sequence[float] | Floats, ys: Sequence[float] | Floats) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
