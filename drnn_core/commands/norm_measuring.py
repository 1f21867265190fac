"""The statistics of a run's norms: measured on a sample of its test images, kept with the run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from drnn_core.analysis.moments import NormStatistics
from drnn_core.analysis.norm_statistics import PARTS, Computing, has_loop_norms, norm_statistics
from drnn_core.analysis.sampling import spread_sample
from drnn_core.data.sets import ImageSet
from drnn_core.data.transforms import Preprocessing
from drnn_core.evaluation import Progress
from drnn_core.store.manifest import RecordsError
from drnn_core.store.norms import (
    NormedBlock,
    NormLayout,
    NormsError,
    NormsHeader,
    StoredNorms,
    write_norms,
)
from drnn_core.store.recorded import check_recorded
from drnn_core.store.runs import load_network


def measure_norms(
    run_folder: Path,
    images: ImageSet,
    limit: int | None = None,
    batch: int = 100,
    seed: int = 0,
    progress: Progress | None = None,
    device: str = "cpu",
    computing: Computing = nullcontext,
) -> StoredNorms:
    """Measure what the norms of a run see, and write it into the run; older statistics go.

    Nothing is written before all is measured, so it can be stopped at any moment.

    Args:
        run_folder: of the run.
        images: its test images.
        limit: so many of them, taken at even distances; None for all.
        batch: images measured together.
        seed: of the shuffled decisions.
        progress: called with (done, total) images.
        device: to compute on.
        computing: a context in which the network computes a batch, for those who share a process.

    Raises:
        RunError: the run is missing or damaged.
        NormsError: its recursive blocks have no norms of loops, or its records are of other images.
        ValueError: fewer than one image.
    """
    network, info = load_network(run_folder)
    if not has_loop_norms(network):
        raise NormsError(
            f"{run_folder} has no recursive blocks with BatchNorm, so there is nothing to measure"
        )
    split = split_of(run_folder, images)
    network.to(device)
    keep = spread_sample(len(images), limit)
    batches = _batches(images, keep, batch, info.preprocessing, device, progress)
    found = norm_statistics(network, batches, seed, computing=computing)
    header = NormsHeader(
        split=split,
        dataset=images.name,
        data_fingerprint=images.fingerprint,
        rows=len(images),
        images=len(keep),
        parts=PARTS,
        seed=seed,
        weights_sha256=info.weights_sha256,
        blocks=_blocks(found),
    )
    stored = StoredNorms(header, _arrays(found))
    write_norms(run_folder, stored)
    return stored


def split_of(run_folder: Path, images: ImageSet) -> str:
    """The split that images are: of a run's records, where it has some, else "test".

    Raises:
        NormsError: the records are of other images, or too damaged to say of which.
    """
    try:
        header = check_recorded(run_folder, images)
    except RecordsError as error:
        raise NormsError(str(error)) from error
    return "test" if header is None else header.split


def _batches(
    images: ImageSet,
    keep: NDArray[np.int64],
    batch: int,
    preprocessing: Preprocessing,
    device: str,
    progress: Progress | None,
) -> Iterator[Tensor]:
    for first in range(0, len(keep), batch):
        part = keep[first : first + batch]
        yield preprocessing.normalise(images.images(part).to(device))
        if progress:  # asked for the next, the network is through with these
            progress(first + len(part), len(keep))


def _blocks(found: Sequence[NormStatistics]) -> tuple[NormedBlock, ...]:
    """The blocks in network order, their norms in the order of execution."""
    blocks: list[NormedBlock] = []
    for name, places in groupby(found, key=lambda place: place.block):
        own = list(places)
        norms = tuple(
            NormLayout(each.norm, each.kind, len(each.population.mean), each.executed_parts.pixels)
            for each in own
            if each.loop == own[0].loop
        )
        blocks.append(NormedBlock(name, len(own) // len(norms), norms))
    return tuple(blocks)


def _arrays(found: Sequence[NormStatistics]) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    for (block, norm), places in _by_norm(found).items():
        arrays[f"{block}/executed"] = np.stack(
            [place.executed_parts.images for place in places], axis=1
        )
        for moment in ("mean", "var"):
            groups: dict[str, list[Any]] = {
                "executed": [place.executed_parts for place in places],
                "skipped": [place.skipped_parts for place in places],
                "shuffled_executed": [place.shuffled[0] for place in places],
                "shuffled_skipped": [place.shuffled[1] for place in places],
                "population": [place.population for place in places],
            }
            for group, each in groups.items():
                rows = [getattr(one, moment) for one in each]
                array = np.stack(rows, axis=rows[0].ndim - 1).astype(np.float32)
                arrays[f"{block}/{norm}/{group}_{moment}"] = array
    return arrays


def _by_norm(found: Sequence[NormStatistics]) -> dict[tuple[str, str], list[NormStatistics]]:
    places: dict[tuple[str, str], list[NormStatistics]] = {}
    for place in found:
        places.setdefault((place.block, place.norm), []).append(place)
    return places
