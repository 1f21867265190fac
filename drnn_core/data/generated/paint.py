"""Colours, textures and light on a canvas of (3, side, side) float32 in 0..1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drnn_core.data.generated.draws import Draws
from drnn_core.data.generated.raster import Coverage, Field, rotation

Colour = tuple[float, float, float]
Window = tuple[slice, slice]


def colour(hue: float, saturation: float, value: float) -> Colour:
    """Hue (in turns), saturation and value as red, green and blue in 0..1."""
    sixth = (hue % 1.0) * 6.0

    def channel(offset: float) -> float:
        place = (offset + sixth) % 6.0
        return value - value * saturation * max(0.0, min(place, 4.0 - place, 1.0))

    return channel(5.0), channel(3.0), channel(1.0)


def luminance(rgb: Colour) -> float:
    """Rec. 601 luma."""
    return 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]


def distance(first: Colour, second: Colour) -> float:
    """How far apart two colours look: luma counts most."""
    spread = max(abs(a - b) for a, b in zip(first, second, strict=True))
    return abs(luminance(first) - luminance(second)) + 0.35 * spread


def axes(side: int) -> tuple[Field, Field]:
    """Centres of the pixels in units of the canvas: x of (1, side), y of (side, 1)."""
    centres = ((np.arange(side) + 0.5) / side).astype(np.float32)
    return centres[None, :], centres[:, None]


def clouds(draws: Draws, side: int, cells: int) -> Field:
    """Smooth random values in -1..1 (value noise on cells x cells), (side, side)."""
    lattice = (draws.grid(cells + 1, cells + 1) * 2.0 - 1.0).astype(np.float32)
    place = ((np.arange(side) + 0.5) / side * cells).astype(np.float32)
    low = place.astype(np.int64)
    part = place - low
    part = part * part * (3.0 - 2.0 * part)
    rows = lattice[low] + (lattice[low + 1] - lattice[low]) * part[:, None]
    return rows[:, low] + (rows[:, low + 1] - rows[:, low]) * part


def _wave(place: Field, sharp: float) -> Field:
    """A wave of period 1 in -1..1: from a triangle (sharp 1) to nearly a square."""
    folded = np.abs(place - np.floor(place) - np.float32(0.5)) * np.float32(4.0) - np.float32(1.0)
    return np.minimum(np.maximum(folded * np.float32(sharp), -1.0), 1.0)


def texture(draws: Draws, side: int) -> Field:
    """A texture in -1..1 over the whole canvas: clouds, stripes, checks, dots or none."""
    kind = draws.pick(("none", "clouds", "clouds", "stripes", "checks", "dots"))
    if kind == "none":
        return np.zeros((1, 1), dtype=np.float32)
    if kind == "clouds":
        coarse = clouds(draws, side, draws.whole(3, 7))
        return coarse * np.float32(0.6) + clouds(draws, side, draws.whole(9, 16)) * np.float32(0.4)
    x, y = axes(side)
    cos, sin = (np.float32(value) for value in rotation(draws.unit()))
    count, shift = np.float32(draws.between(3.0, 9.0)), np.float32(draws.unit())
    sharp = draws.between(1.0, 6.0)
    along = _wave((x * cos + y * sin) * count + shift, sharp)
    if kind == "stripes":
        return along
    across = _wave((y * cos - x * sin) * count + shift, sharp)
    return along * across if kind == "checks" else np.maximum(along, across)


def light(draws: Draws, side: int, strength: float) -> Field:
    """A gradient across the canvas in -strength..strength, straight or round."""
    x, y = axes(side)
    if draws.chance(0.65):
        cos, sin = (np.float32(value) for value in rotation(draws.unit()))
        slope = (x - np.float32(0.5)) * cos + (y - np.float32(0.5)) * sin
        return slope * np.float32(2.0 * strength)
    dx, dy = x - np.float32(draws.unit()), y - np.float32(draws.unit())
    return (np.sqrt(dx * dx + dy * dy) * np.float32(-2.0) + np.float32(1.0)) * np.float32(strength)


def tinted(rgb: Colour, shade: Field) -> Field:
    """(3, ...): a colour under a shade field (0: as it is, positive: brighter)."""
    base = np.array(rgb, dtype=np.float32)[:, None, None]
    lit = base * (np.float32(1.0) + shade) + shade * np.float32(0.12)
    return np.minimum(np.maximum(lit, 0.0), 1.0)


def lay(canvas: Field, layer: Coverage, paint: Field, strength: float = 1.0) -> None:
    """Paint over the canvas where the layer covers it, in place.

    Args:
        canvas: (3, side, side).
        layer: where.
        paint: (3, h, w) of the layer's window, or (3, 1, 1).
        strength: opacity of the whole layer.
    """
    target = canvas[:, layer.window[0], layer.window[1]]
    alpha = layer.alpha if strength == 1.0 else layer.alpha * np.float32(strength)
    target += (paint - target) * alpha


def even(rgb: Colour) -> NDArray[np.float32]:
    """(3, 1, 1): one colour."""
    return np.array(rgb, dtype=np.float32)[:, None, None]
