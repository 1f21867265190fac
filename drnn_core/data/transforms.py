"""Pixels in, network input out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from drnn_core.data.sets import Pixels
from drnn_core.recipes import NetworkRecipe

if TYPE_CHECKING:  # who only looks at pictures needs no torch
    import torch
    from torch import Tensor


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
                mean=three(values["mean"]),
                std=three(values["std"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(
                "expected preprocessing with image_size, resize, keep_aspect, and three numbers "
                f"each for mean and std; got {values!r}"
            ) from error

    @property
    def sizing(self) -> tuple[int, int, bool]:
        """What pictures become pixels by: sets loaded for equal ones are the same images."""
        return self.image_size, self.resize, self.keep_aspect

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def scaled(self, width: int, height: int) -> tuple[int, int]:
        """Width and height that a picture has before the centre crop, in pixels."""
        if not self.keep_aspect:
            return self.resize, self.resize
        scale = self.resize / min(width, height)
        return max(round(width * scale), self.resize), max(round(height * scale), self.resize)

    def prepare(self, picture: Image.Image) -> Tensor:
        """A picture of any size as what the network sees: (3, image_size, image_size) uint8."""
        import torch

        return torch.from_numpy(self.pixels(picture))

    def pixels(self, picture: Image.Image) -> Pixels:
        """The same for NumPy."""
        size = self.scaled(*picture.size)
        picture = picture.convert("RGB")
        if picture.size != size:
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        left, top = (size[0] - self.image_size) // 2, (size[1] - self.image_size) // 2
        box = (left, top, left + self.image_size, top + self.image_size)
        pixels = np.asarray(picture.crop(box), dtype=np.uint8)
        return pixels.transpose(2, 0, 1).copy()

    def normalise(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) uint8 -> float32 of zero mean and unit variance, channels_last."""
        return standardise(images, *self.moments(images.device))

    def moments(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """(3, 1, 1) each: mean and standard deviation in steps of the bytes."""
        import torch

        mean, std = (torch.tensor(each, device=device).mul(255) for each in (self.mean, self.std))
        return mean[:, None, None], std[:, None, None]


def standardise(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """(B, 3, H, W) uint8 -> float32 by ``Preprocessing.moments``, channels_last."""
    import torch

    scaled = images.to(torch.float32).sub_(mean).div_(std)
    return scaled.contiguous(memory_format=torch.channels_last)


def three(values: Any) -> tuple[float, float, float]:
    """Numbers of the three channels."""
    red, green, blue = (float(value) for value in values)
    return red, green, blue
