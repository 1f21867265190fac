"""What gates have to beat: images sent by chance, whatever they show, one way or the other."""

from __future__ import annotations

from collections.abc import Mapping

from app.budget.axes import Axis
from app.budget.marks import Trace
from app.charts import Palette
from drnn_core.commands.curves import Point

LABEL = "mixing by chance"
MEANING = (
    "The dashed line is what mixing by chance would give: each image, whatever it shows, is sent "
    "with some probability through all loops and else through the fewest. Mean cost and error of "
    "such a mix lie on the line between the two measured ends; gates that choose well stay "
    "below it."
)


def ends_of(curve: Mapping[float, Point]) -> tuple[Point, Point] | None:
    """The points of the fewest and of all loops; None where not both ran on the same images."""
    most, fewest = curve.get(0.0), curve.get(1.0)
    if most is None or fewest is None or most.found.n != fewest.found.n:
        return None
    return fewest, most


def mixing_line(
    curve: Mapping[float, Point], cost: Axis, top: float, colours: Palette
) -> list[Trace]:
    """The line with its name, as far as the axis of error reaches; nothing without both ends.

    Args:
        curve: points by threshold.
        cost: of the axis below.
        top: end of the axis of error.
        colours: of the theme.
    """
    if (ends := ends_of(curve)) is None:
        return []
    (x0, y0), (x1, y1) = (
        (getattr(each.found, cost.name).value / cost.scale, each.found.error.value)
        for each in ends
    )  # fmt: skip
    if min(y0, y1) >= top:
        return []
    first, last = 0.0, 1.0  # of the way from the fewest loops to all, where the axis holds it
    if y0 > top:
        first = (y0 - top) / (y0 - y1)
    elif y1 > top:
        last = (top - y0) / (y1 - y0)
    way = [first, (first + last) / 2, last]
    return [
        {
            "type": "scatter", "mode": "lines+text", "name": LABEL, "showlegend": False,
            "hoverinfo": "skip",
            "x": [x0 + share * (x1 - x0) for share in way],
            "y": [y0 + share * (y1 - y0) for share in way],
            "line": {"color": colours.muted, "width": 1.5, "dash": "dash"},
            "text": ["", LABEL, ""], "textposition": "top right",
            "textfont": {"size": 12, "color": colours.muted},
        }
    ]  # fmt: skip
