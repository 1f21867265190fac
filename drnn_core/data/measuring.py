"""The moments of a training set, by which its images are normalised."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from drnn_core.data.sets import ImageSet
from drnn_core.data.transforms import Preprocessing, three


def measure_preprocessing(
    images: ImageSet, sizing: Preprocessing | None = None, most: int = 10_000
) -> Preprocessing:
    """The preprocessing of a training set by its own moments, from ``most`` images of it at most.

    A channel that is the same everywhere has nothing to be scaled: its deviation counts as 1. The
    images are taken at even distances, so the result depends on the set alone. Large ones
    (over 64 pixels) are a fifth as many: their moments come from more pixels.

    Args:
        images: as ``sizing`` brought them to size.
        sizing: to go on with; by default that of images which were that size from the start.
        most: images to look at.
    """
    size = images.images([0]).shape[-1]
    sizing = sizing or Preprocessing(size, size, True, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    count = min(len(images), most if size <= 64 else most // 5)
    chosen = torch.linspace(0, len(images) - 1, count).long()
    mean, std = _moments_at_once(images, chosen) if size <= 64 else _moments(images, chosen)
    means, deviations = ([round(float(each), 4) for each in moment] for moment in (mean, std))
    return replace(sizing, mean=three(means), std=three(each or 1.0 for each in deviations))


def _moments_at_once(images: ImageSet, chosen: Tensor) -> tuple[Tensor, Tensor]:
    sample = images.images(chosen)
    std, mean = torch.std_mean(sample.to(torch.float32).div_(255), dim=(0, 2, 3))
    return mean, std


def _moments(images: ImageSet, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """The same of images that would take gigabytes at once: from whole sums of bytes."""
    count, total, squares = 0, torch.zeros(3, dtype=torch.int64), torch.zeros(3, dtype=torch.int64)
    for part in torch.split(chosen, 100):
        pixels = images.images(part).transpose(0, 1).flatten(1).to(torch.int64)
        count += pixels.shape[1]
        total += pixels.sum(dim=1)
        squares += pixels.square().sum(dim=1)
    mean = total.double() / count
    variance = (squares.double() - count * mean.square()) / (count - 1)
    return mean / 255, variance.sqrt() / 255
