"""Loops, confidence and error along one corruption, image by image.

The same images pass at every strength, so that what changes is the strength alone: intervals are
of differences within images, which are much narrower than those between images.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from drnn_core.analysis.bootstrap import Estimate, mean_estimate
from drnn_core.analysis.corruptions import CORRUPTIONS, corrupt
from drnn_core.data.sets import ImageSet, Indices, as_picture, fingerprint_of
from drnn_core.data.transforms import Preprocessing
from drnn_core.evaluation import outputs
from drnn_core.models.network import Network

STRENGTHS: tuple[float, ...] = (0, 1, 2, 3, 4, 5)


class CorruptedSet:
    """Some images of a set, corrupted; an ``ImageSet``.

    Args:
        parent: the images as they are.
        keep: (N,) which of them.
        name, strength, seed: see ``corrupt``; chance goes by the position in ``parent``.
    """

    def __init__(
        self, parent: ImageSet, keep: NDArray[np.int64], name: str, strength: float, seed: int = 0
    ) -> None:
        self.parent = parent
        self.keep = keep
        self.name = f"{parent.name}, {name} {strength:g}"
        self.classes = parent.classes
        self.ids: Sequence[str] = [parent.ids[int(index)] for index in keep]
        self.labels = parent.labels[keep]
        parts = [parent.fingerprint, name, repr(float(strength)), str(seed)]
        self.fingerprint = fingerprint_of([*(part.encode() for part in parts), keep.tobytes()])
        self._how = (name, strength, seed)

    @property
    def columns(self) -> dict[str, NDArray[np.float32]]:
        """None: what is known of the pictures as they were need not hold of these."""
        return {}

    def __len__(self) -> int:
        """N."""
        return len(self.keep)

    def images(self, indices: Indices) -> Tensor:
        """See ``ImageSet``."""
        there = self.keep[np.asarray(indices, dtype=np.int64)]
        name, strength, seed = self._how
        return corrupt(self.parent.images(there), name, strength, there, seed)

    def picture(self, index: int) -> Image.Image:
        """See ``ImageSet``."""
        return as_picture(self.images([index])[0])

    def masks(self, indices: Indices) -> None:
        """None: the object may have moved, or lie under a box."""
        del indices


@dataclass(frozen=True)
class Swept:
    """What a network made of N images at P strengths.

    Attributes:
        factor: name of the corruption.
        unit: of its values.
        strengths, values: (P,) as asked for, and in the unit.
        ids: (N,) of the images.
        loops: (P, N) executed.
        confidence: (P, N) probability of the predicted class.
        correct: (P, N) bool.
    """

    factor: str
    unit: str
    strengths: tuple[float, ...]
    values: tuple[float, ...]
    ids: tuple[str, ...]
    loops: NDArray[np.int64]
    confidence: NDArray[np.float64]
    correct: NDArray[np.bool_]


@dataclass(frozen=True)
class SweepPoint:
    """One strength: means over images with intervals, and changes against the first strength.

    ``error`` is in %, ``error_change`` in points; changes are of the same images.
    """

    strength: float
    value: float
    loops: Estimate
    confidence: Estimate
    error: Estimate
    loops_change: Estimate
    confidence_change: Estimate
    error_change: Estimate


@dataclass(frozen=True)
class Sweep:
    """A summary of ``Swept``.

    Attributes:
        factor, unit: of the corruption.
        n: images.
        points: one a strength.
        slope: loops that one step of strength adds, by a straight line through each image's
            loops; mean over images. NaN of one strength.
    """

    factor: str
    unit: str
    n: int
    points: tuple[SweepPoint, ...]
    slope: Estimate


def spread_sample(count: int, limit: int | None) -> NDArray[np.int64]:
    """Positions of ``limit`` images of ``count`` at even distances, all of them if there are fewer.

    A folder of images is in the order of its classes, whose first images are all of one class.

    Raises:
        ValueError: a limit below 1.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"expected a limit of at least 1 image, got {limit}")
    if limit is None or limit >= count:
        return np.arange(count, dtype=np.int64)
    return np.linspace(0, count - 1, limit).round().astype(np.int64)


def values_at(factor: str, strengths: Sequence[float]) -> tuple[float, ...]:
    """The corruption's value at each strength, in its unit.

    Raises:
        ValueError: no such corruption, no strength, or one out of 0 to 5.
    """
    if factor not in CORRUPTIONS:
        raise ValueError(
            f"no corruption is called {factor!r}; expected one of: {', '.join(CORRUPTIONS)}"
        )
    if not strengths:
        raise ValueError("expected at least one strength, got none")
    return tuple(CORRUPTIONS[factor].value_at(strength) for strength in strengths)


def sweep(
    network: Network,
    images: ImageSet,
    preprocessing: Preprocessing,
    factor: str,
    strengths: Sequence[float] = STRENGTHS,
    limit: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Swept:
    """Classify images under one corruption at several strengths.

    Args:
        network: in any mode; run in evaluation.
        images: at the size that the network sees.
        preprocessing: of the run.
        factor: name of a corruption.
        strengths: 0 to 5 each; differences are against the first.
        limit: of images, at even distances; by default all.
        seed: of the corruption.
        progress: called with (done, total) passes of images.

    Raises:
        ValueError: no such corruption, no strength or one out of range, or no image.
    """
    values = values_at(factor, strengths)
    keep = spread_sample(len(images), limit)
    if not len(keep):
        raise ValueError(f"expected at least one image to corrupt, {images.name} has none")
    loops = np.zeros((len(strengths), len(keep)), dtype=np.int64)
    confidence = np.zeros(loops.shape)
    correct = np.zeros(loops.shape, dtype=bool)
    for point, strength in enumerate(strengths):
        changed = CorruptedSet(images, keep, factor, strength, seed)
        for part in outputs(network, changed, preprocessing):
            there = slice(part.first, part.first + len(part.labels))
            highest = part.output.logits.double().softmax(dim=1).max(dim=1)
            loops[point, there] = part.output.trace.loops.cpu().numpy()
            confidence[point, there] = highest.values.cpu().numpy()
            correct[point, there] = torch.eq(highest.indices, part.labels).cpu().numpy()
            if progress:
                progress(point * len(keep) + there.stop, loops.size)
    return Swept(
        factor,
        CORRUPTIONS[factor].unit,
        tuple(float(strength) for strength in strengths),
        values,
        tuple(images.ids[int(index)] for index in keep),
        loops,
        confidence,
        correct,
    )


def summarise(swept: Swept, level: float = 0.95, resamples: int = 1000, seed: int = 0) -> Sweep:
    """Means over images with bootstrap intervals; every figure resamples the same images."""

    def mean(values: NDArray[np.float64]) -> Estimate:
        return mean_estimate(values, level, resamples, seed)

    error = 100.0 * ~swept.correct
    loops = swept.loops.astype(np.float64)
    points = tuple(
        SweepPoint(
            strength,
            swept.values[point],
            mean(loops[point]),
            mean(swept.confidence[point]),
            mean(error[point]),
            mean(loops[point] - loops[0]),
            mean(swept.confidence[point] - swept.confidence[0]),
            mean(error[point] - error[0]),
        )
        for point, strength in enumerate(swept.strengths)
    )
    steps = np.asarray(swept.strengths) - np.mean(swept.strengths)
    squares = float(steps @ steps)
    slopes = (steps @ loops) / squares if squares > 0 else np.full(loops.shape[1], math.nan)
    return Sweep(swept.factor, swept.unit, loops.shape[1], points, mean(slopes))
