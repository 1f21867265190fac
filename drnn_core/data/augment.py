"""Augmentation: random parts of photographs in distorted colours, random crops of small images.

Of photographs (paper, section 4.2) everything is a function of a picture and one row of uniform
numbers, so a batch is augmented the same way in whatever order, threads or processes its pictures
are decoded. Small images (section 4.1) are cropped a batch at a time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

_AREAS = (0.08, 1.0)
_ASPECTS = (3 / 4, 4 / 3)
# A part that does not fit into the picture is drawn anew, at most so often.
_TRIES = 10
_PER_TRY = 4


@dataclass(frozen=True)
class ScaleAugmentation:
    """A part of 8 to 100 % of the area and of aspect 3/4 to 4/3, brought to size and mirrored.

    The scale and aspect ratio augmentation of GoogLeNet; then brightness, contrast and saturation
    are changed, in random order, each by a factor around 1.

    Args:
        image_size: height and width of the result in pixels.
        photometric: factors lie between 1 - photometric and 1 + photometric; 0 changes nothing.
    """

    image_size: int
    photometric: float = 0.0

    # uniform numbers for one image: tries, mirroring, three factors, their order
    DRAWS: ClassVar[int] = _TRIES * _PER_TRY + 1 + 3 + 3

    def draw(self, images: int, generator: torch.Generator) -> Tensor:
        """(images, DRAWS) float64: the uniform numbers of so many images."""
        return torch.rand((images, self.DRAWS), generator=generator, dtype=torch.float64)

    def __call__(self, picture: Image.Image, row: Sequence[float]) -> Tensor:
        """Augment an RGB picture by a row of ``draw``.

        Returns:
            (3, image_size, image_size) uint8.
        """
        box = random_part(*picture.size, row[: _TRIES * _PER_TRY])
        flip, *colours = row[_TRIES * _PER_TRY :]
        size = (self.image_size, self.image_size)
        picture = picture.crop(box).resize(size, Image.Resampling.BILINEAR)
        if flip < 0.5:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if self.photometric:
            picture = distort(picture, self.photometric, colours)
        pixels = np.array(picture, dtype=np.uint8)
        return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()


def random_part(width: int, height: int, draws: Sequence[float]) -> tuple[int, int, int, int]:
    """The box (left, top, right, bottom) of a random part of a picture.

    Its share of the area is uniform, its aspect log-uniform. The first try that fits counts; if
    none does, as in very long pictures, the largest centred part of an allowed aspect.

    Args:
        width, height: of the picture in pixels.
        draws: uniform numbers, four for each try.
    """
    for start in range(0, len(draws), _PER_TRY):
        share, shape, across, down = draws[start : start + _PER_TRY]
        area = width * height * (_AREAS[0] + share * (_AREAS[1] - _AREAS[0]))
        low, high = (math.log(aspect) for aspect in _ASPECTS)
        aspect = math.exp(low + shape * (high - low))
        wide, tall = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < wide <= width and 0 < tall <= height:
            left, top = int(across * (width - wide + 1)), int(down * (height - tall + 1))
            return left, top, left + wide, top + tall
    wide = min(width, max(1, round(height * _ASPECTS[1])))
    tall = min(height, max(1, round(width / _ASPECTS[0])))
    left, top = (width - wide) // 2, (height - tall) // 2
    return left, top, left + wide, top + tall


def distort(picture: Image.Image, strength: float, draws: Sequence[float]) -> Image.Image:
    """Change brightness, contrast and saturation.

    On a picture, not on a tensor: its integer arithmetic gives the same bytes with any number of
    threads.

    Args:
        picture: RGB.
        strength: factors lie between 1 - strength and 1 + strength.
        draws: six uniform numbers: three factors, and three that order them.
    """
    from drnn_core._torchvision import functional

    change: Any = functional()
    changes = (change.adjust_brightness, change.adjust_contrast, change.adjust_saturation)
    for place in sorted(range(3), key=lambda place: draws[3 + place]):
        picture = changes[place](picture, 1 + strength * (2 * draws[place] - 1))
    return picture


class Crops(NamedTuple):
    """Where images are cropped, and which are mirrored: (B, 1) int64, int64 and bool."""

    top: Tensor
    left: Tensor
    flip: Tensor


def draw_crops(images: int, pad: int, generator: torch.Generator) -> Crops:
    """Random crops of so many images padded by ``pad`` pixels; every second is mirrored."""
    whole = (images, 1)
    top = torch.randint(0, 2 * pad + 1, whole, generator=generator)
    left = torch.randint(0, 2 * pad + 1, whole, generator=generator)
    return Crops(top, left, torch.rand(whole, generator=generator) < 0.5)


def random_crop_flip(
    images: Tensor, pad: int, generator: torch.Generator, part: int = 0, parts: int = 1
) -> Tensor:
    """Pad by zeros, crop at random to the old size, mirror every second image at random.

    Args:
        images: (B, C, H, W), any dtype.
        pad: pixels on each side.
        generator: the only source of randomness, so equal seeds give equal batches.
        part, parts: these images are slice ``part`` of a batch of ``parts`` such slices; drawn
            is for the whole batch.

    Returns:
        (B, C, H, W).
    """
    batch = len(images)
    drawn = draw_crops(batch * parts, pad, generator)
    own = slice(part * batch, (part + 1) * batch)
    return crop_flip(images, pad, Crops(*(each[own].to(images.device) for each in drawn)))


def crop_flip(images: Tensor, pad: int, crops: Crops) -> Tensor:
    """Pad (B, C, H, W) by ``pad`` pixels of zero and crop to the old size, see ``Crops``."""
    batch, _, height, width = images.shape
    device = images.device
    rows = crops.top + torch.arange(height, device=device)
    across = torch.arange(width, device=device)
    columns = crops.left + torch.where(crops.flip, across.flip(0), across)
    padded = torch.nn.functional.pad(images, (pad, pad, pad, pad)).permute(0, 2, 3, 1)
    image = torch.arange(batch, device=device)[:, None, None]
    return padded[image, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
