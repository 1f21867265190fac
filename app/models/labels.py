"""Names beside points without one lying on another: where there is room, with a line if need be."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_LETTER, _LINE = 6.4, 14.0  # width of a letter and height of a line in pixels, at 12 pixels
_POINT = 7.0  # half a point, with some air
_NEAR = 10.0  # pixels from a point to the edge of its name
_DISTANCES = (_NEAR, 22.0, 36.0, 52.0)
_DIRECTIONS = tuple(
    (math.cos(turn * math.pi / 8), math.sin(turn * math.pi / 8))
    for turn in (0, 8, 12, 4, 15, 1, 9, 7, 14, 2, 10, 6, 13, 3, 11, 5)
)
# Of a line that runs through a name each pixel counts as much as this many of distance.
_COVERED = 0.7

Spot = tuple[float, float]


@dataclass(frozen=True)
class Place:
    """Where a name stands: the middle of its text, in pixels from the point, y down."""

    dx: float
    dy: float
    far: bool


@dataclass(frozen=True)
class _Box:
    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, spot: Spot, width: float, height: float) -> _Box:
        x, y = spot
        return cls(x - width / 2, y - height / 2, x + width / 2, y + height / 2)

    def meets(self, other: _Box) -> bool:
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom

    def is_inside(self, size: tuple[float, float]) -> bool:
        across = self.left >= 0 and self.right <= size[0]
        return across and self.top >= 0 and self.bottom <= size[1]

    def covers(self, line: tuple[Spot, Spot]) -> float:
        """Pixels of the line inside, to about a hundredth of its length."""
        (x1, y1), (x2, y2) = line
        steps = [step / 100 for step in range(101)]
        inside = [
            self.left < x1 + (x2 - x1) * s < self.right
            and self.top < y1 + (y2 - y1) * s < self.bottom
            for s in steps
        ]
        return sum(inside) / len(inside) * math.hypot(x2 - x1, y2 - y1)


def place_names(
    points: Sequence[Spot],
    names: Sequence[str],
    size: tuple[float, float],
    lines: Sequence[tuple[Spot, Spot]] = (),
) -> list[Place | None]:
    """A place for the name of each point, the first ones first; None where there is no room.

    Args:
        points: in pixels from the upper left corner of the plot, y down.
        names: as many.
        size: width and height of the plot in pixels.
        lines: between points, not to be covered if it can be helped.
    """
    taken = [_Box.around(point, 2 * _POINT, 2 * _POINT) for point in points]
    names_at: list[_Box] = []
    lines = list(lines)
    found: list[Place | None] = []
    for point, name in zip(points, names, strict=True):
        width = _LETTER * len(name)
        free = [
            (distance + _COVERED * sum(map(box.covers, lines)), number, place, box)
            for number, (distance, place, box) in enumerate(_places(point, width))
            if box.is_inside(size)
            and not any(box.meets(other) for other in taken)
            and not (place.far and any(at.covers(_to(point, place)) for at in names_at))
        ]
        best = min(free, default=None)
        found.append(None if best is None else best[2])
        if best is not None:
            taken.append(best[3])
            names_at.append(best[3])
            if best[2].far:
                lines.append(_to(point, best[2]))
    return found


def _to(point: Spot, place: Place) -> tuple[Spot, Spot]:
    """The line from a point to its name."""
    return point, (point[0] + place.dx, point[1] + place.dy)


def _places(point: Spot, width: float) -> Iterator[tuple[float, Place, _Box]]:
    """Places around a point with their distance, and the text's box."""
    for distance in _DISTANCES:
        for across, down in _DIRECTIONS:
            # The text's edge, not its middle, stands at the distance.
            dx, dy = across * (distance + width / 2), down * (distance + _LINE / 2)
            box = _Box.around((point[0] + dx, point[1] + dy), width, _LINE)
            yield distance, Place(dx, dy, distance > _NEAR), box
