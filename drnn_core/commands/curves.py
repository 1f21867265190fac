"""From a run's records and its network to the points of its budget curve, and back from disk.

What is recorded, run anew, compared and stored belongs to four packages that do not know each
other; here they meet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from drnn_core.analysis.bootstrap import Estimate
from drnn_core.analysis.comparison import mcnemar
from drnn_core.analysis.operating import ByClass, Operating, operating
from drnn_core.analysis.replay import replayed
from drnn_core.store.budget import BudgetCurve, BudgetPoint, Interval, read_budget, write_budget
from drnn_core.store.recorded import check_images, check_weights
from drnn_core.store.records import read_manifest, read_records
from drnn_core.store.runinfo import RunInfo
from drnn_core.store.runs import load_network

if TYPE_CHECKING:  # who only looks at stored points needs no torch
    from drnn_core.data.sets import ImageSet
    from drnn_core.inference.thresholds import Turn
    from drnn_core.models.network import Network

LEVEL = 0.95


@dataclass(frozen=True)
class Point:
    """An operating point and how it was found.

    Attributes:
        found: its figures.
        anew: images that passed through the network.
    """

    found: Operating
    anew: int


def measure_point(
    network: Network,
    info: RunInfo,
    records: pd.DataFrame,
    images: ImageSet,
    thresholds: float | Sequence[float],
    progress: Callable[[int, int], None] | None = None,
    turn: Turn = nullcontext,
) -> Point:
    """Run the images whose path may change, and compare all with their records.

    Args:
        network: of the run, in evaluation mode.
        info: of the run.
        records: of all images or of some.
        images: that were recorded.
        thresholds: one, or one for each block.
        progress, turn: as of ``rerun``.
    """
    from drnn_core.counting import network_cost
    from drnn_core.inference.thresholds import rerun

    with turn():
        cost = network_cost(network, info.preprocessing.image_size)
    changes = ~replayed(records, cost.layout, thresholds, cost.asks).unchanged
    after = rerun(network, records, images, info.preprocessing, thresholds, changes, progress, turn)
    found = operating(records, after, len(info.classes), LEVEL)
    return Point(found, int(changes.sum()))


def measure_curve(
    run_folder: Path,
    images: ImageSet,
    thresholds: Sequence[float],
    progress: Callable[[int, int], None] | None = None,
) -> BudgetCurve:
    """Add the points that a run's budget.json lacks; may be killed and called again.

    Args:
        run_folder: of a run with whole records.
        images: that were recorded.
        thresholds: 0..1 each.
        progress: called with (done, total) images of all thresholds still to measure.

    Returns:
        The curve as it stands on the disk, with these points and those that were there.

    Raises:
        RunError, RecordsError, BudgetError: something is missing, damaged, or of other images.
        ValueError: the network has no gates.
    """
    network, info = load_network(run_folder)
    if not any(block.gated for block in network.layout):
        raise ValueError(f"expected a network with gates, but {info.title} has none to move")
    header = read_manifest(run_folder).header
    check_weights(run_folder, header, info.weights_sha256)
    check_images(run_folder, header, images)
    records = read_records(run_folder)
    labels = np.bincount(records["label"].to_numpy(), minlength=len(info.classes))
    curve = BudgetCurve.beside(header, labels.tolist(), LEVEL)
    there = read_budget(run_folder)
    if there is not None and there.is_of(header):
        curve = there  # one of other weights or images is no longer worth anything
    missing = [threshold for threshold in thresholds if curve.at(threshold) is None]
    for place, threshold in enumerate(missing):

        def tick(done: int, total: int, place: int = place) -> None:
            if progress:
                share = done / total if total else 1.0
                progress(round((place + share) * header.rows), len(missing) * header.rows)

        point = measure_point(network, info, records, images, threshold, tick)
        curve = curve.with_point(stored(threshold, point))
        write_budget(run_folder, curve)
    return curve


def stored(threshold: float, point: Point) -> BudgetPoint:
    """An operating point as budget.json keeps it."""
    found = point.found
    return BudgetPoint(
        threshold=float(threshold),
        anew=point.anew,
        error=_interval(found.error),
        loops=_interval(found.loops),
        macs=_interval(found.macs),
        error_change=_interval(found.error_change),
        loops_change=_interval(found.loops_change),
        macs_change=_interval(found.macs_change),
        lost=found.answers.only_a,
        won=found.answers.only_b,
        class_wrong=tuple(found.classes.wrong.tolist()),
        class_lost=tuple(found.classes.lost.tolist()),
        class_won=tuple(found.classes.won.tolist()),
        class_loops=tuple(
            None if math.isnan(mean) else round(mean, 6) for mean in found.classes.loops.tolist()
        ),
    )


def restored(curve: BudgetCurve, point: BudgetPoint) -> Point:
    """An operating point of budget.json."""

    def estimate(values: Interval) -> Estimate:
        return Estimate(*values, curve.n, curve.level)

    wrong = sum(point.class_wrong)
    right = curve.n - wrong
    counts = [right - point.won, point.lost, point.won, wrong - point.lost]
    a, b = (np.repeat(kinds, counts) for kinds in ([1, 1, 0, 0], [1, 0, 1, 0]))
    answers = mcnemar(pd.DataFrame({"correct_a": a, "correct_b": b}))
    loops = [math.nan if mean is None else mean for mean in point.class_loops]
    classes = ByClass(
        np.array(curve.class_images, dtype=np.int64),
        np.array(point.class_wrong, dtype=np.int64),
        np.array(point.class_lost, dtype=np.int64),
        np.array(point.class_won, dtype=np.int64),
        np.array(loops, dtype=np.float64),
    )
    found = Operating(
        n=curve.n,
        error=estimate(point.error),
        loops=estimate(point.loops),
        macs=estimate(point.macs),
        error_change=estimate(point.error_change),
        loops_change=estimate(point.loops_change),
        macs_change=estimate(point.macs_change),
        answers=answers,
        classes=classes,
    )
    return Point(found, point.anew)


def _interval(found: Estimate) -> Interval:
    return (round(found.value, 6), round(found.low, 6), round(found.high, 6))
