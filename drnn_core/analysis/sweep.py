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

from drnn_core.analysis.bootstrap import Estimate, mean_estimate
from drnn_core.analysis.corrupted import CorruptedSet
from drnn_core.analysis.corruptions import CORRUPTIONS
from drnn_core.analysis.sampling import spread_sample
from drnn_core.data.sets import ImageSet
from drnn_core.data.transforms import Preprocessing
from drnn_core.evaluation import Forward, outputs
from drnn_core.models.network import Network

STRENGTHS: tuple[float, ...] = (0, 1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Passes:
    """How images pass through the network.

    Attributes:
        progress: called with (done, total) passes of images; what it raises ends the sweep.
        forward, batch: of ``evaluation.outputs``.
    """

    progress: Callable[[int, int], None] | None = None
    forward: Forward | None = None
    batch: int = 250


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
        predictions: (P, N) classes.
    """

    factor: str
    unit: str
    strengths: tuple[float, ...]
    values: tuple[float, ...]
    ids: tuple[str, ...]
    loops: NDArray[np.int64]
    confidence: NDArray[np.float64]
    correct: NDArray[np.bool_]
    predictions: NDArray[np.int64]


@dataclass(frozen=True)
class SweepPoint:
    """One strength: means over images with intervals, and changes against the first strength.

    ``error`` is in %, ``error_change`` in points; changes are of the same images. ``flipped`` is
    the % of the images that are answered otherwise than at the first strength.
    """

    strength: float
    value: float
    loops: Estimate
    confidence: Estimate
    error: Estimate
    loops_change: Estimate
    confidence_change: Estimate
    error_change: Estimate
    flipped: Estimate


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
    how: Passes | None = None,
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
        how: the images pass; by default through the network's own forward.

    Raises:
        ValueError: no such corruption, no strength or one out of range, or no image.
    """
    values, how = values_at(factor, strengths), how or Passes()
    keep = spread_sample(len(images), limit)
    if not len(keep):
        raise ValueError(f"expected at least one image to corrupt, {images.name} has none")
    loops = np.zeros((len(strengths), len(keep)), dtype=np.int64)
    confidence = np.zeros(loops.shape)
    correct = np.zeros(loops.shape, dtype=bool)
    predictions = np.zeros(loops.shape, dtype=np.int64)
    for point, strength in enumerate(strengths):
        changed = CorruptedSet(images, keep, factor, strength, seed)
        passed = outputs(network, changed, preprocessing, batch=how.batch, forward=how.forward)
        for part in passed:
            there = slice(part.first, part.first + len(part.labels))
            highest = part.output.logits.double().softmax(dim=1).max(dim=1)
            loops[point, there] = part.output.trace.loops.cpu().numpy()
            confidence[point, there] = highest.values.cpu().numpy()
            predictions[point, there] = highest.indices.cpu().numpy()
            correct[point, there] = torch.eq(highest.indices, part.labels).cpu().numpy()
            if how.progress:
                how.progress(point * len(keep) + there.stop, loops.size)
    return Swept(
        factor,
        CORRUPTIONS[factor].unit,
        tuple(float(strength) for strength in strengths),
        values,
        tuple(images.ids[int(index)] for index in keep),
        loops,
        confidence,
        correct,
        predictions,
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
            mean(100.0 * (swept.predictions[point] != swept.predictions[0])),
        )
        for point, strength in enumerate(swept.strengths)
    )
    steps = np.asarray(swept.strengths) - np.mean(swept.strengths)
    squares = float(steps @ steps)
    slopes = (steps @ loops) / squares if squares > 0 else np.full(loops.shape[1], math.nan)
    return Sweep(swept.factor, swept.unit, loops.shape[1], points, mean(slopes))
