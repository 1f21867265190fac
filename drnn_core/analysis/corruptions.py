"""Pictures made harder in one respect: eight corruptions of our own, each as strong as wished.

Strength 0 leaves a picture to the bit; 1 to 5 are the five severities of the table; between them
the value is interpolated.

==============  =================================================  ==========  ====================
name            value                                              strength 0  severities 1 to 5
==============  =================================================  ==========  ====================
``blur``        standard deviation of the Gaussian, in 32nds of    0           .4 .8 1.2 1.8 2.6
                the picture's shorter side
``occlusion``   share of the picture under a box of its mean       0           .05 .1 .2 .3 .45
                colour, at a place drawn by chance
``noise``       standard deviation, of the full range              0           .03 .06 .1 .15 .22
``jpeg``        quality of the file that it went through           100 (none)  60 35 20 12 6
``contrast``    distance of each pixel from the picture's mean     1           .75 .55 .4 .27 .15
                colour, of what it was
``brightness``  added to every channel, of the full range          0           .08 .16 .24 .33 .45
``rotation``    degrees, either way by chance; edges repeated      0           10 20 35 55 90
``scale``       side of the picture in its frame, of what it was;  1           .88 .76 .64 .52 .4
                edges repeated
==============  =================================================  ==========  ====================

What is drawn by chance depends on seed and image, not on the strength: the same picture under
two strengths has the same grain, and its box grows about the same place.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import special
from torch import Tensor
from torch.nn import functional as F

SEVERITIES = 5


class Chance(NamedTuple):
    """What chance gives each of B images: unit (B, 2), uniform in 0..1, and a source of more."""

    unit: Tensor
    streams: list[np.random.Generator]


@dataclass(frozen=True)
class Corruption:
    """One way to make pictures harder.

    Attributes:
        name: see the module's table.
        unit: of the value, for people.
        unchanged: the value at strength 0.
        severities: the values at strengths 1 to 5.
        apply: (B, 3, H, W) float32 from 0 to 255, value, chance -> the same shape; it may leave
            the range, and is rounded and clipped afterwards.
    """

    name: str
    unit: str
    unchanged: float
    severities: tuple[float, float, float, float, float]
    apply: Callable[[Tensor, float, Chance], Tensor]

    def value_at(self, strength: float) -> float:
        """The value at a strength of 0 to 5, interpolated between severities.

        Raises:
            ValueError: a strength out of range.
        """
        if not 0 <= strength <= SEVERITIES:
            raise ValueError(f"expected a strength from 0 to {SEVERITIES}, got {strength}")
        values = (self.unchanged, *self.severities)
        return float(np.interp(strength, np.arange(len(values)), values))


def corrupt(
    images: Tensor,
    name: str,
    strength: float,
    indices: Sequence[int] | NDArray[np.int64] | None = None,
    seed: int = 0,
) -> Tensor:
    """Corrupt (B, 3, H, W) uint8 images.

    Args:
        images: left as they are.
        name: of a corruption.
        strength: 0 (unchanged) to 5.
        indices: (B,) number of each image, from 0, for what chance gives it; by default 0 to
            B - 1. The same image alone or in a batch gets the same.
        seed: of the chance.

    Returns:
        (B, 3, H, W) uint8.

    Raises:
        ValueError: no such corruption, a strength out of range, or what are no such images.
    """
    if name not in CORRUPTIONS:
        raise ValueError(
            f"no corruption is called {name!r}; expected one of: {', '.join(CORRUPTIONS)}"
        )
    if images.ndim != 4 or images.shape[1] != 3 or images.dtype != torch.uint8:
        raise ValueError(
            f"expected uint8 images of shape (B, 3, H, W), got {images.dtype} of "
            f"{tuple(images.shape)}"
        )
    numbers = list(range(len(images))) if indices is None else [int(index) for index in indices]
    if len(numbers) != len(images):
        raise ValueError(f"expected {len(images)} indices, one an image, got {len(numbers)}")
    value = CORRUPTIONS[name].value_at(strength)
    if strength == 0 or not len(images):
        return images.clone()
    return changed(images, name, value, chance_of(name, numbers, seed))


def changed(images: Tensor, name: str, value: float, chance: Chance) -> Tensor:
    """(B, 3, H, W) uint8 images under a corruption at a value in its own unit; the same shape."""
    return rounded(CORRUPTIONS[name].apply(images.float(), value, chance))


def rounded(images: Tensor) -> Tensor:
    """Float images on the scale of 0 to 255 as uint8."""
    return images.round().clamp(0, 255).to(torch.uint8)


def chance_of(name: str, numbers: Sequence[int], seed: int) -> Chance:
    """What a corruption's chance gives the images of these numbers."""
    place = list(CORRUPTIONS).index(name)
    streams = [np.random.default_rng((seed, place, number)) for number in numbers]
    unit = torch.tensor(np.stack([stream.random(2) for stream in streams]), dtype=torch.float32)
    return Chance(unit, streams)


def hide(images: Tensor, corner: Tensor, sides: tuple[float, float]) -> Tensor:
    """Lay a box of each image's mean colour over it; pixels partly under it are mixed.

    Args:
        images: (B, 3, H, W) float.
        corner: (B, 2) top and left edge of the box, as shares of the picture's height and width.
        sides: height and width of the box, likewise.

    Returns:
        The same shape.
    """
    bars = [
        _covered(size, sides[place] * size, corner[:, place] * size)
        for place, size in enumerate(images.shape[2:])
    ]
    cover = bars[0][:, None, :, None] * bars[1][:, None, None, :]
    return torch.lerp(images, _mean_colour(images).expand_as(images), cover.expand_as(images))


def _blur(images: Tensor, sigma: float, _: Chance) -> Tensor:
    sigma *= min(images.shape[2:]) / 32
    reach = math.ceil(5 * sigma) + 1
    # The discrete Gaussian (Lindeberg 1990): its variance is sigma² to the end, where samples of
    # the continuous one do nothing at all below a quarter of a pixel.
    taps = special.ive(np.abs(np.arange(-reach, reach + 1)), sigma * sigma)
    weights = torch.tensor(taps / taps.sum(), dtype=torch.float32)
    for axis in (2, 3):
        shape = [1, 1, 1, 1]
        shape[axis] = len(weights)
        pad = (0, 0, reach, reach) if axis == 2 else (reach, reach, 0, 0)
        wide = F.pad(images, pad, mode="replicate")
        images = F.conv2d(wide, weights.view(shape).repeat(3, 1, 1, 1), groups=3)
    return images


def _occlusion(images: Tensor, share: float, chance: Chance) -> Tensor:
    side = math.sqrt(share)
    return hide(images, chance.unit * (1 - side), (side, side))


def _covered(size: int, length: float, start: Tensor) -> Tensor:
    """(B, size) how much of each pixel lies under a bar of ``length`` pixels from ``start``."""
    pixel = torch.arange(size, dtype=torch.float32)
    first = start[:, None]
    over = torch.minimum(pixel + 1, first + length) - torch.maximum(pixel, first)
    return over.clamp(0, 1)


def _noise(images: Tensor, std: float, chance: Chance) -> Tensor:
    shape = images.shape[1:]
    grain = np.stack([stream.standard_normal(shape, np.float32) for stream in chance.streams])
    return images + 255 * std * torch.from_numpy(grain)


def _jpeg(images: Tensor, quality: float, _: Chance) -> Tensor:
    return torch.stack([_recoded(image, round(quality)) for image in images])


def _recoded(image: Tensor, quality: int) -> Tensor:
    pixels = image.to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
    with io.BytesIO() as file:
        Image.fromarray(pixels).save(file, "JPEG", quality=quality)
        with Image.open(file, formats=["JPEG"]) as decoded:
            found: NDArray[Any] = np.asarray(decoded.convert("RGB"))
    return torch.from_numpy(found.astype(np.float32)).permute(2, 0, 1)


def _contrast(images: Tensor, factor: float, _: Chance) -> Tensor:
    mean = _mean_colour(images)
    return mean + factor * (images - mean)


def _brightness(images: Tensor, added: float, _: Chance) -> Tensor:
    return images + 255 * added


def _rotation(images: Tensor, degrees: float, chance: Chance) -> Tensor:
    sign = torch.where(chance.unit[:, 0] < 0.5, -1.0, 1.0)
    turn = torch.deg2rad(degrees * sign)
    return _warped(images, torch.cos(turn), torch.sin(turn))


def _scale(images: Tensor, side: float, chance: Chance) -> Tensor:
    zoom = torch.full_like(chance.unit[:, 0], 1 / side)
    return _warped(images, zoom, torch.zeros_like(zoom))


def _warped(images: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Each pixel from the place that (B,) rotations and scalings about the middle send it to."""
    height, width = images.shape[2:]
    # grid_sample counts from -1 to 1 along either side, whatever their lengths
    rows = torch.stack([cos, -sin * height / width], dim=1)
    columns = torch.stack([sin * width / height, cos], dim=1)
    nothing = torch.zeros_like(cos)[:, None]
    matrix = torch.stack(
        [torch.cat([rows, nothing], dim=1), torch.cat([columns, nothing], dim=1)], dim=1
    )
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, "bilinear", padding_mode="border", align_corners=False)


def _mean_colour(images: Tensor) -> Tensor:
    return images.mean(dim=(2, 3), keepdim=True)


CORRUPTIONS: dict[str, Corruption] = {
    one.name: one
    for one in (
        Corruption("blur", "px of 32", 0.0, (0.4, 0.8, 1.2, 1.8, 2.6), _blur),
        Corruption("occlusion", "share hidden", 0.0, (0.05, 0.1, 0.2, 0.3, 0.45), _occlusion),
        Corruption("noise", "of the range", 0.0, (0.03, 0.06, 0.1, 0.15, 0.22), _noise),
        Corruption("jpeg", "quality", 100.0, (60.0, 35.0, 20.0, 12.0, 6.0), _jpeg),
        Corruption("contrast", "times", 1.0, (0.75, 0.55, 0.4, 0.27, 0.15), _contrast),
        Corruption("brightness", "of the range", 0.0, (0.08, 0.16, 0.24, 0.33, 0.45), _brightness),
        Corruption("rotation", "degrees", 0.0, (10.0, 20.0, 35.0, 55.0, 90.0), _rotation),
        Corruption("scale", "times", 1.0, (0.88, 0.76, 0.64, 0.52, 0.4), _scale),
    )
}
