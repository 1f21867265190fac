"""What is worked out of the records, kept for all sessions: calibration errors and paired tests.

Intervals of the calibration error are bootstrapped over the images, tenths of a second for ten
thousand: the page draws everything else first and asks here last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.bounded import BoundedCache
from app.compare.sides import Side, unpaired
from app.headlines import headline_of
from app.pairs import Pair, pair_of
from drnn_core.analysis.bootstrap import Estimate
from drnn_core.analysis.comparison import (
    Agreement,
    McNemar,
    agreement,
    error_difference,
    holm,
    loops_by_loops,
    mcnemar,
)
from drnn_core.analysis.confidence import calibration_error
from drnn_core.analysis.loops_compared import loops_relation
from drnn_core.analysis.pair_selection import Outcome, outcome_counts
from drnn_core.analysis.relations import Relation
from drnn_core.analysis.shares import share_of

_KEPT = 256
_calibrations: BoundedCache[tuple[str, str], Estimate] = BoundedCache(_KEPT, lambda _: 1)


@dataclass(frozen=True)
class PairedTest:
    """A run against the first, image by image.

    Attributes:
        other: the run.
        pair: their images; None where they cannot be paired, and ``problem`` says why.
        difference: of the errors, other minus first, in points of %.
        counts: who is right how often, and McNemar's p.
        corrected: p after Holm's correction for all tests on the page.
    """

    other: Side
    pair: Pair | None
    problem: str
    difference: Estimate | None = None
    counts: McNemar | None = None
    corrected: float | None = None


@dataclass(frozen=True)
class PairMeasures:
    """What the images of a pair say; shared, not to be changed in place.

    Attributes:
        loops: images by loops in a and loops in b.
        outcomes: images by who is right.
        agreement: how far the two say the same.
        relation: of the loops; None where all images of one loop alike.
    """

    loops: NDArray[np.int64]
    outcomes: dict[Outcome, int]
    agreement: Agreement
    relation: Relation | None


_pairs: BoundedCache[tuple[str, str, str], PairMeasures] = BoundedCache(_KEPT, lambda _: 1)


def pair_measures(a: Side, b: Side, pair: Pair) -> PairMeasures:
    """What the images of a pair say, worked out once for all sessions."""

    def measure() -> PairMeasures:
        loops = loops_by_loops(pair.table, a.facts.loops_max, b.facts.loops_max)
        relation = loops_relation(loops) if a.changes and b.changes else None
        return PairMeasures(loops, outcome_counts(pair.table), agreement(pair.table), relation)

    return _pairs.get_or_make((str(a.run.folder), str(b.run.folder), pair.stamp), measure)


def error_of(side: Side) -> Estimate:
    """Share of wrong answers: of the records where there are some, else as run.json says."""
    if side.table is not None:
        return headline_of(side.run, side.table).error
    test = side.info.metrics.test
    return share_of(round(test.error * test.n / 100), test.n)


def calibration_of(side: Side) -> Estimate | None:
    """The expected calibration error with its interval; None without records."""
    if side.table is None:
        return None
    key = (str(side.run.folder), side.table.stamp)
    return _calibrations.get_or_make(
        key, lambda: calibration_error(side.column("confidence"), side.column("correct"))
    )


def known_calibration(side: Side) -> Estimate | None:
    """The same where it is at hand; otherwise without an interval, which takes no time."""
    if side.table is None:
        return None
    found = _calibrations.get((str(side.run.folder), side.table.stamp))
    if found is not None:
        return found
    return calibration_error(side.column("confidence"), side.column("correct"), resamples=0)


def tests_against(first: Side, others: Sequence[Side]) -> list[PairedTest]:
    """Every other run against the first, with Holm's correction over those that can be paired."""
    found = [_test(first, other) for other in others]
    tested = [test for test in found if test.counts is not None]
    corrected = holm([test.counts.p for test in tested if test.counts is not None])
    by_letter = {test.other.letter: p for test, p in zip(tested, corrected, strict=True)}
    return [
        PairedTest(
            test.other,
            test.pair,
            test.problem,
            test.difference,
            test.counts,
            by_letter.get(test.other.letter),
        )
        for test in found
    ]


def _test(first: Side, other: Side) -> PairedTest:
    problem = unpaired(first, other)
    if problem:
        return PairedTest(other, None, problem)
    pair = pair_of(first.run, other.run)
    return PairedTest(other, pair, "", error_difference(pair.table), mcnemar(pair.table))
