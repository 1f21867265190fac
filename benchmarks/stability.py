"""Where training diverges: learning rates by loops, with one BatchNorm for all loops and with LVBN.

    python -m benchmarks.stability --device cuda --together 4 [--epochs 5] [--minutes 10]
    python -m benchmarks.stability --loops 2 --rates 0.2 --epochs 1 --images 2000 --out FILE

R-Res 16 without gates (blocks 3, 2, 2; l loops in stages 2 and 3) on ``generated`` by the short
recipe, whose peak learning rate is changed; E epochs are a whole cycle of it. Every configuration
becomes a line of the file as soon as it is done, and one that stands there is not trained again, so
the command may be stopped and given again, also with more rates. With one loop the kinds of norms
are one network, trained once. ``python -m benchmarks.results`` makes a picture and a table of it.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import math
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from itertools import product
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from torch import Tensor

from benchmarks.stability_record import STABILITY, Configuration, Record, Result
from drnn_core.analysis.batch_statistics import batch_normalised, mixed
from drnn_core.data.datasets import load_split
from drnn_core.data.measuring import measure_preprocessing
from drnn_core.evaluation import Measures, measure
from drnn_core.models.registry import create_model
from drnn_core.recipes import get_recipe
from drnn_core.training.fusing import unfused
from drnn_core.training.loop import Trainer
from drnn_core.training.machine import device_name
from drnn_core.training.seeds import derived_seed
from drnn_core.training.settings import Progress, Settings, TrainingError

NETWORK = "r_resnet16_l2"
NORMS = ("naive", "lvbn")
LOOPS = (1, 2, 4, 8)
RATES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
BATCH = 250  # images normalised together where batches' statistics evaluate


class Laboratory:
    """What all trainings share.

    Args:
        images: the first so many of the training set.
        tested: the first so many of the test set; None for all.
        device: to train on.
    """

    def __init__(self, images: int, tested: int | None, device: str) -> None:
        self.train_set = load_split("generated", "train", limit=images)
        self.test_set = load_split("generated", "test", limit=tested)
        self.preprocessing = measure_preprocessing(self.train_set)
        self.device = device
        # Building, compiling and capturing are not for two threads at once.
        self.alone = Lock()

    def trainer(self, configuration: Configuration, folder: Path) -> Trainer:
        """A training at its first step."""
        torch.manual_seed(derived_seed(configuration.seed, "weights"))
        loops = (1, configuration.loops, configuration.loops)
        classes = len(self.train_set.classes)
        norm = configuration.norm if configuration.loops > 1 else "lvbn"
        network = create_model(NETWORK, classes, norm=norm, loops=loops)
        recipe = get_recipe(f"{NETWORK}_short")
        how = dataclasses.replace(recipe.training, lr=configuration.rate)
        recipe = dataclasses.replace(recipe, network=network.recipe, training=how)
        settings = Settings(
            folder, configuration.seed, configuration.epochs, self.device, save_seconds=1e9
        )
        return Trainer(network, recipe, self.train_set, self.test_set, self.preprocessing, settings)


def train(
    configuration: Configuration, lab: Laboratory, stop: Callable[[], bool] = lambda: False
) -> Result | None:
    """Train one configuration; None where it was stopped before its end."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        with lab.alone:
            trainer = lab.trainer(configuration, Path(folder))
            largest = _largest_gradient(trainer)
            trainer.prepare()
        curve = Curve()
        stream = None if trainer.fixed is None else trainer.fixed.stream
        with nullcontext() if stream is None else torch.cuda.stream(stream):
            largest.zero_()  # of what was tried before the capture
            try:
                found = trainer.run(curve, stop)
                if not found.finished:
                    return None
                error, sound = curve.measures[-1].error, True
                batch_error = _batch_error(trainer)
            except TrainingError:
                error, batch_error, sound = None, None, False
            norm = float(largest)
        device = device_name(trainer.device)
        del trainer
        with lab.alone:
            gc.collect()  # its graph holds memory of the GPU, and rings of references hold it
    above = bool(curve.losses) and curve.losses[-1] > math.log(len(lab.train_set.classes))
    return Result(
        outcome="not finite" if not sound else "above chance" if above else "trained",
        losses=tuple(round(loss, 5) for loss in curve.losses),
        error=error,
        batch_error=batch_error,
        largest_gradient=round(norm, 4),
        updates=curve.step,
        seconds=round(time.monotonic() - started, 2),
        device=device,
    )


class Curve:
    """A reporter that keeps every epoch's loss and measures, and the last step."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.measures: list[Measures] = []
        self.step = 0

    def on_step(self, progress: Progress) -> None:
        """After every update, or some of them."""
        self.step = progress.step

    def on_epoch(self, point: dict[str, Any], measures: Measures) -> None:
        """After every epoch."""
        self.losses.append(point["train_loss"])
        self.measures.append(measures)


def _largest_gradient(trainer: Trainer) -> Tensor:
    """() the largest norm of any update's gradient, kept on the device by the updates."""
    largest = torch.zeros((), device=trainer.device)
    parameters = list(trainer.network.parameters())

    def note(*_: object) -> None:
        found = [each.grad for each in parameters if each.grad is not None]
        norm = torch.nn.utils.get_total_norm(found).nan_to_num(0.0, posinf=0.0)
        # in place: a captured update does the same whenever it is replayed
        torch.maximum(largest, norm, out=largest)

    trainer.optimizer.register_step_pre_hook(note)
    return largest


def _batch_error(trainer: Trainer) -> float | None:
    network = trainer.network
    if not network.recursive_blocks():
        return None
    test = mixed(trainer.test_set)
    with unfused(network):
        forward = batch_normalised(network)
        return measure(network, test, trainer.preprocessing, BATCH, forward=forward).error


def grid(arguments: argparse.Namespace) -> Iterator[Configuration]:
    """All configurations, small networks first."""
    for loops, rate, seed, norm in product(
        arguments.loops, arguments.rates, arguments.seeds, arguments.norms
    ):
        if loops > 1 or norm == arguments.norms[0]:
            yield Configuration(
                norm if loops > 1 else "one loop",
                loops,
                rate,
                seed,
                arguments.epochs,
                arguments.images,
            )


def train_all(
    configurations: Sequence[Configuration],
    lab: Laboratory,
    record: Record,
    together: int,
    stop: Callable[[], bool],
) -> None:
    """Train what is not on record, some side by side."""

    def one(configuration: Configuration) -> None:
        result = None if stop() else train(configuration, lab, stop)
        if result is not None:
            record.add(configuration, result)
            print(f"{configuration}: {result}", flush=True)

    with ThreadPoolExecutor(together, thread_name_prefix="training") as threads:
        list(threads.map(one, configurations))


def main() -> None:
    """Train the grid."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--norms", nargs="+", default=list(NORMS), choices=NORMS)
    parser.add_argument("--loops", type=int, nargs="+", default=list(LOOPS))
    parser.add_argument("--rates", type=float, nargs="+", default=list(RATES))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--images", type=int, default=20_000, help="the first of the training set")
    parser.add_argument("--tested", type=int, help="the first of the test set; by default all")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--together", type=int, default=1, help="trainings side by side")
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="then stop, unfinished lost"
    )
    parser.add_argument("--threads", type=int, help="of the CPU")
    parser.add_argument("--out", type=Path, default=STABILITY)
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    end = time.monotonic() + 60 * arguments.minutes
    record = Record(arguments.out)
    waiting = [each for each in grid(arguments) if each not in record.found]
    lab = Laboratory(arguments.images, arguments.tested, arguments.device)
    train_all(waiting, lab, record, arguments.together, partial(_over, end))
    print(f"{len(record.found)} of them in {arguments.out}")


def _over(end: float) -> bool:
    return time.monotonic() > end


if __name__ == "__main__":
    main()
