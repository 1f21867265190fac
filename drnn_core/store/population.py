"""``population.json`` of a run: what its running statistics cost against those of batches.

Written by ``drnn population``; a sealed JSON file (``store/sealed.py``)::

    {"format": 1, "weights_sha256": ..., "dataset": ..., "data_fingerprint": ..., "images": 5000,
     "batch": 250, "kind": "naive",
     "population": {"error": 7.34, "loss": 0.22, "loops": 16.0},
     "batches": {"error": 7.7, "loss": 0.23, "loops": 16.0},
     "block": ["2.2", ...], "norm": ["norm1", ...], "loop": [0, ...],
     "mean_bias": [...], "variance_bias": [...], "variance_shift": [...], "sha256": ...}

The columns are those of ``batch_statistics`` in ``drnn_core/analysis/batch_statistics.py``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from drnn_core.store.fields import Fields
from drnn_core.store.recorded import recorded_otherwise
from drnn_core.store.sealed import SealError, is_as_written, read_sealed, write_sealed

POPULATION = "population.json"
FORMAT = 1
BIASES = ("mean_bias", "variance_bias", "variance_shift")


class PopulationError(ValueError):
    """A file that is missing, damaged or of something else; one sentence."""


@dataclass(frozen=True)
class Evaluated:
    """Of the test images: error in %, cross-entropy in nats (NaN: not finite), mean loops."""

    error: float
    loss: float
    loops: float


@dataclass(frozen=True)
class StoredPopulation:
    """Running statistics of a run against those of batches.

    Attributes:
        weights_sha256: of the network.
        dataset, data_fingerprint: of the test images.
        images, batch: how many, and how many of them together.
        kind: of the norms, as ``drnn_core/models/norm.py`` has them.
        population: evaluated with the running statistics, as everywhere.
        batches: evaluated with each batch's own in the recursive blocks.
        block, norm, loop: of each row of ``biases``; loops are 0-based.
        biases: each of ``BIASES``; None of a loop that hardly any image executes.
    """

    weights_sha256: str
    dataset: str
    data_fingerprint: str
    images: int
    batch: int
    kind: str
    population: Evaluated
    batches: Evaluated
    block: tuple[str, ...]
    norm: tuple[str, ...]
    loop: tuple[int, ...]
    biases: Mapping[str, tuple[float | None, ...]]


def has_population(run_folder: Path) -> bool:
    """Whether it was written (it may still be damaged)."""
    return (Path(run_folder) / POPULATION).is_file()


def write_population(run_folder: Path, stored: StoredPopulation) -> None:
    """Write ``population.json`` into a run, whole or not at all; an older one is replaced.

    Raises:
        ValueError: a number that is none.
        OSError: the file cannot be written.
    """
    values = asdict(stored)
    biases = values.pop("biases")
    for way in ("population", "batches"):
        loss = values[way]["loss"]
        values[way]["loss"] = loss if math.isfinite(loss) else None
    write_sealed(Path(run_folder) / POPULATION, {"format": FORMAT, **values, **biases})


def read_population(run_folder: Path) -> StoredPopulation:
    """Read what was measured of a run.

    Raises:
        PopulationError: there is nothing, or it is damaged.
    """
    path = Path(run_folder) / POPULATION
    if not path.is_file():
        raise PopulationError(
            f"expected {path}, found none; write it with: drnn population {run_folder} --data ..."
        )
    try:
        read = Fields(read_sealed(path), str(path), PopulationError)
    except SealError as error:
        raise PopulationError(str(error)) from error
    if (version := read.integer("format", least=1)) > FORMAT:
        raise PopulationError(
            f"{path}: expected format {FORMAT}, got {version}; a newer version of this program "
            "wrote the file: update to read it"
        )
    loops = [number for number in read.numbers_or_none("loop") if number is not None]
    stored = StoredPopulation(
        weights_sha256=read.text("weights_sha256"),
        dataset=read.text("dataset"),
        data_fingerprint=read.text("data_fingerprint"),
        images=read.integer("images", least=1),
        batch=read.integer("batch", least=1),
        kind=read.text("kind"),
        population=_evaluated(read.object("population")),
        batches=_evaluated(read.object("batches")),
        block=read.texts("block"),
        norm=read.texts("norm"),
        loop=tuple(int(loop) for loop in loops),
        biases={name: read.numbers_or_none(name) for name in BIASES},
    )
    columns = (stored.norm, stored.loop, *stored.biases.values())
    if any(len(column) != len(stored.block) for column in columns):
        raise PopulationError(f"{path}: expected columns of {len(stored.block)} values each")
    return stored


def population_problems(run_folder: Path, weights_sha256: str) -> list[str]:
    """What is wrong with the file of a run that has one, a sentence each."""
    try:
        stored = read_population(run_folder)
        sound = is_as_written(Path(run_folder) / POPULATION)
    except (PopulationError, SealError) as error:
        return [str(error)]
    problems: list[str] = []
    if stored.weights_sha256 != weights_sha256:
        problems.append(f"{POPULATION} is of other weights than the run's; write it anew")
    if other := recorded_otherwise(run_folder, stored.dataset, stored.data_fingerprint):
        problems.append(f"{POPULATION} {other}")
    if not sound:
        problems.append(f"{POPULATION} was reformatted or damaged after it was written")
    return problems


def _evaluated(read: Fields) -> Evaluated:
    loss = read.number_or_none("loss")
    loss = math.nan if loss is None else loss
    return Evaluated(read.number("error"), loss, read.number("loops"))
