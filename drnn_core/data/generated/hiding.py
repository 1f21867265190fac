"""What hides a part of the object: a known fraction of its pixels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drnn_core.data.generated.draws import Draws
from drnn_core.data.generated.paint import axes, clouds, colour, lay, light, texture, tinted
from drnn_core.data.generated.raster import Coverage, Field, rotation


class Hider(NamedTuple):
    """What hides a part of the object: where ``field`` is below ``level``.

    ``per_unit`` is the field's change per unit of the picture, for an edge one pixel wide.
    """

    field: Field
    per_unit: float


def hider(draws: Draws, side: int) -> Hider:
    """The shape of an occluder: a straight or wavy front, a round blob, or slats."""
    x, y = axes(side)
    cos, sin = rotation(draws.unit())
    along = x * np.float32(cos) + y * np.float32(sin)
    across = y * np.float32(cos) - x * np.float32(sin)
    kind = draws.pick(("front", "wavy", "blob", "blob", "slats"))
    px, py = draws.between(0.25, 0.75), draws.between(0.25, 0.75)
    if kind == "slats":
        place_ = along * np.float32(draws.between(3.0, 6.0)) + np.float32(draws.unit())
        folded = np.abs(place_ - np.floor(place_) - np.float32(0.5))
        return Hider(folded, 4.5)
    if kind == "blob":
        dx = (x - np.float32(px)) * np.float32(draws.between(0.7, 1.4))
        dy = (y - np.float32(py)) * np.float32(draws.between(0.7, 1.4))
        ripple = clouds(draws, side, draws.whole(3, 6)) * np.float32(draws.between(0.0, 0.12))
        return Hider(np.sqrt(dx * dx + dy * dy) + ripple, 1.0)
    if kind == "wavy":
        wave = np.abs(across * np.float32(draws.between(2.0, 5.0)) + np.float32(draws.unit() - 2.0))
        wave = np.abs(wave - np.floor(wave) - np.float32(0.5)) * np.float32(
            draws.between(0.1, 0.35)
        )
        return Hider(along + wave, 1.0)
    return Hider(along, 1.0)


def hiding_level(shape: Hider, alpha: Field, fraction: float) -> float:
    """The level below which this fraction of the object's pixels (alpha >= 1/2) lies."""
    values = np.sort(shape.field[alpha >= 0.5])
    return float(values[min(int(fraction * len(values)), len(values) - 1)])


def hidden_alpha(shape: Hider, level: float, side: int) -> Field:
    """Coverage (side, side) of the occluder."""
    steep = np.float32(side / shape.per_unit)
    ramp = (np.float32(level) - shape.field) * steep + np.float32(0.5)
    return np.minimum(np.maximum(ramp, 0.0), 1.0)


def hidden_fraction(alpha: Field, cover: Field) -> float:
    """Part of the object's pixels under the occluder, by counting."""
    inside: NDArray[np.bool_] = alpha >= 0.5
    total = int(np.count_nonzero(inside))
    return int(np.count_nonzero(inside & (cover >= 0.5))) / total if total else 0.0


def paint_hider(draws: Draws, canvas: Field, cover: Field) -> None:
    """Paint the occluder where it covers the canvas, lit and textured."""
    side = cover.shape[0]
    rgb = colour(draws.unit(), draws.between(0.05, 0.8), draws.between(0.15, 0.95))
    shade = light(draws, side, draws.between(0.05, 0.3))
    shade = shade + texture(draws, side) * np.float32(draws.between(0.0, 0.2))
    paint = tinted(rgb, np.broadcast_to(shade, cover.shape))
    lay(canvas, Coverage((slice(None), slice(None)), cover), paint)
