"""Where the points of a plot stand: on which part of the axis, joined with which, named where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.models.labels import Place, place_names
from app.models.points import Point, joins
from app.models.strips import Strip, strips_of

Cost = Literal["macs", "params"]

_HEIGHT, _LOW_HEIGHT = 440, 270  # in pixels, of many points and of few
_FEW = 3
# What margins take from the height, and the width of the plot on a phone and on larger screens.
_MARGINS = 76
_WIDTH, _WIDER = 290.0, (450.0, 700.0, 1000.0)


@dataclass(frozen=True)
class Dot:
    """A point where it stands: ``x`` in the unit of the axis, ``y`` on a strip."""

    point: Point
    x: float
    y: float
    strip: Strip


@dataclass(frozen=True)
class Plot:
    """What the parts of the figure share.

    Attributes:
        dots: the points whose cost and accuracy are known.
        strips: parts of the axis of accuracy.
        unit: of the axis of costs, in words.
        reach: its end.
        chosen: name of the network that is marked.
    """

    dots: tuple[Dot, ...]
    strips: tuple[Strip, ...]
    unit: str
    reach: float
    chosen: str

    @classmethod
    def of(cls, points: Sequence[Point], cost: Cost, chosen: str) -> Plot:
        """The plot of some points over a cost."""
        found = [(p, p.macs if cost == "macs" else p.params, p.accuracy) for p in points]
        known = [(p, x, y) for p, x, y in found if x is not None and y is not None]
        most = max((x for _, x, _ in known), default=1.0)
        giga = cost == "macs" and most >= 1e9
        divisor = 1e9 if giga else 1e6
        strips = strips_of([y for _, _, y in known])
        dots = tuple(
            Dot(p, x / divisor, y, next(strip for strip in strips if strip.holds(y)))
            for p, x, y in known
        )
        unit = "billions" if giga else "millions"
        return cls(dots, strips, unit, 1.16 * most / divisor, chosen)

    @property
    def height(self) -> int:
        """In pixels."""
        return _HEIGHT if len(self.dots) > _FEW else _LOW_HEIGHT

    def joined(self) -> list[tuple[Dot, Dot]]:
        """The ends of each line, the recursive network first; none runs over a broken axis."""
        dots = {id(dot.point): dot for dot in self.dots}
        pairs = joins([dot.point for dot in self.dots])
        ends = [(dots[id(point)], dots[id(other)]) for point, other in pairs]
        return [(dot, other) for dot, other in ends if dot.strip == other.strip]

    def named(self) -> list[tuple[Dot, Place]]:
        """The points that have room for a name: the chosen one first, then those of our runs."""
        order = sorted(self.dots, key=self._precedence)
        size = (_WIDTH, float(self.height - _MARGINS))
        spots = {id(dot): self._spot(dot, size) for dot in order}
        places = place_names(
            [spots[id(dot)] for dot in order],
            [dot.point.label for dot in order],
            size,
            [(spots[id(dot)], spots[id(other)]) for dot, other in self.joined()],
            _WIDER,
        )
        return [(dot, place) for dot, place in zip(order, places, strict=True) if place]

    def _spot(self, dot: Dot, size: tuple[float, float]) -> tuple[float, float]:
        return dot.x / self.reach * size[0], dot.strip.depth(dot.y) * size[1]

    def _precedence(self, dot: Dot) -> tuple[bool, bool, bool, str]:
        point = dot.point
        return point.network != self.chosen, not point.ours, point.kind != "dynamic", point.label
