"""Images per second and peak memory of training, and the largest batch that fits on a GPU.

    python -m benchmarks.training_speed dr_resnet53_l3 resnet101 --device cuda --precision bfloat16
    python -m benchmarks.training_speed dr_resnet16_l2 --batch 32 --steps 5 --threads 1

It is the training loop itself, on one picture of random pixels that costs nothing to decode: what
is measured is the network forward and backward, the loss, the update and the way of the batch to
the device. The first steps, in which libraries choose their kernels, do not count. Without
--batch, a GPU is filled: the largest multiple of 8 that trains without running out of memory, and
the speed at it. Memory is what torch held at most on a GPU, and the whole process's on a CPU.
Gates start at the recipe's rate and hardly move in so few steps. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import json
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from drnn_core.data.sets import LazySet
from drnn_core.data.transforms import Preprocessing
from drnn_core.models.registry import create_model
from drnn_core.recipes import NETWORKS, Recipe, training_of
from drnn_core.training.loop import Trainer
from drnn_core.training.machine import device_name
from drnn_core.training.settings import Precision, Progress, Settings

WARM_UP = 3
_STEP = 8


class Clock:
    """A reporter that notes when each step ended."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def on_step(self, progress: Progress) -> None:
        """After every update, whose loss has come back from the device."""
        del progress
        self.times.append(time.perf_counter())

    def on_epoch(self, point: dict[str, Any], measures: object) -> None:
        """Never reached: the epoch is longer than the measurement."""


def one_picture(count: int, size: int) -> LazySet:
    """``count`` times the same random picture, which is decoded already."""
    pixels = np.random.default_rng(0).integers(0, 256, (3, size, size), dtype=np.uint8)
    labels, ids = np.zeros(count, dtype=np.int64), [""] * count
    return LazySet("one picture", ("a", "b"), ids, labels, "", lambda _: pixels)


def measure(name: str, batch: int, precision: Precision, device: str, steps: int) -> dict[str, Any]:
    """Train ``steps`` updates after the warm-up; raises torch.OutOfMemoryError if too much."""
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    network = create_model(name)
    how = dataclasses.replace(training_of(network.recipe, "paper"), batch=batch, augment="crop")
    size = network.recipe.image_size
    pictures = one_picture(batch * (WARM_UP + steps + 2), size)
    sizing = Preprocessing(size, size, True, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(Path(folder), device=device, precision=precision, save_seconds=1e9)
        trainer = Trainer(
            network, Recipe(name, network.recipe, how), pictures, pictures, sizing, settings
        )
        trainer.run(clock, lambda: len(clock.times) == WARM_UP + steps)
    seconds = np.diff(clock.times[WARM_UP - 1 :])
    return {
        "batch": batch,
        "images_per_second": round(batch / statistics.median(seconds), 2),
        "step_seconds": [round(float(each), 4) for each in seconds],
        "peak_memory_mib": peak_memory(device),
    }


def peak_memory(device: str) -> int:
    """MiB: torch's most on a GPU since the start of the measurement, else the whole process's."""
    if device == "cuda":
        return torch.cuda.max_memory_reserved() >> 20
    # in KiB on Linux, in bytes on macOS
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> (
        20 if sys.platform == "darwin" else 10
    )


def largest(fits: Callable[[int], bool], most: int = 1 << 14) -> int:
    """The largest multiple of 8 up to ``most`` that fits; 0 if none does."""
    good, bad = 0, _STEP
    while bad <= most and fits(bad):
        good, bad = bad, 2 * bad
    bad = min(bad, most + _STEP)
    while bad - good > _STEP:
        middle = (good + bad) // (2 * _STEP) * _STEP
        if fits(middle):
            good = middle
        else:
            bad = middle
    return good


def largest_batch(name: str, precision: Precision) -> int:
    """The largest batch that trains on the GPU."""

    def fits(batch: int) -> bool:
        try:
            measure(name, batch, precision, "cuda", 1)
        except torch.OutOfMemoryError:
            return False
        finally:
            gc.collect()
        return True

    return largest(fits)


def rows(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """A measurement of every network."""
    found: list[dict[str, Any]] = []
    for name in arguments.networks:
        batch = arguments.batch or largest_batch(name, arguments.precision)
        row: dict[str, Any] = {"network": name, "precision": arguments.precision}
        if not arguments.batch:
            row["largest_batch"] = batch
        if batch:
            row |= measure(name, batch, arguments.precision, arguments.device, arguments.steps)
        found.append(row)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="+", choices=sorted(NETWORKS), metavar="NETWORK")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--threads", type=int, help="of the CPU; by default one for each core")
    arguments = parser.parse_args()
    if arguments.device == "cpu" and not arguments.batch:
        parser.error("expected --batch N on a CPU, whose memory is not worth filling")
    if arguments.device == "cuda" and not torch.cuda.is_available():
        parser.error("expected a CUDA GPU for --device cuda, found none")
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    machine = {
        "device": device_name(torch.device(arguments.device)),
        "cores": os.cpu_count(),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
    print(json.dumps({"machine": machine, "rows": rows(arguments)}, indent=1))


if __name__ == "__main__":
    main()
