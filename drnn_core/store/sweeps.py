"""Sweeps kept in a run: ``sweeps/FACTOR.json``, what ``drnn sweep RUN ... --keep`` found.

A sealed JSON file (``store/sealed.py``) for each factor, of some of the run's test images; a few
kilobytes, so that a run may be passed on with them::

    {"format": 1, "factor": "blur", "unit": "px of 32", "weights_sha256": ..., "dataset": ...,
     "data_fingerprint": ..., "images": 500, "seed": 0, "level": 0.95,
     "points": [{"strength": 0.0, "value": 0.0, "loops": [6.1, 5.9, 6.3], "confidence": [...],
                 "error": [...], "flipped": [...]}, ...], "sha256": ...}

Each measure is [mean, low, high].
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from drnn_core.store.fields import Fields
from drnn_core.store.files import is_temporary
from drnn_core.store.recorded import recorded_otherwise
from drnn_core.store.sealed import SealError, is_as_written, read_sealed, write_sealed

SWEEPS = "sweeps"
FORMAT = 1

_DIGITS = 5
_MOST_POINTS = 1000

# A mean, and the interval about it.
Ranged = tuple[float, float, float]


class SweepError(ValueError):
    """A kept sweep that is missing, damaged or of something else; one sentence."""


@dataclass(frozen=True)
class KeptPoint:
    """One strength, 0 to 5, and the value in the factor's unit.

    Attributes:
        loops, confidence: means over the images.
        error: in %.
        flipped: % of the images that are answered otherwise than at the first strength.
    """

    strength: float
    value: float
    loops: Ranged
    confidence: Ranged
    error: Ranged
    flipped: Ranged


@dataclass(frozen=True)
class KeptSweep:
    """A sweep of some images of a set.

    Attributes:
        factor, unit: of the corruption.
        weights_sha256: of the network.
        dataset, data_fingerprint: of the image set.
        images: how many, at even distances in the test set.
        seed: of the corruption.
        level: of the intervals.
        points: by strength.
    """

    factor: str
    unit: str
    weights_sha256: str
    dataset: str
    data_fingerprint: str
    images: int
    seed: int
    level: float
    points: tuple[KeptPoint, ...]


def kept_sweeps(run_folder: Path) -> list[str]:
    """The factors of which a run keeps a sweep, in the order of the alphabet."""
    return sorted(path.stem for path in (Path(run_folder) / SWEEPS).glob("*.json"))


def sweep_path(run_folder: Path, factor: str) -> Path:
    """Where a run keeps the sweep of a factor."""
    return Path(run_folder) / SWEEPS / f"{factor}.json"


def write_sweep(run_folder: Path, kept: KeptSweep) -> None:
    """Keep a sweep in its run, in the place of an older one of the same factor.

    Raises:
        ValueError: a number that is none.
        OSError: the file cannot be written.
    """
    values = cast(dict[str, Any], _rounded({"format": FORMAT, **asdict(kept)}))
    write_sealed(sweep_path(run_folder, kept.factor), values)


def read_sweep(run_folder: Path, factor: str) -> KeptSweep:
    """Read the sweep of a factor.

    Raises:
        SweepError: there is none, or it is damaged.
    """
    path = sweep_path(run_folder, factor)
    if not path.is_file():
        raise SweepError(
            f"expected a sweep in {path}, found none; write it with: drnn sweep {run_folder} "
            f"--data ... --factor {factor} --keep"
        )
    try:
        read = Fields(read_sealed(path), str(path), SweepError)
    except SealError as error:
        raise SweepError(str(error)) from error
    if (version := read.integer("format", least=1)) > FORMAT:
        raise SweepError(
            f"{path}: expected format {FORMAT}, got {version}; a newer version of this program "
            "wrote the sweep: update to read it"
        )
    if read.text("factor") != factor:
        raise SweepError(f"{path}: expected a sweep of {factor}, got one of {read.text('factor')}")
    points = read.objects("points")
    if not 1 <= len(points) <= _MOST_POINTS:
        raise SweepError(f"{path}: expected 1 to {_MOST_POINTS} points, got {len(points)}")
    return KeptSweep(
        factor,
        read.text("unit"),
        read.text("weights_sha256"),
        read.text("dataset"),
        read.text("data_fingerprint"),
        read.integer("images", least=1),
        read.integer("seed", least=0),
        read.number("level"),
        tuple(_point(point) for point in points),
    )


def sweep_problems(run_folder: Path, weights_sha256: str) -> list[tuple[str, str]]:
    """What is wrong with the sweeps that a run keeps: (file, relative to the run; a sentence)."""
    problems: list[tuple[str, str]] = []
    for path in sorted((Path(run_folder) / SWEEPS).glob("*")):
        name = f"{SWEEPS}/{path.name}"
        if is_temporary(path):
            continue
        if path.suffix != ".json":
            problems.append((name, f"{name} is no sweep"))
            continue
        try:
            kept, sound = read_sweep(run_folder, path.stem), is_as_written(path)
        except (SweepError, SealError) as error:
            problems.append((name, str(error)))
            continue
        if kept.weights_sha256 != weights_sha256:
            problems.append((name, "the sweep is of other weights than the run's; write it anew"))
        elif other := recorded_otherwise(run_folder, kept.dataset, kept.data_fingerprint):
            problems.append((name, f"the sweep {other}"))
        elif not sound:
            problems.append((name, f"{name} was reformatted or damaged after it was written"))
    return problems


def _point(read: Fields) -> KeptPoint:
    return KeptPoint(
        read.number("strength"),
        read.number("value"),
        _ranged(read, "loops"),
        _ranged(read, "confidence"),
        _ranged(read, "error"),
        _ranged(read, "flipped"),
    )


def _ranged(read: Fields, key: str) -> Ranged:
    numbers = [number for number in read.numbers_or_none(key) if number is not None]
    if len(numbers) != 3:
        raise read.error(f"{read.where}: expected {key!r} to be a mean, its low and its high end")
    return numbers[0], numbers[1], numbers[2]


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, _DIGITS)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in cast(dict[str, object], value).items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in cast(list[object], value)]
    return value
