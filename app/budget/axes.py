"""The quantities of the page's figures, and the point that was recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.budget.thresholds import name_of
from drnn_core.analysis.budget import Floats, places
from drnn_core.analysis.replay import RECORDED_THRESHOLD

_APART = 0.17  # of the axis: room for a threshold below it


@dataclass(frozen=True)
class Trained:
    """What was recorded at one half, per image: error in %, loops, multiply-adds."""

    n: int
    error: float
    loops: float
    macs: float


@dataclass(frozen=True)
class Axis:
    """A quantity of the figures.

    Attributes:
        name: of ``Operating``'s and ``Bounds``'s attribute.
        title: of the axis, with the unit.
        scale: what one of its units is.
        form: of its numbers.
    """

    name: str
    title: str
    scale: float
    form: str

    @classmethod
    def of(cls, name: str, most_macs: float = 0.0) -> Axis:
        """The axis of "error", "loops" or "macs"."""
        if name == "error":
            return cls(name, "test error, %", 1.0, ".2f")
        if name == "loops":
            return cls(name, "mean loops per image", 1.0, ".2f")
        if most_macs >= 1e9:
            return cls(name, "multiply-adds per image, billions", 1e9, ".3f")
        return cls(name, "multiply-adds per image, millions", 1e6, ".2f")


@dataclass(frozen=True)
class Spacing:
    """An axis of thresholds on which all recorded decisions have as much room.

    Attributes:
        chances: ``analysis.budget.chances_of``.
        ticks: thresholds that stand below it.
    """

    chances: Floats
    ticks: tuple[float, ...]

    @classmethod
    def of(cls, chances: Floats, stops: Sequence[float]) -> Spacing:
        """The ends and one half are named, and of the other stops those that have room."""
        named = [0.0, RECORDED_THRESHOLD, 1.0]
        taken: list[float] = places(chances, named).tolist()
        for stop, place in zip(stops, places(chances, stops).tolist(), strict=True):
            if all(abs(place - other) >= _APART for other in taken):
                named.append(stop)
                taken.append(place)
        return cls(chances, tuple(sorted(named)))

    def places(self, thresholds: Sequence[float]) -> list[float]:
        """Where thresholds stand, from 0 to 1."""
        return places(self.chances, thresholds).tolist()

    @property
    def layout(self) -> dict[str, Any]:
        """Of plotly's axis."""
        return {
            "title": {"text": "threshold, spaced by recorded decisions"},
            "range": [-0.02, 1.02],
            "tickvals": self.places(self.ticks),
            "ticktext": [name_of(tick) for tick in self.ticks],
            "tickangle": 0,
        }
