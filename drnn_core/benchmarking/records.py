"""The record pipeline's throughput against that of the bare network."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from drnn_core.benchmarking.interleaving import interleave, ratio, typical
from drnn_core.data.sets import MemorySet, fingerprint_of
from drnn_core.inference.recording import record_run
from drnn_core.inference.skipping import fast_forward
from drnn_core.store.runs import RunInfo, load_network

_BATCH = 250


@dataclass(frozen=True)
class RecordRow:
    """Images per second of ``drnn records`` against those of the network alone.

    Attributes:
        net, images: recorded.
        images_per_second: of the pipeline: loading and compiling the network, normalising,
            network, rows, Parquet, hashes, fsync; median of the rounds.
        bare_images_per_second: of the compiled network on images that are normalised already.
        throughput_ratio: of the two, median of the rounds.
        low, high: quartiles of the rounds' ratios.
        rounds: that were measured.
    """

    net: str
    images: int
    images_per_second: float
    bare_images_per_second: float
    throughput_ratio: float
    low: float
    high: float
    rounds: int


def compare_records(
    run_folder: Path, images: int = 10_000, seconds: float = 20.0, least: int = 3
) -> RecordRow:
    """Measure a run's network on random pictures that lie in memory, as CIFAR-10's do.

    The run is copied; its own records are left alone.

    Args:
        run_folder: of the run.
        images: to record.
        seconds, least: see ``interleave``.

    Raises:
        RunError: the run is missing or damaged.
    """
    network, info = load_network(run_folder)
    pictures = _pictures(images, info)
    forward = fast_forward(network, info.preprocessing.image_size)
    ready = [
        info.preprocessing.normalise(pictures.images(range(start, min(start + _BATCH, images))))
        for start in range(0, images, _BATCH)
    ]
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        shutil.copytree(run_folder, run, ignore=shutil.ignore_patterns("records"))

        def record() -> None:
            shutil.rmtree(run / "records", ignore_errors=True)
            record_run(run, pictures, _BATCH)

        def bare() -> None:
            for batch in ready:
                forward(batch)

        times = interleave({"records": [record], "bare": [bare]}, seconds, least=least)
    faster = ratio(times["bare"], times["records"])
    return RecordRow(
        info.model,
        images,
        images / typical(times["records"]),
        images / typical(times["bare"]),
        faster.value,
        faster.low,
        faster.high,
        len(times["bare"]),
    )


def _pictures(count: int, info: RunInfo) -> MemorySet:
    generator = np.random.default_rng(0)
    size = info.preprocessing.image_size
    pixels = generator.integers(0, 256, (count, 3, size, size), dtype=np.uint8)
    labels = generator.integers(0, len(info.classes), count)
    return MemorySet(
        name="random",
        classes=info.classes,
        ids=[f"random/{number}" for number in range(count)],
        labels=labels,
        fingerprint=fingerprint_of([labels.tobytes(), pixels.tobytes()]),
        pixels=torch.from_numpy(pixels),
    )
