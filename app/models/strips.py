"""The axis of accuracy, in two parts where results lie far apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_BREAK = 0.45  # share of the whole range that must hold no result for the axis to be broken there
_FEW = 0.27  # of the height, for the part with fewer results
_GAP = 0.09  # of the height, between the parts


@dataclass(frozen=True)
class Strip:
    """A part of the height with an axis of its own.

    Attributes:
        axis: Plotly's name of it.
        low, high: ends of the axis.
        bottom, top: where they stand, as shares of the height from below.
    """

    axis: str
    low: float
    high: float
    bottom: float = 0.0
    top: float = 1.0

    def holds(self, value: float) -> bool:
        """Whether a value is on this part of the axis."""
        return self.low <= value <= self.high

    def depth(self, value: float) -> float:
        """Share of the height that lies above a value."""
        share = (value - self.low) / (self.high - self.low)
        return 1 - self.bottom - share * (self.top - self.bottom)


def strips_of(values: Sequence[float]) -> tuple[Strip, ...]:
    """One strip for all values, or two where a wide range in between is empty; the lower first."""
    ordered = sorted(values)
    gaps = [after - before for before, after in pairwise(ordered)]
    if not gaps or max(gaps) <= _BREAK * (ordered[-1] - ordered[0]) or len(values) < 4:
        return (Strip("y", *_around(ordered)),)
    split = gaps.index(max(gaps)) + 1
    below, above = ordered[:split], ordered[split:]
    share = _FEW if len(below) < len(above) else 1 - _FEW
    return (
        Strip("y", *_around(below), 0.0, share - _GAP / 2),
        Strip("y2", *_around(above), share + _GAP / 2, 1.0),
    )


def _around(values: Sequence[float]) -> tuple[float, float]:
    """Ends of an axis with room around the values."""
    low, high = min(values, default=0.0), max(values, default=100.0)
    room = max(0.12 * (high - low), 0.3)
    return low - room, high + room
