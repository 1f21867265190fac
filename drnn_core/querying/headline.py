"""A run in its headline numbers over all of its records, each with its interval over images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from drnn_core.analysis.bootstrap import Estimate
from drnn_core.analysis.loop_counts import counted_moments, opening_rate
from drnn_core.analysis.loops import Selection
from drnn_core.analysis.means import mean_of
from drnn_core.analysis.shares import share_of
from drnn_core.layout import BlockLayout
from drnn_core.querying.records import Records


@dataclass(frozen=True)
class Headline:
    """A run in numbers.

    Attributes:
        error: share of wrong predictions, 0 to 1, with Wilson's interval.
        loops: mean executed loops of an image, with Student's interval.
        loops_std: of the loops, over images (n - 1).
        macs: mean multiply-adds of an image, with Student's interval.
        rate: how often a gate that was asked opened, mean over gates; NaN without gates. Its
            interval is that of large samples.
    """

    error: Estimate
    loops: Estimate
    loops_std: float
    macs: Estimate
    rate: Estimate


def headline(records: Records, layout: Sequence[BlockLayout], asks: Sequence[bool]) -> Headline:
    """The numbers of all records of a network.

    Args:
        records: of a run.
        layout: of the network.
        asks: which of its steps ask a gate.
    """
    whole, everything = records.overall(), Selection()
    n, mean, std = counted_moments(records.loop_counts(everything))
    rate, spread = math.nan, math.nan
    if any(asks):
        rate, scores = opening_rate(records.block_counts(everything), layout, asks)
        spread = records.spread(scores)
    return Headline(
        error=share_of(round(whole.error * whole.n), whole.n),
        loops=mean_of(mean, std, n),
        loops_std=std,
        macs=mean_of(whole.macs, whole.macs_std, whole.n),
        rate=mean_of(rate, spread, n),
    )
