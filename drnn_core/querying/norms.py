"""The statistics of a run's norms as they were measured, from what is stored of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drnn_core.analysis.moments import Floats, Moments, NormStatistics, Parts
from drnn_core.store.norms import (
    NormedBlock,
    NormLayout,
    NormsHeader,
    StoredNorms,
    part_sizes,
    read_norms,
)
from drnn_core.store.runs import read_run


def read_statistics(run_folder: Path) -> tuple[NormsHeader, list[NormStatistics]]:
    """The statistics of a run as they were measured, in the order of execution.

    Raises:
        RunError: the run is missing or damaged.
        NormsError: there are none, they are damaged, or of other weights.
    """
    stored = read_norms(run_folder, read_run(run_folder).weights_sha256)
    return stored.header, statistics_of(stored)


def statistics_of(
    stored: StoredNorms, block: str | None = None, norm: str | None = None
) -> list[NormStatistics]:
    """What was measured, from what is stored, in the order of execution.

    Args:
        stored: of a run.
        block, norm: only of those of this name.
    """
    places = [
        (each, part, loop)
        for each in stored.header.blocks
        for loop in range(each.loops)
        for part in each.norms
    ]
    return [
        _statistics(stored, each, part, loop, depth)
        for depth, (each, part, loop) in enumerate(places)
        if block in (None, each.name) and norm in (None, part.name)
    ]


def _statistics(
    stored: StoredNorms, block: NormedBlock, norm: NormLayout, loop: int, depth: int
) -> NormStatistics:
    header = stored.header
    executed: NDArray[np.int64] = stored.arrays[f"{block.name}/executed"][:, loop]
    sizes = part_sizes(header)
    images = int(executed.sum())

    def moments(group: str, *place: Any) -> tuple[Floats, Floats]:
        start = f"{block.name}/{norm.name}/{group}"
        mean, var = (stored.arrays[f"{start}_{each}"][place] for each in ("mean", "var"))
        return mean.astype(np.float64), var.astype(np.float64)

    every = slice(None)
    return NormStatistics(
        block=block.name,
        norm=norm.name,
        loop=loop,
        kind=norm.kind,
        depth=depth,
        executed_parts=Parts(executed, *moments("executed", every, loop), norm.pixels),
        skipped_parts=Parts(sizes - executed, *moments("skipped", every, loop), norm.pixels),
        population=Moments(0, *moments("population", loop)),
        shuffled=(
            Moments(images, *moments("shuffled_executed", loop)),
            Moments(header.images - images, *moments("shuffled_skipped", loop)),
        ),
    )
