"""The classes bird and fish: a body with a tail, fins or a wing, and an eye."""

from __future__ import annotations

import numpy as np

from drnn_core.data.generated.draws import Draws
from drnn_core.data.generated.raster import Points, bar, box, ellipse, polygon, rounded, sector
from drnn_core.data.generated.shapes import Part, discs, part


def bird(draws: Draws) -> list[Part]:
    """A bird from the side: body, head with beak and eye, wing, tail, often legs."""
    across, down = draws.between(0.5, 0.68), draws.between(0.26, 0.42)
    tilt = draws.between(-0.02, 0.08)
    head = draws.between(0.17, 0.26)
    x, y = -across * draws.between(0.72, 0.95), -down * draws.between(0.7, 1.25)
    parts: list[Part] = []
    if draws.chance(0.65):
        parts.append(_legs(draws, down))
    end, spread = across + draws.between(0.3, 0.55), draws.between(0.08, 0.22)
    drop = draws.between(-0.15, 0.25)
    tail = polygon(
        (across * 0.55, -0.12), (end, drop - spread), (end, drop + spread), (across * 0.5, 0.16)
    )
    parts.append(part(draws.pick(("body", "second")), tail))
    beak, thick = draws.between(0.14, 0.3), head * draws.between(0.25, 0.45)
    cheek, tip = x - head * 0.8, (x - head - beak, y + 0.03)
    parts.append(part("accent", polygon((cheek, y - thick), tip, (cheek, y + thick))))
    neck = bar((x, y), (-across * 0.35, 0.0), head * 1.5, down * 1.4)
    parts.append(part("body", ellipse(0, 0, across, down, tilt), neck, ellipse(x, y, head, head)))
    if draws.chance(0.4):
        parts.append(part("light", ellipse(-0.1, down * 0.4, across * 0.55, down * 0.42)))
    parts.append(part("second", _wing(draws, across, down)))
    eye = head * draws.between(0.2, 0.32)
    role = draws.pick(("dark", "light"))
    parts.append(part(role, ellipse(x - head * 0.3, y - head * 0.15, eye, eye)))
    return parts


def _legs(draws: Draws, down: float) -> Part:
    legs = [
        bar((x, down * 0.7), (x - 0.03, down + draws.between(0.2, 0.42)), 0.06, 0.05)
        for x in (-0.08, 0.12)
    ]
    return Part(draws.pick(("dark", "accent")), legs)


def _wing(draws: Draws, across: float, down: float) -> Points:
    """Raised in flight, or folded."""
    if draws.chance(0.4):
        high = draws.between(0.7, 1.15)
        back = draws.between(0.1, 0.55)
        top = ((back - 0.15, -high), (back + 0.2, -high * 0.8))
        return rounded(polygon((-across * 0.4, 0.0), *top, (across * 0.5, 0.05)), 1)
    long = across * draws.between(0.5, 0.75)
    end = (long * 1.5, down * draws.between(-0.2, 0.4))
    return rounded(polygon((-long * 0.7, -0.05), (0.0, -down * 0.55), end, (0.05, down * 0.5)), 1)


def fish(draws: Draws) -> list[Part]:
    """A fish from the side: body, forked or fanned tail, fins, eye, often stripes."""
    across, down = draws.between(0.6, 0.75), draws.between(0.24, 0.48)
    spread, end = down * draws.between(0.7, 1.2), across + draws.between(0.25, 0.45)
    notch = draws.between(0.0, 0.22)
    tail = polygon((across * 0.7, 0), (end, -spread), (end - notch, 0), (end, spread))
    parts = [part(draws.pick(("body", "second", "accent")), tail)]
    back, rise = draws.between(0.0, 0.35), down + draws.between(0.12, 0.35)
    fins = [polygon((-0.3, -down * 0.8), (back, -rise), (0.4, -down * 0.6))]
    if draws.chance(0.75):
        low = (back + 0.05, rise * draws.between(0.85, 1.05))
        fins.append(polygon((-0.05, down * 0.8), low, (0.35, down * 0.6)))
    parts.append(Part(draws.pick(("second", "second", "body")), fins))
    parts.append(part("body", _fish_body(draws, across, down)))
    parts += _fish_pattern(draws, across, down)
    flap = draws.between(0.1, 0.2)
    parts.append(part("second", polygon((-0.25, 0.02), (0.05, flap * 1.6), (-0.02, -flap * 0.2))))
    eye = draws.between(0.06, 0.1)
    place = (-across * draws.between(0.58, 0.7), -down * draws.between(0.1, 0.3))
    return [*parts, discs("light", [place], eye), discs("dark", [place], eye * 0.55)]


def _fish_body(draws: Draws, across: float, down: float) -> Points:
    if draws.chance(0.5):
        return ellipse(0, 0, across, down)
    upper = [(-across * 0.35, -down * 1.15), (across * 0.6, -down * 0.65)]
    lower = [(x, -y) for x, y in reversed(upper)]
    return rounded(polygon((-across * 1.1, 0.02), *upper, (across * 1.15, 0.0), *lower), 2)


def _fish_pattern(draws: Draws, across: float, down: float) -> list[Part]:
    style = draws.pick(("plain", "stripes", "stripes", "belly", "spots"))
    if style == "stripes":
        width = draws.between(0.05, 0.12)
        bands: list[Points] = []
        for x in (-0.2, 0.08, 0.34):
            half = 0.8 * down * float(np.sqrt(1 - (x / across) * (x / across)))
            bands.append(box(x, -half, x + width, half))
        return [Part("accent", bands)]
    if style == "belly":
        return [part("light", sector((0, down * 0.15), (across * 0.85, down * 0.75), 0.0, 0.5))]
    if style == "spots":
        places = [(0.1, -0.35), (0.3, 0.05), (-0.1, 0.3), (0.0, -0.05)]
        return [discs("accent", [(x, y * down) for x, y in places], 0.07)]
    return []
