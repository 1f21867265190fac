"""What an object consists of: parts of several colours, in its own coordinates."""

from __future__ import annotations

from typing import NamedTuple

from drnn_core.data.generated.raster import Points, ellipse


class Part(NamedTuple):
    """Outlines of one colour; later parts lie over earlier ones.

    Attributes:
        role: which colour of the object's palette: "body", "second", "accent", "dark", "light".
        outlines: (n, 2) each, any unit (the whole object is scaled later), x right, y down.
    """

    role: str
    outlines: list[Points]


def part(role: str, *outlines: Points) -> Part:
    """A part of these outlines."""
    return Part(role, list(outlines))


def discs(role: str, places: list[tuple[float, float]], radius: float) -> Part:
    """Equal discs around these places: wheels, portholes, spots, fruit."""
    return Part(role, [ellipse(x, y, radius, radius) for x, y in places])
