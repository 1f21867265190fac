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
_COVERED = 2.0

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
        if not self.meets(_Box(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))):
            return 0.0  # nearly all lines: a plot has many, and names try many places
        steps = [step / 100 for step in range(101)]
        inside = [
            self.left < x1 + (x2 - x1) * s < self.right
            and self.top < y1 + (y2 - y1) * s < self.bottom
            for s in steps
        ]
        return sum(inside) / len(inside) * math.hypot(x2 - x1, y2 - y1)


class _Sheet:
    """The plot at one width: its points and lines, and the names that have a place on it."""

    def __init__(
        self, points: Sequence[Spot], size: tuple[float, float], lines: Sequence[tuple[Spot, Spot]]
    ) -> None:
        self.points = list(points)
        self._size = size
        self._lines = list(lines)
        self._taken = [_Box.around(point, 2 * _POINT, 2 * _POINT) for point in points]
        self._names: list[_Box] = []

    @classmethod
    def stretched(cls, sheet: _Sheet, width: float) -> _Sheet:
        """The same points and lines, none named yet, on a plot of another width."""
        by = width / sheet._size[0]
        lines = [((x1 * by, y1), (x2 * by, y2)) for (x1, y1), (x2, y2) in sheet._lines]
        return cls([(x * by, y) for x, y in sheet.points], (width, sheet._size[1]), lines)

    def has_room(self, number: int, place: Place, width: float) -> bool:
        """Whether a point's name can stand at a place."""
        box, arm = self._name(number, place, width), _to(self.points[number], place)
        if not box.is_inside(self._size) or any(box.meets(other) for other in self._taken):
            return False
        return not (place.far and any(name.covers(arm) for name in self._names))

    def covered(self, number: int, place: Place, width: float) -> float:
        """Pixels of lines that a point's name lies on at a place."""
        box = self._name(number, place, width)
        return sum(map(box.covers, self._lines))

    def take(self, number: int, place: Place, width: float) -> None:
        """Give a point's name this place."""
        box = self._name(number, place, width)
        self._taken.append(box)
        self._names.append(box)
        if place.far:
            self._lines.append(_to(self.points[number], place))

    def _name(self, number: int, place: Place, width: float) -> _Box:
        x, y = self.points[number]
        return _Box.around((x + place.dx, y + place.dy), width, _LINE)


def place_names(
    points: Sequence[Spot],
    names: Sequence[str],
    size: tuple[float, float],
    lines: Sequence[tuple[Spot, Spot]] = (),
    wider: Sequence[float] = (),
) -> list[Place | None]:
    """A place for the name of each point, the first ones first; None where there is no room.

    Args:
        points: in pixels from the upper left corner of the plot, y down.
        names: as many.
        size: width and height of the plot in pixels.
        lines: between points, not to be covered if it can be helped.
        wider: other widths at which the plot is drawn as well, with the names as far from their
            points: there, too, they must find room, and lines lie elsewhere.
    """
    first = _Sheet(points, size, lines)
    sheets = [first, *(_Sheet.stretched(first, width) for width in wider)]
    found: list[Place | None] = []
    for number, name in enumerate(names):
        width = _LETTER * len(name)
        best: tuple[float, Place] | None = None
        for distance, place in _places(width):
            if best is not None and best[0] <= distance:
                break  # places come nearest first: none that follows costs less
            if all(sheet.has_room(number, place, width) for sheet in sheets):
                pixels = max(sheet.covered(number, place, width) for sheet in sheets)
                cost = distance + _COVERED * pixels
                best = (cost, place) if best is None or cost < best[0] else best
        found.append(None if best is None else best[1])
        if best is not None:
            for sheet in sheets:
                sheet.take(number, best[1], width)
    return found


def _to(point: Spot, place: Place) -> tuple[Spot, Spot]:
    """The line from a point to its name."""
    return point, (point[0] + place.dx, point[1] + place.dy)


def _places(width: float) -> Iterator[tuple[float, Place]]:
    """Places around a point for a text of some width, with their distance, the nearest first."""
    for distance in _DISTANCES:
        for across, down in _DIRECTIONS:
            # The text's edge, not its middle, stands at the distance.
            dx, dy = across * (distance + width / 2), down * (distance + _LINE / 2)
            yield distance, Place(dx, dy, distance > _NEAR)
