"""One factor from no change to its strongest: what the network says of one picture on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from app.lab.answers import Subject, answer, known
from app.lab.factors import Factor
from drnn_core.analysis.edits import BOTH_WAYS, Edit, usual_box, values_along
from drnn_core.inference.prediction import Prediction
from drnn_core.store.sweeps import KeptSweep

POINTS = 11
STEP = 0.5  # of strength, between two points


@dataclass(frozen=True)
class Line:
    """A picture along a factor.

    Attributes:
        factor: what changes.
        edits: the picture's changes at each point; the first is no change of this factor.
        found: what the network says there.
    """

    factor: Factor
    edits: tuple[Edit, ...]
    found: tuple[Prediction, ...]

    @property
    def values(self) -> list[float]:
        """Of the factor at each point."""
        return [edit.value(self.factor.name) for edit in self.edits]

    @property
    def below(self) -> bool:
        """Whether it goes the other way of a factor that goes both ways."""
        return self.factor.name in BOTH_WAYS and self.values[-1] < 0

    @property
    def flips(self) -> list[int]:
        """Points whose answer is another than at the point before."""
        labels = [one.label for one in self.found]
        return [place for place in range(1, len(labels)) if labels[place] != labels[place - 1]]

    def strength_of(self, edit: Edit) -> float | None:
        """Where on the way a picture's changes stand, 0 to 5; None where they are off it.

        They are off it where they go the other way, or change anything else than the first point.
        """
        name = self.factor.name
        ends = self.edits[0].without(name), edit.without(name)
        value, values = edit.value(name), self.values
        if ends[0] != ends[1] or not min(values) <= value <= max(values):
            return None
        for place in range(1, len(values)):
            low, high = values[place - 1], values[place]
            if min(low, high) <= value <= max(low, high):
                return STEP * (place - 1 + (value - low) / (high - low))
        return None

    def frame(self, many: KeptSweep | None = None) -> pd.DataFrame:
        """The numbers, a row a point; with those of ``many`` test images beside them."""
        first = self.found[0].label
        own = pd.DataFrame(
            {
                "factor": self.factor.name,
                "strength": [STEP * place for place in range(len(self.edits))],
                "value": self.values,
                "prediction": [one.top[0][0] for one in self.found],
                "confidence": [one.top[0][1] for one in self.found],
                "probability_of_first": [float(one.probabilities[first]) for one in self.found],
                "loops": [one.loops for one in self.found],
                "macs": [one.macs for one in self.found],
            }
        )
        return own if many is None else own.merge(_means(many), on="strength", how="outer")


def _means(many: KeptSweep) -> pd.DataFrame:
    rows: list[dict[str, float]] = []
    for point in many.points:
        row: dict[str, float] = {"strength": point.strength, "test_images": many.images}
        for name in ("loops", "confidence", "error", "flipped"):
            ends = zip(("mean", "low", "high"), getattr(point, name), strict=True)
            row |= {f"test_{name}_{end}": number for end, number in ends}
        rows.append(row)
    return pd.DataFrame(rows)


def edits_along(subject: Subject, factor: Factor, edit: Edit, keep: bool) -> tuple[Edit, ...]:
    """The changes at each point: of the factor alone, or with all others kept as they are."""
    start = edit.without(factor.name) if keep else Edit()
    below = factor.name in BOTH_WAYS and edit.value(factor.name) < 0
    values = values_along(factor.name, POINTS, below)
    place = edit.box or usual_box(subject.number)
    # The numbers of the screen, so that a point is where its slider can be put.
    return tuple(
        start.with_value(factor.name, factor.value(factor.shown(value)), place) for value in values
    )


def is_known(subject: Subject, edits: tuple[Edit, ...]) -> bool:
    """Whether nothing of it need be computed."""
    return all(known(subject, edit) is not None for edit in edits)


def line_along(
    subject: Subject,
    factor: Factor,
    edits: tuple[Edit, ...],
    progress: Callable[[int, int], None] | None = None,
) -> Line:
    """Ask the network at each point; ``progress`` is told (done, of) after each."""
    found: list[Prediction] = []
    for done, edit in enumerate(edits, 1):
        found.append(answer(subject, edit))
        if progress:
            progress(done, len(edits))
    return Line(factor, edits, tuple(found))
