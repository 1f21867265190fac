"""``drnn population``: what the running statistics of a run cost against those of batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from drnn_core.commands.console import emit, progress_bar
from drnn_core.commands.device import check_device
from drnn_core.commands.evaluate import check_classes
from drnn_core.commands.replacing import check_replaced

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from drnn_core.data.sets import ImageSet
    from drnn_core.data.transforms import Preprocessing
    from drnn_core.evaluation import Measures, Progress
    from drnn_core.models.network import Network
    from drnn_core.store.population import Evaluated, StoredPopulation


@dataclass(frozen=True)
class Population:
    """Evaluate runs with running statistics and with those of each batch in recursive blocks.

    The two errors, and how far each loop's running statistics are off, are kept with the run.

    Args:
        run_folder: of a run, one or more, of one data set.
        data: "generated", or the folder of images that was recorded.
        batch: images normalised together; a smaller last batch is evaluated by itself, and left out
            where the loops' statistics are compared.
        limit: images, taken at even distances; 0 for all.
        replace: figures of more images that a run holds, by those of fewer.
        device: cpu or cuda.
        json: print what was found as JSON.
    """

    run_folder: tyro.conf.Positional[tuple[Path, ...]]
    data: str
    batch: int = 250
    limit: int = 0
    replace: bool = False
    device: Literal["cpu", "cuda"] = "cpu"
    json: bool = False

    def run(self) -> int:
        """Measure, keep and print."""
        from drnn_core.data.datasets import load_split
        from drnn_core.store.population import write_population
        from drnn_core.store.runs import read_run

        self._check()
        found: list[dict[str, object]] = []
        loaded: tuple[Preprocessing, ImageSet] | None = None
        for folder in self.run_folder:
            info = read_run(folder)
            sizing = info.preprocessing
            # runs of one data set may still see its pictures at different sizes
            if loaded is None or loaded[0].sizing != sizing.sizing:
                loaded = sizing, load_split(self.data, "test", sizing.image_size, sizing=sizing)
            images = loaded[1]
            check_classes(info, images.classes, self.data)
            if not (found or self.replace):  # before the first of the runs is measured
                self._check_replaced(len(images))
            with progress_bar("images, three times") as progress:
                stored = measure_population(
                    folder, images, self.batch, self.limit, self.device, progress
                )
            write_population(folder, stored)
            found.append({"run": str(folder), **asdict(stored)})
            if not self.json:
                _print(folder, stored)
        if self.json:
            emit(found[0] if len(found) == 1 else found)
        return 0

    def _check(self) -> None:
        if not self.run_folder:
            raise ValueError("expected the folder of a run")
        if self.batch < 2 or self.limit < 0:
            raise ValueError(
                f"expected a --batch of 2 or more and a --limit of 0 or more, got {self.batch} "
                f"and {self.limit}"
            )
        check_device(self.device)

    def _check_replaced(self, images: int) -> None:
        from drnn_core.store.population import PopulationError, read_population
        from drnn_core.store.runs import read_run

        count = min(self.limit or images, images)
        for folder in self.run_folder:
            try:
                there = read_population(folder)
            except PopulationError:
                continue  # none, or none that can be read any more
            if there.weights_sha256 == read_run(folder).weights_sha256:
                check_replaced(f"{folder} holds figures of population", there.images, count)


def measure_population(
    run_folder: Path,
    images: ImageSet,
    batch: int = 250,
    limit: int = 0,
    device: str = "cpu",
    progress: Progress | None = None,
) -> StoredPopulation:
    """Evaluate a run on its test images in both ways.

    Args:
        run_folder: of the run.
        images: in any order; they are mixed. Those of its records, if it has some.
        batch: images normalised together; a smaller last batch is evaluated by itself, and left out
            of the biases.
        limit: so many images, at even distances; 0 for all.
        device: to compute on.
        progress: called with (done, total) images of all three passes.

    Raises:
        RunError: the run is missing or damaged.
        RecordsError: its records are of other images.
        ValueError: no recursive blocks with BatchNorm, or fewer images than a batch.
    """
    from drnn_core.analysis.batch_statistics import batch_normalised, mixed
    from drnn_core.analysis.norm_statistics import has_loop_norms
    from drnn_core.evaluation import measure
    from drnn_core.store.gradients import finite
    from drnn_core.store.population import BIASES, StoredPopulation
    from drnn_core.store.recorded import check_recorded
    from drnn_core.store.runs import load_network

    network, info = load_network(run_folder)
    if not has_loop_norms(network):
        raise ValueError(
            f"{run_folder} has no recursive blocks with BatchNorm, so there is nothing to measure"
        )
    check_recorded(run_folder, images)
    test = mixed(images, limit)
    if batch > len(test):
        raise ValueError(
            f"expected a --batch of at most the {len(test):,} images that are measured, got "
            f"{batch:,}; take a smaller one, or more images"
        )
    network.to(device)
    sizing, count = info.preprocessing, len(test)
    ticks = [
        _tick(progress, first * count, 2 * count + count // batch * batch) for first in range(3)
    ]
    normal = measure(network, test, sizing, batch, ticks[0])
    by_batch = measure(network, test, sizing, batch, ticks[1], forward=batch_normalised(network))
    biases = _biases(network, test, sizing, batch, ticks[2])
    return StoredPopulation(
        info.weights_sha256,
        images.name,
        images.fingerprint,
        len(test),
        batch,
        network.recipe.norm,
        _evaluated(normal),
        _evaluated(by_batch),
        tuple(biases["block"]),
        tuple(biases["norm"]),
        tuple(int(loop) for loop in biases["loop"]),
        {name: tuple(finite(value) for value in biases[name]) for name in BIASES},
    )


def _tick(progress: Progress | None, before: int, total: int) -> Progress:
    """Tells of one pass as of a part of all; ``before`` are the images of those that are done."""

    def tick(done: int, _: int) -> None:
        if progress:
            progress(before + done, total)

    return tick


def _biases(
    network: Network, images: ImageSet, preprocessing: Preprocessing, batch: int, tick: Progress
) -> pd.DataFrame:
    """See ``batch_statistics``; of whole batches, since its means count all batches alike."""
    from drnn_core.analysis.batch_statistics import batch_statistics

    device = next(network.parameters()).device
    whole = len(images) // batch * batch

    def batches() -> Iterator[Tensor]:
        for first in range(0, whole, batch):
            yield preprocessing.normalise(images.images(range(first, first + batch)).to(device))
            tick(first + batch, whole)  # asked for the next, the network is through with these

    return batch_statistics(network, batches())


def _evaluated(measures: Measures) -> Evaluated:
    from drnn_core.store.population import Evaluated

    return Evaluated(measures.error, measures.loss, measures.loops_mean)


def _print(run_folder: Path, stored: StoredPopulation) -> None:
    print(f"{run_folder}: {stored.images:,} images of {stored.dataset}, norms: {stored.kind}")
    ways = (
        ("running statistics", stored.population),
        (f"batches of {stored.batch}", stored.batches),
    )
    for name, found in ways:
        print(
            f"  {name:20s} error {found.error:6.2f} %   loss {found.loss:.4f}   "
            f"loops {found.loops:.2f}"
        )
    for name, values in stored.biases.items():
        known = [value for value in values if value is not None]
        if known:
            mean, largest = sum(known) / len(known), max(known, key=abs)
            print(f"  {name:20s} mean {mean:.3f}   largest {largest:.3f}")
