"""``gradients.json`` of a run: the gradient in each loop at some epochs of its training.

Written by ``drnn train --gradients`` while the run trains; a sealed JSON file
(``store/sealed.py``) of a few kilobytes::

    {"format": 1, "recipe": ..., "seed": 0, "dataset": ..., "data_fingerprint": ..., "images": 128,
     "block": ["2.2", ...], "conv": ["conv1", ...], "loop": [0, ...],
     "points": [{"epoch": 0, "loss": 2.4, "grad_norm": ..., "affine_grad_norm": ...,
                 "columns": {"grad_norm": [...], "input_grad_norm": [...], ...}}, ...],
     "sha256": ...}

``block``, ``conv`` and ``loop`` say of which convolution and loop the numbers of every column are.
What the columns mean says ``LoopGradient`` in ``drnn_core/analysis/gradient_norms.py``. A number
that is not finite, as of a training that diverged, is null.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd

from drnn_core.layout import BlockLayout
from drnn_core.store.fields import Fields
from drnn_core.store.runinfo import RunInfo
from drnn_core.store.sealed import SealError, is_as_written, read_sealed, write_sealed

GRADIENTS = "gradients.json"
FORMAT = 1
# Columns, one number each for every convolution and loop.
COLUMNS = ("grad_norm", "whole_grad_norm", "weight_norm", "input_grad_norm", "output_grad_norm")

_DIGITS = 5
_MOST_POINTS = 10_000

Numbers = tuple[float | None, ...]


class GradientsError(ValueError):
    """Gradients that are missing, damaged or of something else; one sentence."""


@dataclass(frozen=True)
class GradientPlace:
    """A convolution of a block in a loop (0-based)."""

    block: str
    conv: str
    loop: int


@dataclass(frozen=True)
class GradientPoint:
    """What was measured after an epoch; 0 is before training.

    Attributes:
        epoch: counted from 1.
        loss, grad_norm, affine_grad_norm: of the batch, as in ``Gradients``; None where not finite.
        columns: each of ``COLUMNS``, a number for each place.
    """

    epoch: int
    loss: float | None
    grad_norm: float | None
    affine_grad_norm: float | None
    columns: Mapping[str, Numbers]


@dataclass(frozen=True)
class StoredGradients:
    """The gradients of one batch along a training.

    Attributes:
        recipe, seed: of the training.
        dataset, data_fingerprint: of the training set.
        images: of the batch, at even distances in the training set, as they are.
        places: in the order of execution.
        points: by epoch.
    """

    recipe: str
    seed: int
    dataset: str
    data_fingerprint: str
    images: int
    places: tuple[GradientPlace, ...]
    points: tuple[GradientPoint, ...]

    def table(self) -> pd.DataFrame:
        """A row for each epoch, block, convolution and loop; NaN where a number is not finite."""
        place = pd.DataFrame([asdict(each) for each in self.places], columns=_PLACE)
        parts: list[pd.DataFrame] = []
        for point in self.points:
            # None becomes NaN
            numbers = pd.DataFrame({name: point.columns[name] for name in COLUMNS}, dtype="float64")
            part = pd.concat([place, numbers], axis="columns")
            part.insert(0, "epoch", point.epoch)
            parts.append(part)
        return pd.concat(parts, ignore_index=True)


_PLACE = ["block", "conv", "loop"]


def finite(value: float) -> float | None:
    """A number as it is stored: five significant digits, None where it is not finite."""
    return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None


def has_gradients(run_folder: Path) -> bool:
    """Whether gradients were written (they may still be damaged)."""
    return (Path(run_folder) / GRADIENTS).is_file()


def write_gradients(run_folder: Path, stored: StoredGradients) -> None:
    """Write ``gradients.json`` into a run's folder, whole or not at all; an older one is replaced.

    Raises:
        OSError: the file cannot be written.
    """
    values = asdict(stored)
    places: list[dict[str, Any]] = values.pop("places")
    points: list[dict[str, Any]] = values.pop("points")
    listed = {key: [place[key] for place in places] for key in _PLACE}
    write_sealed(
        Path(run_folder) / GRADIENTS, {"format": FORMAT, **values, **listed, "points": points}
    )


def read_gradients(run_folder: Path) -> StoredGradients:
    """Read the gradients of a run.

    Raises:
        GradientsError: there are none, or they are damaged.
    """
    path = Path(run_folder) / GRADIENTS
    if not path.is_file():
        raise GradientsError(
            f"expected gradients in {path}, found none; they are written during a training, by: "
            "drnn train ... --gradients"
        )
    try:
        read = Fields(read_sealed(path), str(path), GradientsError)
    except SealError as error:
        raise GradientsError(str(error)) from error
    if (version := read.integer("format", least=1)) > FORMAT:
        raise GradientsError(
            f"{path}: expected format {FORMAT}, got {version}; a newer version of this program "
            "wrote the gradients: update to read them"
        )
    places = _places(read)
    points = read.objects("points")
    if not 1 <= len(points) <= _MOST_POINTS:
        raise GradientsError(f"{path}: expected 1 to {_MOST_POINTS} points, got {len(points)}")
    found = tuple(_point(point, len(places)) for point in points)
    if any(first.epoch >= second.epoch for first, second in pairwise(found)):
        raise GradientsError(f"{path}: expected points in the order of their epochs")
    return StoredGradients(
        recipe=read.text("recipe"),
        seed=read.integer("seed", least=0),
        dataset=read.text("dataset"),
        data_fingerprint=read.text("data_fingerprint"),
        images=read.integer("images", least=1),
        places=places,
        points=found,
    )


def gradient_problems(
    run_folder: Path, info: RunInfo, layout: Sequence[BlockLayout] | None
) -> list[str]:
    """What is wrong with the gradients of a run that has some, a sentence each.

    Args:
        run_folder: of the run.
        info: its run.json.
        layout: the network's recursive blocks; None where it could not be built.
    """
    try:
        stored = read_gradients(run_folder)
        sound = is_as_written(Path(run_folder) / GRADIENTS)
    except (GradientsError, SealError) as error:
        return [str(error)]
    problems: list[str] = []
    own = (info.recipe_name, info.seed, info.data_fingerprint)
    if (stored.recipe, stored.seed, stored.data_fingerprint) != own:
        problems.append(
            f"the gradients are of another training ({stored.recipe}, seed {stored.seed}, "
            f"{stored.dataset}) than the run's ({info.recipe_name}, seed {info.seed}, "
            f"{info.dataset}); delete {GRADIENTS}"
        )
    if stored.points[-1].epoch > info.epochs:
        problems.append(f"the gradients go beyond the run's {info.epochs} epochs")
    loops = {(place.block, place.loop) for place in stored.places}
    if layout is not None and loops != {(b.name, loop) for b in layout for loop in range(b.loops)}:
        problems.append("the gradients are of other blocks and loops than the network has")
    if not sound:
        problems.append(f"{GRADIENTS} was reformatted or damaged after it was written")
    return problems


def _places(read: Fields) -> tuple[GradientPlace, ...]:
    blocks, convs, loops = read.texts("block"), read.texts("conv"), read.numbers_or_none("loop")
    if not len(blocks) == len(convs) == len(loops):
        raise read.error(f"{read.where}: expected as many blocks as convolutions and loops")
    places: list[GradientPlace] = []
    for block, conv, loop in zip(blocks, convs, loops, strict=True):
        if loop is None or loop < 0 or loop != int(loop):
            raise read.error(f"{read.where}: expected loops counted from 0, got {loop}")
        places.append(GradientPlace(block, conv, int(loop)))
    return tuple(places)


def _point(read: Fields, places: int) -> GradientPoint:
    columns = read.object("columns")
    found = {name: columns.numbers_or_none(name) for name in COLUMNS}
    for name, numbers in found.items():
        if len(numbers) != places:
            raise read.error(
                f"{columns.where}: expected {places} numbers in {name!r}, got {len(numbers)}"
            )
        if any(number is not None and number < 0 for number in numbers):
            raise read.error(f"{columns.where}: expected norms in {name!r}, got one below 0")
    return GradientPoint(
        read.integer("epoch", least=0),
        read.number_or_none("loss"),
        read.number_or_none("grad_norm"),
        read.number_or_none("affine_grad_norm"),
        found,
    )
