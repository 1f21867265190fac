"""Columns beside the records: something measured of every image, on the path that it took.

The network is not asked again which loops to run: the records say it, and the measurement is of
the network with those decisions fixed (``drnn_core/inference/frozen.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drnn_core.data.sets import ImageSet
from drnn_core.inference.frozen import FrozenNetwork, freeze
from drnn_core.store.columns import ColumnWriter
from drnn_core.store.recorded import check_images, check_weights
from drnn_core.store.records import read_manifest, read_records
from drnn_core.store.runs import load_network
from drnn_core.trace import ran_of

Columns = dict[str, NDArray[np.float32]]


class Measured(NamedTuple):
    """A batch as a measurement sees it.

    Attributes:
        network: with the loops fixed that the records say these images ran.
        pixels: (B, 3, H, W) uint8.
        images: (B, 3, H, W) float32, normalised.
        predictions: (B,) int64, of the records.
        mask: (B, H, W) bool, the object; None where nobody knows.
    """

    network: FrozenNetwork
    pixels: Tensor
    images: Tensor
    predictions: Tensor
    mask: NDArray[np.bool_] | None


@dataclass(frozen=True)
class Measurement:
    """A table of columns and how to measure it.

    Attributes:
        name: of the table.
        columns: names of its columns.
        measure: a batch -> each of the columns, (B,) float32.
    """

    name: str
    columns: tuple[str, ...]
    measure: Callable[[Measured], Columns]


def measure_run(
    run_folder: Path,
    image_set: ImageSet,
    measurements: Sequence[Measurement],
    batch: int = 100,
    progress: Callable[[int, int], None] | None = None,
    *,
    device: str = "cpu",
    shard_rows: int | None = None,
    keep: NDArray[np.int64] | None = None,
) -> int:
    """Write columns beside the records of a run, or what is missing of them.

    May be killed at any moment and called again, as ``record_run``.

    Args:
        run_folder: of a run with records.
        image_set: the images that were recorded.
        measurements: made together, so that an image passes once.
        batch: images measured together.
        progress: called with (done, total) images, of those to measure.
        device: to compute on.
        shard_rows: rows of a shard; by default as the records have them.
        keep: positions of the images to measure, rising, at even distances; NaN stands in the
            rows of the others. By default all.

    Returns:
        How many images were measured by this call; 0 where nothing was missing.

    Raises:
        RunError: the run is missing or damaged.
        RecordsError: no whole records, or they are of other weights or images.
    """
    recorded = _Recorded(run_folder, image_set, torch.device(device))
    chosen = np.arange(len(image_set), dtype=np.int64) if keep is None else keep
    count = None if keep is None or len(keep) == len(image_set) else len(keep)
    with ExitStack() as stack:
        writers = [
            stack.enter_context(ColumnWriter(run_folder, one.name, one.columns, shard_rows, count))
            for one in measurements
        ]
        missing = sorted({shard for writer in writers for shard in writer.missing()})
        plan = [(first, rows, _inside(chosen, first, rows)) for first, rows in missing]
        before = len(chosen) - sum(len(there) for _, _, there in plan)
        measured = 0
        for first, rows, there in plan:
            wanted = [
                (one, writer)
                for one, writer in zip(measurements, writers, strict=True)
                if (first, rows) in writer.missing()
            ]
            parts: list[list[Columns]] = []
            for start in range(0, len(there), batch):
                seen = recorded.batch(there[start : start + batch])
                parts.append([one.measure(seen) for one, _ in wanted])
                measured += len(seen.pixels)
                if progress:
                    progress(before + measured, len(chosen))
            for place, (one, writer) in enumerate(wanted):
                values = _joined(one, [part[place] for part in parts], there - first, rows)
                writer.write_columns(first, values)
    return measured


def _inside(chosen: NDArray[np.int64], first: int, rows: int) -> NDArray[np.int64]:
    """Those of the rising positions that lie in a shard."""
    low, high = np.searchsorted(chosen, [first, first + rows])
    return chosen[low:high]


def _joined(
    measurement: Measurement, parts: list[Columns], there: NDArray[np.int64], rows: int
) -> Columns:
    """A shard's columns: what was measured ``there``, NaN in its other rows."""
    joined: Columns = {}
    for name in measurement.columns:
        joined[name] = np.full(rows, np.nan, dtype=np.float32)
        joined[name][there] = np.concatenate([part[name] for part in parts]) if parts else []
    return joined


class _Recorded:
    """A run's network and the images that it recorded, with the decisions of the records."""

    def __init__(self, run_folder: Path, image_set: ImageSet, device: torch.device) -> None:
        network, info = load_network(run_folder)
        _check(run_folder, image_set, info.weights_sha256)
        network.to(device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.network = network.requires_grad_(False)  # gradients are of the images alone
        self.normalise = info.preprocessing.normalise
        self.image_set = image_set
        self.device = device
        records = read_records(run_folder, ["prediction", "block_loops"])
        loops = np.stack(records["block_loops"].tolist()).astype(np.int64)
        self.ran = ran_of(torch.from_numpy(loops), network.layout).to(device)
        predictions: NDArray[np.int64] = records["prediction"].to_numpy().astype(np.int64)
        self.predictions = torch.from_numpy(predictions).to(device)

    def batch(self, there: NDArray[np.int64]) -> Measured:
        pixels = self.image_set.images(there)
        rows = torch.from_numpy(there).to(self.device)
        return Measured(
            freeze(self.network, self.ran[rows]),
            pixels,
            self.normalise(pixels.to(self.device)),
            self.predictions[rows],
            self.image_set.masks(there),
        )


def _check(run_folder: Path, image_set: ImageSet, weights_sha256: str) -> None:
    header = read_manifest(run_folder).header
    check_weights(run_folder, header, weights_sha256)
    check_images(run_folder, header, image_set)
