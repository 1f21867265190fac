"""The quantities of the page's figures, and the point that was recorded."""

from __future__ import annotations

from dataclasses import dataclass


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
