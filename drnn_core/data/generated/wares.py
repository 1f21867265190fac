"""The classes cup, teapot and star."""

from __future__ import annotations

import numpy as np

from drnn_core.data.generated.draws import Draws
from drnn_core.data.generated.raster import (
    Points,
    arch,
    bar,
    box,
    cosine,
    ellipse,
    polygon,
    rounded,
    sector,
    sine,
)
from drnn_core.data.generated.shapes import Part, discs, part


def cup(draws: Draws) -> list[Part]:
    """A cup or mug: a rim seen from above, one handle, sometimes a saucer."""
    top, height = draws.between(0.38, 0.6), draws.between(0.6, 1.05)
    bottom = top * draws.between(0.5, 1.0)
    rim = top * draws.between(0.12, 0.32)
    bulge = draws.between(0.0, 0.22) * top
    right: list[tuple[float, float]] = []
    for s in (0.0, 0.35, 0.7, 0.9, 1.0):
        half = bottom + (top - bottom) * (1 - s) + bulge * 4 * s * (1 - s)
        right.append((half, s * height))
    body = polygon(*right, *[(-x, y) for x, y in reversed(right)])
    grip = draws.between(0.16, 0.3)
    middle = height * draws.between(0.38, 0.55)
    width = draws.between(0.07, 0.13)
    parts: list[Part] = []
    if draws.chance(0.35):
        parts.append(part("second", ellipse(0, height, top * draws.between(1.3, 1.8), 0.1)))
    radii = (grip, height * draws.between(0.2, 0.32))
    handle = arch((top * 0.92, middle), radii, width, -0.27, 0.27)
    parts.append(part(draws.pick(("body", "second")), handle))
    foot = ellipse(0, height, bottom, rim * 0.6)
    parts.append(part("body", body, foot, ellipse(0, 0, top, rim)))
    if draws.chance(0.5):
        level, thick = draws.between(0.3, 0.6) * height, draws.between(0.06, 0.2) * height
        reach = min(top, bottom + (top - bottom) * 0.4)
        parts.append(part("accent", box(-reach, level, reach, level + thick)))
    parts.append(part("dark", ellipse(0, 0, top * 0.88, rim * 0.78)))
    if draws.chance(0.5):
        parts.append(part("accent", sector((0, rim * 0.2), (top * 0.8, rim * 0.56), 0.0, 0.5)))
    return parts


def teapot(draws: Draws) -> list[Part]:
    """A pot with lid and knob, a spout on one side and a handle on the other or above."""
    across, down = draws.between(0.45, 0.62), draws.between(0.36, 0.58)
    parts = [_spout(draws, across), _pot_handle(draws, across, down)]
    parts.append(part("second", box(-across * 0.5, down * 0.75, across * 0.5, down * 1.06)))
    if draws.chance(0.7):
        body = ellipse(0, 0, across, down)
    else:
        upper, lower = across * 0.75, across * 1.1
        corners = ((-upper, -down), (upper, -down), (lower, down), (-lower, down))
        body = rounded(polygon(*corners), 2)
    parts.append(part("body", body))
    if draws.chance(0.45):
        level = draws.between(-0.3, 0.2) * down
        half, low = across * 0.92, level + down * draws.between(0.12, 0.3)
        parts.append(part("accent", box(-half, level, half, low)))
    lid = across * draws.between(0.5, 0.72)
    rise = down * draws.between(0.2, 0.42)
    role = draws.pick(("body", "second", "accent"))
    parts.append(part(role, sector((0, -down * 0.8), (lid, rise), 0.5, 1.0)))
    knob = draws.between(0.06, 0.11)
    role = draws.pick(("second", "accent", "dark"))
    parts.append(discs(role, [(0.0, -down * 0.8 - rise - knob * 0.6)], knob))
    return parts


def _spout(draws: Draws, across: float) -> Part:
    tip = (-across - draws.between(0.25, 0.42), -draws.between(0.12, 0.45))
    root = draws.between(-0.02, 0.22)
    neck = (-across - 0.1, root + 0.02)
    wide, thin = draws.between(0.2, 0.3), draws.between(0.08, 0.14)
    lower = bar((-across * 0.7, root + 0.08), neck, wide, wide * 0.7)
    joint = ellipse(*neck, wide * 0.36, wide * 0.36)
    role = draws.pick(("body", "body", "second"))
    return part(role, lower, bar(neck, tip, wide * 0.75, thin), joint)


def _pot_handle(draws: Draws, across: float, down: float) -> Part:
    """Behind the pot, or an arch over it."""
    width = draws.between(0.08, 0.13)
    if draws.chance(0.75):
        radii = (draws.between(0.24, 0.36), down * draws.between(0.5, 0.72))
        handle = arch((across * 0.88, -0.03), radii, width, -0.3, 0.27)
    else:
        reach, high = across * draws.between(0.7, 0.95), draws.between(0.35, 0.55)
        handle = arch((0, -down * 0.55), (reach, high + down * 0.4), width, 0.5, 1.0)
    return part(draws.pick(("body", "second")), handle)


def star(draws: Draws) -> list[Part]:
    """A star of four to eight points, sharp or soft, sometimes with a smaller one inside."""
    count = draws.pick((4, 5, 5, 5, 5, 6, 6, 7, 8))
    inner = draws.between(0.34, 0.58) if count < 6 else draws.between(0.45, 0.68)
    outline = _star_outline(draws, count, inner)
    sharp = not draws.chance(0.4)
    if not sharp:
        outline = rounded(outline, 2)
    parts = [part("body", outline)]
    style = draws.pick(("plain", "plain", "inside", "disc", "facets"))
    if style == "inside":
        parts.append(part("second", outline * draws.between(0.45, 0.7)))
    elif style == "disc":
        parts.append(discs("accent", [(0.0, 0.0)], inner * draws.between(0.45, 0.8)))
    elif style == "facets" and sharp:
        centre = np.zeros((1, 2))
        facets = [np.concatenate([centre, outline[2 * k : 2 * k + 2]]) for k in range(count)]
        parts.append(Part("second", facets))
    return parts


def _star_outline(draws: Draws, count: int, inner: float) -> Points:
    start = draws.between(-0.05, 0.05) - 0.25
    turns = start + np.arange(2 * count) / (2 * count)
    jitter = 1.0 + (draws.grid(2 * count) - 0.5) * draws.between(0.0, 0.22)
    reach = np.where(np.arange(2 * count) % 2 == 0, 1.0, inner) * jitter
    return np.stack([cosine(turns) * reach, sine(turns) * reach], axis=1)
