"""Pixels in, network input out; and the augmentation of small images (paper, section 4.1)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from drnn_core.data.sets import ImageSet
from drnn_core.recipes import NetworkRecipe


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes network input; stored in every run and read from nowhere else.

    Attributes:
        image_size: height and width of the network's input in pixels.
        resize: side in pixels that a picture is scaled to before the centre crop.
        keep_aspect: scale the shorter side to ``resize`` (True) or both sides, as the paper
            does for ImageNet (False).
        mean, std: of each channel (red, green, blue), on the 0..1 scale.
    """

    image_size: int
    resize: int
    keep_aspect: bool
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @classmethod
    def of_network(cls, recipe: NetworkRecipe) -> Preprocessing:
        """How a network's recipe brings pictures to its size; moments that change nothing.

        A recipe with ``resize`` scales both sides to it (section 4.2: 256 x 256, then a centre
        crop of 224), one without the shorter side to the network's size.
        """
        keep_aspect = recipe.resize is None
        resize = recipe.image_size if recipe.resize is None else recipe.resize
        return cls(recipe.image_size, resize, keep_aspect, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Preprocessing:
        """Rebuild from ``to_dict``'s result as it comes back from JSON.

        Raises:
            ValueError: a key is missing.
        """
        try:
            return cls(
                image_size=int(values["image_size"]),
                resize=int(values["resize"]),
                keep_aspect=bool(values["keep_aspect"]),
                mean=_three(values["mean"]),
                std=_three(values["std"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(
                "expected preprocessing with image_size, resize, keep_aspect, and three numbers "
                f"each for mean and std; got {values!r}"
            ) from error

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def prepare(self, picture: Image.Image) -> Tensor:
        """A picture of any size as what the network sees: (3, image_size, image_size) uint8."""
        width, height = picture.size
        if self.keep_aspect:
            scale = self.resize / min(width, height)
            size = (max(round(width * scale), self.resize), max(round(height * scale), self.resize))
        else:
            size = (self.resize, self.resize)
        picture = picture.convert("RGB")
        if picture.size != size:
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        left, top = (size[0] - self.image_size) // 2, (size[1] - self.image_size) // 2
        box = (left, top, left + self.image_size, top + self.image_size)
        pixels = np.asarray(picture.crop(box), dtype=np.uint8)
        return torch.from_numpy(pixels.copy()).permute(2, 0, 1).contiguous()

    def normalise(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) uint8 -> float32 of zero mean and unit variance, channels_last."""
        return standardise(images, *self.moments(images.device))

    def moments(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """(3, 1, 1) each: mean and standard deviation in steps of the bytes."""
        mean, std = (torch.tensor(each, device=device).mul(255) for each in (self.mean, self.std))
        return mean[:, None, None], std[:, None, None]


def standardise(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """(B, 3, H, W) uint8 -> float32 by ``Preprocessing.moments``, channels_last."""
    scaled = images.to(torch.float32).sub_(mean).div_(std)
    return scaled.contiguous(memory_format=torch.channels_last)


def _three(values: Any) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue


def measure_preprocessing(
    images: ImageSet, sizing: Preprocessing | None = None, most: int = 10_000
) -> Preprocessing:
    """The preprocessing of a training set by its own moments, from ``most`` images of it at most.

    The images are taken at even distances, so the result depends on the set alone. Large ones
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
    rounded = [[round(float(value), 4) for value in moment] for moment in (mean, std)]
    return replace(sizing, mean=_three(rounded[0]), std=_three(rounded[1]))


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
