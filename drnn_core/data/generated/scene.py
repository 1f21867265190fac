"""The scene before it is shrunk: background, distractors, the object, and what hides it.

Everything is placed in units of the picture, so a scene can be drawn on a canvas of any side.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from drnn_core.data.generated import raster
from drnn_core.data.generated.classes import Builder
from drnn_core.data.generated.draws import Draws
from drnn_core.data.generated.factors import Factors
from drnn_core.data.generated.paint import (
    Colour,
    colour,
    distance,
    even,
    lay,
    light,
    texture,
    tinted,
)
from drnn_core.data.generated.raster import Coverage, Field, Points
from drnn_core.data.generated.shapes import Part

_DISTRACTORS = 12
_EVERYWHERE = (slice(None), slice(None))


class Placed(NamedTuple):
    """An object ready to be rasterised: parts in units of the picture, and their colours."""

    parts: list[Part]
    palette: dict[str, Colour]
    outline: float
    shadow: tuple[float, float] | None


def background(draws: Draws, side: int) -> tuple[Field, Colour]:
    """A textured, lit ground (3, side, side), and its main colour."""
    base = colour(draws.unit(), draws.between(0.05, 0.65), draws.between(0.25, 0.95))
    other = colour(draws.unit(), draws.between(0.05, 0.6), draws.between(0.2, 0.95))
    canvas = np.broadcast_to(even(base), (3, side, side)).copy()
    if draws.chance(0.5):
        ramp = np.broadcast_to(light(draws, side, 0.5), (side, side)) + np.float32(0.5)
        share = np.minimum(np.maximum(ramp, 0.0), 1.0) * np.float32(draws.between(0.2, 0.7))
        canvas += (even(other) - canvas) * share
    shade = light(draws, side, draws.between(0.0, 0.3))
    shade = shade + texture(draws, side) * np.float32(draws.between(0.02, 0.18))
    canvas *= np.float32(1.0) + shade
    return np.minimum(np.maximum(canvas, 0.0), 1.0), base


def palette(draws: Draws, ground: Colour) -> dict[str, Colour]:
    """Colours of an object, the body's apart from the ground's; they tell nothing of the class."""

    def one(least: float) -> Colour:
        best = colour(draws.unit(), draws.between(0.15, 0.95), draws.between(0.2, 1.0))
        for _ in range(6):
            if distance(best, ground) >= least:
                break
            again = colour(draws.unit(), draws.between(0.15, 0.95), draws.between(0.2, 1.0))
            if distance(again, ground) > distance(best, ground):
                best = again
        return best

    body = one(0.42)
    dark = colour(draws.unit(), draws.between(0.1, 0.5), draws.between(0.05, 0.22))
    pale = colour(draws.unit(), draws.between(0.0, 0.25), draws.between(0.82, 1.0))
    return {"body": body, "second": one(0.3), "accent": one(0.15), "dark": dark, "light": pale}


def place(
    draws: Draws, parts: list[Part], scale: float, turns: float, margin: float | None = None
) -> list[Part]:
    """Stretch, mirror, turn, scale and move an object into the picture.

    Args:
        draws: for mirroring, stretch, slant and position.
        parts: in the object's own coordinates.
        scale: longer side after stretching, in units of the picture.
        turns: rotation in turns.
        margin: how far from the picture's centre it may stand, either way; by default as far
            as it stays inside.
    """
    stretch = draws.between(0.85, 1.18)
    flip = -1.0 if draws.chance(0.5) else 1.0
    slant = draws.between(-0.14, 0.14)
    cloud = np.concatenate([outline for part in parts for outline in part.outlines])
    cloud = _slanted(cloud, flip * stretch, slant)
    low, high = cloud.min(axis=0), cloud.max(axis=0)
    middle, size = (low + high) / 2, float((high - low).max())
    room = max(0.0, 0.96 - scale) / 2 + 0.02 if margin is None else margin
    shift = (0.5 + draws.between(-room, room), 0.5 + draws.between(-room, room))

    def moved(outline: Points) -> Points:
        own = (_slanted(outline, flip * stretch, slant) - middle) * (scale / size)
        return raster.oriented(raster.turned(own, turns) + shift)

    return [Part(part.role, [moved(outline) for outline in part.outlines]) for part in parts]


def _slanted(points: Points, across: float, slant: float) -> Points:
    x, y = points[:, 0] * across, points[:, 1]
    return np.stack([x + y * slant, y], axis=1)


def distractors(draws: Draws, canvas: Field, clutter: float, builders: tuple[Builder, ...]) -> None:
    """Paint ``12 * clutter`` pieces of other things; the last one shows in part."""
    amount = clutter * _DISTRACTORS
    shapes = _fragments(draws, builders)
    while amount > 0.02:
        outlines, rgb, wave = next(shapes)
        layer = raster.cover(outlines, canvas.shape[1])
        if layer is not None:
            height, width = layer.alpha.shape
            ramp = np.linspace(-wave, wave, width, dtype=np.float32)[None, :]
            lay(
                canvas, layer, tinted(rgb, np.broadcast_to(ramp, (height, width))), min(amount, 1.0)
            )
        amount -= 1.0


def _fragments(
    draws: Draws, builders: tuple[Builder, ...]
) -> Iterator[tuple[list[Points], Colour, float]]:
    while True:
        rgb = colour(draws.unit(), draws.between(0.1, 0.9), draws.between(0.15, 1.0))
        wave = draws.between(-0.25, 0.25)
        if draws.chance(0.55):
            parts = draws.pick(builders)(draws)
            part = draws.pick(parts)
        else:
            part = Part("body", [_plain_shape(draws)])
        scale = draws.between(0.14, 0.42)
        yield place(draws, [part], scale, draws.unit(), margin=0.45)[0].outlines, rgb, wave


def _plain_shape(draws: Draws) -> Points:
    kind = draws.whole(0, 4)
    thin = draws.between(0.2, 0.9)
    if kind == 0:
        return raster.ellipse(0, 0, 1.0, thin)
    if kind == 1:
        return raster.box(-1.0, -thin, 1.0, thin)
    if kind == 2:
        return raster.polygon((-1.0, thin), (draws.between(-0.5, 0.5), -thin), (1.0, thin))
    if kind == 3:
        return raster.arch(
            (0, 0), (1.0, 1.0), draws.between(0.2, 0.5), 0.0, draws.between(0.3, 0.9)
        )
    return raster.rounded(draws.grid(5, 2) * 2 - 1, 2)


def object_alpha(placed: Placed, side: int) -> tuple[list[Coverage | None], Field, Field]:
    """Coverage of each part; of their union; and of the union with its outline."""
    layers = [raster.cover(part.outlines, side) for part in placed.parts]
    union = np.zeros((side, side), dtype=np.float32)
    for layer in layers:
        if layer is not None:
            window = union[layer.window]
            np.maximum(window, layer.alpha, out=window)
    reach = int(placed.outline * side + 0.5)
    return layers, union, _grown(union, reach) if reach else union


def _grown(alpha: Field, reach: int) -> Field:
    """The largest value within ``reach`` pixels, over an octagon."""
    grown = alpha.copy()
    slanted = (reach * 7 + 5) // 10
    for down, across in ((0, reach), (reach, 0), (slanted, slanted), (slanted, -slanted)):
        for sign in (1, -1):
            np.maximum(grown, shifted(alpha, sign * down, sign * across), out=grown)
    return grown


def shifted(alpha: Field, down: int, across: int) -> Field:
    """The field moved by whole pixels, zero where nothing comes in."""
    side = alpha.shape[0]
    moved = np.zeros_like(alpha)
    into = (slice(max(down, 0), side + min(down, 0)), slice(max(across, 0), side + min(across, 0)))
    out = (slice(max(-down, 0), side - max(down, 0)), slice(max(-across, 0), side - max(across, 0)))
    moved[into] = alpha[out]
    return moved


def paint_object(draws: Draws, canvas: Field, placed: Placed) -> Field:
    """Paint shadow, outline and parts, lit and textured. Returns its alpha (side, side)."""
    side = canvas.shape[1]
    layers, union, whole = object_alpha(placed, side)
    if placed.shadow is not None:
        across, down = (int(value * side) for value in placed.shadow)
        shadow = Coverage(_EVERYWHERE, shifted(whole, down, across))
        lay(canvas, shadow, even((0.04, 0.04, 0.08)), 0.4)
    if whole is not union:
        lay(canvas, Coverage(_EVERYWHERE, whole), even(placed.palette["dark"]))
    shade = light(draws, side, draws.between(0.05, 0.35))
    shade = shade + texture(draws, side) * np.float32(draws.between(0.0, 0.16))
    shade = np.broadcast_to(shade, (side, side))
    for part, layer in zip(placed.parts, layers, strict=True):
        if layer is not None:
            lay(canvas, layer, tinted(placed.palette[part.role], shade[layer.window]))
    return whole


def placed_object(draws: Draws, parts: list[Part], factors: Factors, ground: Colour) -> Placed:
    """An object with its place, colours, outline and shadow."""
    sign = 1.0 if draws.chance(0.5) else -1.0
    moved = place(draws, parts, factors.scale, sign * factors.rotation / 360.0)
    colours = palette(draws, ground)
    outline = draws.between(0.008, 0.02) if draws.chance(0.45) else 0.0
    shadow = (draws.between(-0.06, 0.06), draws.between(0.01, 0.06)) if draws.chance(0.45) else None
    return Placed(moved, colours, outline, shadow)
