"""The sample pictures in data_samples/: chosen, drawn, written and read.

``python -m drnn_core.data.samples [FOLDER]`` draws them anew. They are images of the test split
of ``generated`` at 128 x 128, so every one has its row in the records of the shipped runs.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from drnn_core.data.generated import (
    FACTORS,
    GENERATED_CLASSES,
    GENERATED_VERSION,
    GeneratedSet,
    render,
)
from drnn_core.data.generated.cache import write_whole

SAMPLE_SIZE = 128
MANIFEST = "manifest.json"

# Six pictures of each class, from about the easiest to about the hardest.
_QUANTILES = (0.01, 0.2, 0.4, 0.6, 0.8, 0.96)
# Of these factors, small values are the hard ones.
_FALLING = ("contrast", "scale")
_FORMAT = 1


class SamplesError(ValueError):
    """The sample folder is missing or damaged; the message says what and what to do."""


@dataclass(frozen=True)
class Sample:
    """One sample picture.

    Attributes:
        file: its name in the folder.
        seed: of the generator; ``render(seed)`` is the 32 x 32 image of the same scene.
        id: its name in the image set and in every record table.
        label: position among the classes.
        class_name: the same in words.
        difficulty: 0 (easiest of the test split) .. 1 (hardest), see ``difficulty``.
        factors: name -> value; units: see ``drnn_core.data.generated.Factors``.
        sha256: of the file's bytes.
    """

    file: str
    seed: int
    id: str
    label: int
    class_name: str
    difficulty: float
    factors: dict[str, float]
    sha256: str


def difficulty(columns: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float64]:
    """One number for all factors: the rank (0..1) of the sum of their squared ranks.

    Args:
        columns: each of ``FACTORS`` -> (N,).

    Returns:
        (N,) float64. No claim that a network agrees: the records tell that.
    """
    total = np.zeros(len(columns[FACTORS[0]]))
    for name in FACTORS:
        rank = _ranks(-columns[name] if name in _FALLING else columns[name])
        total += rank * rank
    return _ranks(total)


def _ranks(values: NDArray[Any]) -> NDArray[np.float64]:
    """Ranks in 0..1, equal values the same; the smallest is 0."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    below = np.cumsum(counts) - counts
    return below[place] / max(len(values) - 1, 1)


def choose(labels: NDArray[np.int64], hardness: NDArray[np.float64]) -> list[int]:
    """Positions of the samples: for each class, images at fixed quantiles of difficulty.

    Args:
        labels: (N,) int64.
        hardness: (N,), for example ``difficulty(columns)``.

    Returns:
        Class by class, from easy to hard.
    """
    chosen: list[int] = []
    for label in range(len(GENERATED_CLASSES)):
        own = np.flatnonzero(labels == label)
        own = own[np.argsort(hardness[own], kind="stable")]
        chosen += [int(own[int(quantile * (len(own) - 1))]) for quantile in _QUANTILES]
    return chosen


def png_bytes(pixels: NDArray[np.uint8]) -> bytes:
    """An (H, W, 3) uint8 picture as a small PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def build(folder: Path, images: GeneratedSet | None = None) -> list[Sample]:
    """Draw the samples and write them and their manifest.

    Args:
        folder: for pictures and manifest.
        images: the set to choose from; by default the whole test split.

    Raises:
        OSError: no space, no permission.
    """
    images = GeneratedSet("test") if images is None else images
    hardness = difficulty(images.columns)
    samples: list[Sample] = []
    for place, index in enumerate(choose(images.labels, hardness)):
        seed = int(images.seeds[index])
        rendered = render(seed, SAMPLE_SIZE)
        name = GENERATED_CLASSES[rendered.label]
        data = png_bytes(rendered.image)
        file = f"{name}-{place % len(_QUANTILES) + 1}.png"
        write_whole(folder / file, data)
        samples.append(
            Sample(
                file=file,
                seed=seed,
                id=images.ids[index],
                label=rendered.label,
                class_name=name,
                difficulty=round(float(hardness[index]), 4),
                factors={key: round(value, 6) for key, value in rendered.factors.items()},
                sha256=hashlib.sha256(data).hexdigest(),
            )
        )
    write_whole(folder / MANIFEST, manifest_bytes(samples))
    return samples


def manifest_bytes(samples: Sequence[Sample]) -> bytes:
    """The manifest as readable JSON."""
    value = {
        "format": _FORMAT,
        "generator": "generated",
        "generator_version": GENERATED_VERSION,
        "split": "test",
        "size": SAMPLE_SIZE,
        "classes": list(GENERATED_CLASSES),
        "samples": [asdict(sample) for sample in samples],
    }
    return (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_samples(folder: Path, check_files: bool = False) -> list[Sample]:
    """The samples of a folder, in the manifest's order.

    Args:
        folder: as ``build`` wrote it.
        check_files: also compare every picture with its hash.

    Raises:
        SamplesError: no manifest, one that is damaged or of another format, or a picture that
            is missing or changed.
    """
    path = folder / MANIFEST
    try:
        value: Any = json.loads(path.read_bytes())
        if value["format"] != _FORMAT:
            raise SamplesError(
                f"expected samples of format {_FORMAT} in {path}, got {value['format']!r}"
            )
        samples = [_sample(entry) for entry in value["samples"]]
    except OSError as error:
        raise SamplesError(
            f"cannot read {path} ({error.strerror}); `make samples` draws the samples anew"
        ) from error
    except SamplesError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise SamplesError(
            f"{path} is damaged; `make samples` draws the samples anew ({error})"
        ) from error
    if check_files:
        for sample in samples:
            _check(folder, sample)
    return samples


def _sample(entry: Any) -> Sample:
    file = str(entry["file"])
    # a manifest names files beside it, never a way out of the folder
    if Path(file).name != file or "\\" in file or file in {"", ".", ".."}:
        raise SamplesError(f"expected a plain file name in the sample manifest, got {file!r}")
    factors: Any = entry["factors"]
    return Sample(
        file=file,
        seed=int(entry["seed"]),
        id=str(entry["id"]),
        label=int(entry["label"]),
        class_name=str(entry["class_name"]),
        difficulty=float(entry["difficulty"]),
        factors={name: float(factors[name]) for name in FACTORS},
        sha256=str(entry["sha256"]),
    )


def _check(folder: Path, sample: Sample) -> None:
    try:
        found = hashlib.sha256((folder / sample.file).read_bytes()).hexdigest()
    except OSError as error:
        raise SamplesError(
            f"cannot read the sample {sample.file} ({error.strerror}); "
            "`make samples` draws the samples anew"
        ) from error
    if found != sample.sha256:
        raise SamplesError(
            f"the sample {sample.file} is not what its manifest says; "
            "`make samples` draws the samples anew"
        )


def main(arguments: Sequence[str]) -> int:
    """Draw the samples into the folder named, by default data_samples/."""
    folder = Path(arguments[0]) if arguments else Path("data_samples")
    samples = build(folder)
    total = sum((folder / sample.file).stat().st_size for sample in samples)
    sys.stdout.write(f"{len(samples)} sample pictures in {folder}, {total / 1e6:.2f} MB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
