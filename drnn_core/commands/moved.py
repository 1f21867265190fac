"""An operating point as a run of its own: the same weights, the gates' biases moved.

Nothing of the trained run is touched, and nothing has to know of thresholds: evaluation,
prediction, records and the app read the new run as any other. Deleting its folder undoes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from drnn_core.analysis.replay import RECORDED_THRESHOLD, checked_thresholds
from drnn_core.data.sets import ImageSet
from drnn_core.evaluation import measure
from drnn_core.inference.recording import record_run
from drnn_core.inference.skipping import fast_forward
from drnn_core.inference.thresholds import with_thresholds
from drnn_core.layout import BlockLayout
from drnn_core.models.network import Network
from drnn_core.store.operating_point import (
    OperatingPoint,
    operating_point_of,
    with_operating_point,
)
from drnn_core.store.recorded import check_recorded
from drnn_core.store.records import has_records, read_manifest
from drnn_core.store.runs import (
    RunError,
    RunInfo,
    RunMetrics,
    is_unwritten,
    load_network,
    write_run,
)
from drnn_core.training.outcome import as_metrics


def move_gates(
    run_folder: Path,
    out: Path,
    thresholds: float | Sequence[float],
    images: ImageSet,
    progress: Callable[[int, int], None] | None = None,
) -> RunInfo:
    """Write a run at other thresholds, measured on its test images, with records of them.

    Interrupted, it goes on when it is called again.

    Args:
        run_folder: of the run as it was trained.
        out: folder of the new run, which does not exist, is empty, or holds this very operating
            point without whole records, or a part of it.
        thresholds: one, or one for each recursive block, 0..1.
        images: the test set; the one that was recorded, of a run with records.
        progress: called with (done, total) images of both passes; what it raises ends them. The
            new run is there once the first pass is through.

    Returns:
        run.json of the new run.

    Raises:
        RunError: the run is damaged, or its gates were moved already.
        RecordsError: the run's records are of other images: the two runs could not be compared.
        ValueError: thresholds that move nothing, or a folder that holds something else.
    """
    network, info = load_network(run_folder)
    if found := operating_point_of(info):
        raise RunError(
            f"the gates of {run_folder} were moved already; start from the run as it was trained "
            f"({found.run})"
        )
    limits = checked_thresholds(thresholds, network.layout)
    point = OperatingPoint(
        Path(run_folder).resolve().name, info.weights_sha256, _of_gates(network.layout, limits)
    )
    if all(limit == RECORDED_THRESHOLD for limit in point.thresholds.values()):
        raise ValueError(f"expected thresholds that move a gate, got {RECORDED_THRESHOLD} for all")
    changed = with_thresholds(network, limits)
    unwritten = is_unwritten(out, changed.state_dict())
    moved = None if unwritten else _begun(out, point, changed)
    recorded = check_recorded(run_folder, images)
    tell, count = progress or _nobody, len(images)
    if moved is None or recorded is None:  # without records, nothing says of which images it is
        check_recorded(out, images)
        metrics = _measured(changed, info, images, lambda done, _: tell(done, 2 * count))
        moved = replace(
            info,
            title=f"{info.title}, {point.in_words}",
            metrics=metrics,
            extra=with_operating_point(info.extra, point),
        )
        moved = write_run(out, changed.state_dict(), moved)
    record_run(out, images, progress=lambda done, _: tell(count + done, 2 * count))
    return moved


def _begun(out: Path, point: OperatingPoint, changed: Network) -> RunInfo:
    """run.json of a folder that holds this very operating point without whole records.

    Raises:
        ValueError: it holds something else, or all of it.
    """
    taken = f"expected the folder of a new run, but there is a {out} already"
    try:
        network, info = load_network(out)
        same = operating_point_of(info) == point
    except RunError as error:
        raise ValueError(f"{taken}; choose another --out") from error
    wanted, found = changed.state_dict(), network.state_dict()
    same &= wanted.keys() == found.keys()
    if not (same and all(torch.equal(found[name], value) for name, value in wanted.items())):
        raise ValueError(f"{taken}; choose another --out")
    if has_records(out) and read_manifest(out).complete:
        raise ValueError(f"{taken}, this operating point with whole records: nothing is missing")
    return info


def _measured(
    changed: Network, info: RunInfo, images: ImageSet, progress: Callable[[int, int], None]
) -> RunMetrics:
    sizing = info.preprocessing
    forward = fast_forward(changed, sizing.image_size)
    measures = measure(changed, images, sizing, progress=progress, forward=forward)
    return RunMetrics(as_metrics(measures, info.metrics.test.target))


def _of_gates(layout: Sequence[BlockLayout], limits: Sequence[float]) -> dict[str, float]:
    return {block.name: limit for block, limit in zip(layout, limits, strict=True) if block.gated}


def _nobody(done: int, total: int) -> None:
    """Nobody asks how far it is."""
