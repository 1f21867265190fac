"""Outlines and their anti-aliased coverage, in plain IEEE arithmetic.

An outline is an (n, 2) float64 array of points (x to the right, y down), closed from the last
point to the first. Coverage is exact along x and averages ``_SCANS`` scan lines per row.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
# float32 in fact; numpy's stubs take a float32 array times a float32 scalar for float64
Field = NDArray[np.floating[Any]]

_SCANS = 2
_TWO_PI = 6.283185307179586


def cosine(turns: Points) -> Points:
    """cos(2 pi turns) by its Taylor series, to 1e-10; the same bits on every machine."""
    angle = (turns - np.floor(turns + 0.5)) * _TWO_PI
    square = angle * angle
    total = np.ones_like(square)
    for term in range(20, 0, -2):
        total = 1.0 - total * square / (term * (term - 1))
    return total


def sine(turns: Points) -> Points:
    """sin(2 pi turns)."""
    return cosine(turns - 0.25)


def rotation(turns: float) -> tuple[float, float]:
    """(cos, sin) of an angle in turns."""
    both = cosine(np.array([turns, turns - 0.25]))
    return float(both[0]), float(both[1])


@lru_cache(maxsize=64)
def _circle(count: int) -> Points:
    turns = np.arange(count) / count
    return np.stack([cosine(turns), sine(turns)], axis=1)


def polygon(*points: tuple[float, float]) -> Points:
    """An outline through these points."""
    return np.array(points, dtype=np.float64)


def box(left: float, top: float, right: float, bottom: float) -> Points:
    """A rectangle."""
    return polygon((left, top), (right, top), (right, bottom), (left, bottom))


def ellipse(x: float, y: float, across: float, down: float, turns: float = 0.0) -> Points:
    """An ellipse around (x, y) with these half axes, turned clockwise."""
    points = _circle(24) * (across, down)
    if turns:
        points = turned(points, turns)
    return points + np.array([x, y])


def turned(points: Points, turns: float) -> Points:
    """Points turned clockwise (as seen with y down) around the origin."""
    cos, sin = rotation(turns)
    x, y = points[:, 0], points[:, 1]
    return np.stack([x * cos - y * sin, x * sin + y * cos], axis=1)


def sector(
    centre: tuple[float, float], radii: tuple[float, float], start: float, end: float
) -> Points:
    """An ellipse from ``start`` to ``end`` turns (0 right, 0.25 down), closed by a chord."""
    turns = start + (end - start) * np.arange(19) / 18
    return np.stack([cosine(turns), sine(turns)], axis=1) * radii + centre


def arch(
    centre: tuple[float, float],
    radii: tuple[float, float],
    width: float,
    start: float,
    end: float,
) -> Points:
    """A band of this width along part of an ellipse, as the handle of a cup."""
    outer = sector(centre, (radii[0] + width / 2, radii[1] + width / 2), start, end)
    inner = sector(centre, (radii[0] - width / 2, radii[1] - width / 2), start, end)
    return np.concatenate([outer, inner[::-1]])


def bar(start: tuple[float, float], end: tuple[float, float], first: float, last: float) -> Points:
    """A straight bar whose width goes from ``first`` to ``last``."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = float(np.sqrt(dx * dx + dy * dy)) or 1.0
    nx, ny = -dy / length / 2, dx / length / 2
    return polygon(
        (start[0] + nx * first, start[1] + ny * first),
        (end[0] + nx * last, end[1] + ny * last),
        (end[0] - nx * last, end[1] - ny * last),
        (start[0] - nx * first, start[1] - ny * first),
    )


def rounded(points: Points, rounds: int = 2) -> Points:
    """Corners cut off (Chaikin): each round replaces a corner by two points."""
    for _ in range(rounds):
        following = np.roll(points, -1, axis=0)
        cut = np.stack([points * 0.75 + following * 0.25, points * 0.25 + following * 0.75], axis=1)
        points = cut.reshape(-1, 2)
    return points


def oriented(points: Points) -> Points:
    """The outline run through in the positive sense, so that outlines add up to their union."""
    x, y = points[:, 0], points[:, 1]
    cross = x * np.roll(y, -1) - y * np.roll(x, -1)
    # cumsum adds in order on every machine, sum does not
    return points if np.cumsum(cross)[-1] >= 0 else points[::-1]


class Coverage:
    """How much of each pixel an area covers, within a window of the canvas.

    Attributes:
        window: (rows, columns) slices of the canvas.
        alpha: float32 in 0..1, of the window's shape.
    """

    def __init__(self, window: tuple[slice, slice], alpha: Field) -> None:
        self.window = window
        self.alpha = alpha


def cover(outlines: Sequence[Points], side: int) -> Coverage | None:
    """Coverage of the union of outlines on a canvas of side x side pixels.

    Args:
        outlines: in units of the canvas (0..1), each in the positive sense; see ``oriented``.
        side: of the canvas in pixels.

    Returns:
        None where nothing falls on the canvas.
    """
    starts = np.concatenate(outlines) * side
    ends = np.concatenate([np.concatenate([part[1:], part[:1]]) for part in outlines]) * side
    left, top = (max(int(np.floor(value)), 0) for value in starts.min(axis=0))
    right, bottom = (min(int(np.ceil(value)), side) for value in starts.max(axis=0))
    if right <= left or bottom <= top:
        return None
    lines = top + (np.arange((bottom - top) * _SCANS) + 0.5) / _SCANS
    above_start = starts[:, 1][:, None] <= lines
    above_end = ends[:, 1][:, None] <= lines
    edge, row = np.nonzero(above_start != above_end)
    slope = (ends[edge, 0] - starts[edge, 0]) / (ends[edge, 1] - starts[edge, 1])
    crossing = starts[edge, 0] + (lines[row] - starts[edge, 1]) * slope
    crossing = np.minimum(np.maximum(crossing - left, 0.0), float(right - left))
    sign = np.where(above_start[edge, row], -1.0, 1.0)
    width = right - left + 2
    cell = crossing.astype(np.int64)
    part = (crossing - cell) * sign
    index = row * width + cell
    # two passes instead of one keep the order of additions obvious
    total = np.bincount(index, sign - part, minlength=len(lines) * width)
    total += np.bincount(index + 1, part, minlength=len(lines) * width)
    winding = np.cumsum(total.reshape(len(lines), width)[:, : right - left], axis=1)
    filled = np.minimum(np.abs(winding), 1.0)
    alpha = (filled[0::_SCANS] + filled[1::_SCANS]) * (1.0 / _SCANS)
    return Coverage((slice(top, bottom), slice(left, right)), alpha.astype(np.float32))
