"""``drnn population``: what the running statistics of a run cost against those of batches."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from drnn_core.commands.console import emit
from drnn_core.commands.device import check_device
from drnn_core.commands.evaluate import check_classes

if TYPE_CHECKING:
    import pandas as pd

    from drnn_core.data.sets import ImageSet
    from drnn_core.data.transforms import Preprocessing
    from drnn_core.evaluation import Measures
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
        device: cpu or cuda.
        json: print what was found as JSON.
    """

    run_folder: tyro.conf.Positional[tuple[Path, ...]]
    data: str
    batch: int = 250
    limit: int = 0
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
            stored = measure_population(folder, images, self.batch, self.limit, self.device)
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


def measure_population(
    run_folder: Path, images: ImageSet, batch: int = 250, limit: int = 0, device: str = "cpu"
) -> StoredPopulation:
    """Evaluate a run on its test images in both ways.

    Args:
        run_folder: of the run.
        images: in any order; they are mixed. Those of its records, if it has some.
        batch: images normalised together; a smaller last batch is evaluated by itself, and left out
            of the biases.
        limit: so many images, at even distances; 0 for all.
        device: to compute on.

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
    normal = measure(network, test, info.preprocessing, batch)
    by_batch = measure(network, test, info.preprocessing, batch, forward=batch_normalised(network))
    biases = _biases(network, test, info.preprocessing, batch)
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


def _biases(
    network: Network, images: ImageSet, preprocessing: Preprocessing, batch: int
) -> pd.DataFrame:
    """See ``batch_statistics``; of whole batches, since its means count all batches alike."""
    from drnn_core.analysis.batch_statistics import batch_statistics

    device = next(network.parameters()).device
    return batch_statistics(
        network,
        (
            preprocessing.normalise(images.images(range(first, first + batch)).to(device))
            for first in range(0, len(images) - batch + 1, batch)
        ),
    )


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
