"""The classes boat and car: a long body below, something standing on it."""

from __future__ import annotations

from drnn_core.data.generated.draws import Draws
from drnn_core.data.generated.raster import Points, bar, box, ellipse, polygon, rounded
from drnn_core.data.generated.shapes import Part, discs, part


def car(draws: Draws) -> list[Part]:
    """A car from the side: body, cabin with windows, two wheels."""
    tall = draws.between(0.26, 0.4)
    roof = draws.between(0.26, 0.42)
    kind = draws.pick(("sedan", "sedan", "hatch", "van", "pickup"))
    front, back = draws.between(0.25, 0.5), draws.between(0.45, 0.8)
    lean = draws.between(0.1, 0.28)
    if kind == "hatch":
        back = 0.92
    elif kind == "van":
        front, back, roof, lean = draws.between(0.55, 0.8), 0.97, draws.between(0.4, 0.55), 0.1
    elif kind == "pickup":
        back = draws.between(0.05, 0.2)
    top = ((-front + lean, -roof), (back - lean * 0.6, -roof))
    cabin = polygon((-front, 0.02), *top, (back, 0.02))
    slope = draws.between(0.0, 0.12)
    body = polygon((-1.0, slope), (-front, 0), (1.0, 0), (1.0, tall), (-1.0, tall))
    if draws.chance(0.6):
        body, cabin = rounded(body, 1), rounded(cabin, 1)
    parts = [part("body", body, cabin)]
    panes = _panes(front, back, roof, lean, (back - front) / 2 + draws.between(-0.1, 0.1))
    parts.append(Part(draws.pick(("light", "dark", "second")), panes))
    if draws.chance(0.4):
        stripe = box(-0.95, tall * 0.4, 0.95, tall * draws.between(0.5, 0.75))
        parts.append(part("second", stripe))
    parts += _wheels(draws, tall)
    parts.append(part("accent", ellipse(-0.93, tall * 0.35, 0.06, 0.07)))
    return parts


def _panes(front: float, back: float, roof: float, lean: float, middle: float) -> list[Points]:
    upper, left, right = -roof * 0.82, middle - 0.04, middle + 0.04
    return [
        polygon(
            (-front + 0.12, -0.01), (-front + lean + 0.06, upper), (left, upper), (left, -0.01)
        ),
        polygon(
            (right, -0.01), (right, upper), (back - lean * 0.6 - 0.06, upper), (back - 0.12, -0.01)
        ),
    ]


def _wheels(draws: Draws, level: float) -> list[Part]:
    size = draws.between(0.17, 0.26)
    axles = [(-draws.between(0.52, 0.66), level), (draws.between(0.5, 0.68), level)]
    hub = size * draws.between(0.35, 0.6)
    return [discs("dark", axles, size), discs("light", axles, hub)]


def boat(draws: Draws) -> list[Part]:
    """A boat from the side: a hull, and over it sails, or a cabin with a funnel."""
    deep = draws.between(0.24, 0.42)
    bow, stern = draws.between(0.2, 0.45), draws.between(0.05, 0.3)
    deck = ((-1.0, -draws.between(0.0, 0.14)), (0, 0.03), (0.95, 0))
    hull = polygon(*deck, (0.95 - stern, deep), (-1.0 + bow, deep))
    parts = _sails(draws) if draws.chance(0.55) else _cabin(draws)
    parts.append(part("body", hull))
    if draws.chance(0.5):
        low = deep * 0.35
        band = polygon((-0.93, 0.02), (0.93, 0.02), (0.9, low), (-0.9 + bow * 0.2, low))
        parts.append(part("second", band))
    elif draws.chance(0.7):
        holes = [(x, deep * 0.45) for x in (-0.4, -0.05, 0.3)]
        parts.append(discs(draws.pick(("light", "dark", "accent")), holes, 0.075))
    return parts


def _sails(draws: Draws) -> list[Part]:
    mast, tall = draws.between(-0.2, 0.2), draws.between(0.9, 1.4)
    parts = [part("dark", bar((mast, 0.05), (mast, -tall), 0.07, 0.05))]
    after, fore = mast + 0.05, mast - 0.05
    end = (mast + draws.between(0.5, 0.75), -draws.between(0.1, 0.2))
    main = polygon((after, -tall * 0.97), (after, -0.12), end)
    parts.append(part(draws.pick(("light", "second")), main))
    if draws.chance(0.75):
        head = (fore, -tall * draws.between(0.7, 0.95))
        jib = polygon(head, (fore, -0.12), (mast - draws.between(0.4, 0.7), -0.1))
        parts.append(part(draws.pick(("light", "accent", "second")), jib))
    return parts


def _cabin(draws: Draws) -> list[Part]:
    left, right = -draws.between(0.35, 0.6), draws.between(0.3, 0.6)
    roof = draws.between(0.25, 0.4)
    funnel = draws.between(-0.15, 0.2)
    size = draws.between(0.09, 0.16)
    high = roof + draws.between(0.25, 0.45)
    start, end = funnel - size, funnel + size
    slant = draws.between(0, 0.12)
    walls = polygon((left, 0.02), (left + slant, -roof), (right, -roof), (right, 0.02))
    panes = [
        box(x - 0.07, -roof * 0.75, x + 0.07, -roof * 0.3) for x in (left * 0.55, 0.0, right * 0.6)
    ]
    return [
        part("second", box(start, -high, end, 0)),
        part("accent", box(start, -high, end, -high + 0.1)),
        part("light", walls),
        Part("dark", panes),
    ]
