"""The classes flower, mushroom and tree: something wide on a stem."""

from __future__ import annotations

import numpy as np

from drnn_core.data.generated.draws import Draws
from drnn_core.data.generated.raster import (
    Points,
    bar,
    cosine,
    ellipse,
    polygon,
    rounded,
    sector,
    sine,
    turned,
)
from drnn_core.data.generated.shapes import Part, discs, part


def flower(draws: Draws) -> list[Part]:
    """Petals around a disc, often on a stem with leaves."""
    petals = _petals(draws)
    parts: list[Part] = []
    if draws.chance(0.6):
        parts.append(_stem(draws))
    parts.append(Part("body", petals))
    disc = draws.between(0.18, 0.32)
    parts.append(discs("accent", [(0.0, 0.0)], disc))
    if draws.chance(0.35):
        parts.append(discs("dark", [(0.0, 0.0)], disc * 0.5))
    return parts


def _petals(draws: Draws) -> list[Points]:
    count = draws.pick((4, 5, 5, 6, 6, 7, 8, 9))
    long = draws.between(0.32, 0.45)
    wide = min(draws.between(0.85, 1.75) / count, long * 0.85)
    reach = draws.between(0.42, 0.55)
    start = draws.unit()
    if draws.chance(0.4):
        petal = rounded(polygon((-long, 0), (0.0, -wide), (long * 1.15, 0), (0.0, wide)), 1)
    else:
        petal = ellipse(0, 0, long, wide)
    outward = petal + np.array([reach, 0.0])
    return [turned(outward, start + k / count) for k in range(count)]


def _stem(draws: Draws) -> Part:
    foot, sway = draws.between(1.3, 1.9), draws.between(-0.2, 0.2)
    outlines = [bar((0, 0), (sway, foot), 0.1, 0.12)]
    for side in (-1.0, 1.0):
        if draws.chance(0.6):
            up = draws.between(0.95, foot - 0.1)
            x = sway * up / foot + side * 0.3
            outlines.append(ellipse(x, up - 0.08, 0.3, 0.11, -side * 0.07))
    return Part("second", outlines)


def mushroom(draws: Draws) -> list[Part]:
    """A cap over a stem, with spots, gills or a ring."""
    wide, high = draws.between(0.5, 0.8), draws.between(0.38, 0.75)
    stem, tall = draws.between(0.12, 0.27), draws.between(0.45, 0.9)
    swell = stem * draws.between(0.8, 1.5)
    foot = rounded(polygon((-stem, -0.1), (stem, -0.1), (swell, tall), (-swell, tall)), 1)
    parts = [part(draws.pick(("light", "second")), foot)]
    if draws.chance(0.4):
        level, hem = draws.between(0.15, 0.35) * tall, stem * 1.7
        low = level + 0.14
        ring = polygon((-stem, level), (stem, level), (hem, low), (-hem, low))
        parts.append(part("accent", ring))
    sag = draws.between(0.03, 0.16)
    gills = ellipse(0, 0, wide * 0.94, sag)
    parts.append(part(draws.pick(("dark", "light", "second")), gills))
    parts.append(part("body", _cap(draws, wide, high)))
    if draws.chance(0.6):
        places = [(-0.5, -0.3), (0.05, -0.62), (0.5, -0.28), (-0.12, -0.22), (0.3, -0.55)]
        places = places[: draws.whole(3, 5)]
        radii = [draws.between(0.06, 0.12) for _ in places]
        spots = [
            ellipse(x * wide, y * high, radius, radius * 0.8)
            for (x, y), radius in zip(places, radii, strict=True)
        ]
        parts.append(Part(draws.pick(("light", "accent")), spots))
    return parts


def _cap(draws: Draws, wide: float, high: float) -> Points:
    style = draws.pick(("dome", "dome", "cone", "ball"))
    if style == "dome":
        return sector((0, 0.02), (wide, high), 0.5, 1.0)
    if style == "ball":
        return sector((0, -high * 0.25), (wide, high * 0.9), 0.42, 1.08)
    left = [(-wide * 1.1, 0.1), (-wide * 0.45, -high * 0.8)]
    right = [(-x, y) for x, y in reversed(left)]
    return rounded(polygon(*left, (0, -high * 1.45), *right), 2)


def tree(draws: Draws) -> list[Part]:
    """A crown over a trunk: leafy clouds, one round crown, or the tiers of a fir."""
    stem, tall = draws.between(0.08, 0.17), draws.between(0.4, 0.85)
    right, left = stem * draws.between(1.0, 1.7), stem * draws.between(1.0, 1.7)
    trunk = polygon((-stem, -0.2), (stem, -0.2), (right, tall), (-left, tall))
    parts = [part(draws.pick(("dark", "second")), trunk)]
    style = draws.pick(("cloud", "cloud", "round", "fir", "fir"))
    return parts + (_fir(draws) if style == "fir" else _crown(draws, style))


def _fir(draws: Draws) -> list[Part]:
    tiers = draws.whole(2, 4)
    wide, step = draws.between(0.42, 0.68), draws.between(0.32, 0.45)
    layers: list[Points] = []
    for k in range(tiers):
        half, low = wide * (1 - 0.2 * k), 0.08 - k * step
        layers.append(polygon((-half, low), (0, -0.62 - k * step), (half, low)))
    parts = [Part("body", layers)]
    if draws.chance(0.4):
        inner = [layer * 0.72 + np.array([0, -0.13 - 0.12 * k]) for k, layer in enumerate(layers)]
        parts.append(Part("accent", inner))
    return parts


def _crown(draws: Draws, style: str) -> list[Part]:
    wide, high = draws.between(0.5, 0.75), draws.between(0.5, 0.85)
    middle = -high * 0.75
    if style == "round":
        crown = [ellipse(0, middle, wide, high)]
    else:
        lobes = draws.whole(5, 7)
        turns = draws.unit() + np.arange(lobes) / lobes
        xs, ys = cosine(turns) * wide * 0.6, sine(turns) * high * 0.55 + middle
        crown = [ellipse(0, middle, wide * 0.7, high * 0.7)]
        for x, y in zip(xs.tolist(), ys.tolist(), strict=True):
            size = draws.between(0.26, 0.4)
            crown.append(ellipse(x, y, size, size))
    parts = [Part("body", crown)]
    if draws.chance(0.45):
        fruit = [(-0.35, -0.2), (0.3, -0.35), (0.02, 0.25), (-0.1, -0.5), (0.35, 0.15)]
        parts.append(discs("accent", [(x * wide, middle + y * high) for x, y in fruit], 0.075))
    elif draws.chance(0.5):
        glow = ellipse(-wide * 0.3, middle - high * 0.3, wide * 0.35, high * 0.3)
        parts.append(part("light", glow))
    return parts
