"""One picture changed by hand: all eight corruptions together, each at a value of its own.

Values are in the units of ``corruptions``; what goes there one way by chance goes here either way:
``rotation`` is clockwise above 0, ``brightness`` may be taken away, and the box that hides a part
stands where it is put. One change alone is, to the bit, what ``corrupt`` makes of the image of the
same number, so that a picture changed by hand and a sweep over a whole set can be compared.

Changes come one after another as in a camera: the scene (``rotation``, ``scale``), its light
(``contrast``, ``brightness``), the lens (``blur``), what stands before it (the box), the sensor
(``noise``) and the file (``jpeg``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drnn_core.analysis.corruptions import CORRUPTIONS, chance_of, changed, hide, rounded

ORDER = ("rotation", "scale", "contrast", "brightness", "blur", "occlusion", "noise", "jpeg")
# Of these the value also goes below the unchanged one, as far as above it.
BOTH_WAYS = ("rotation", "brightness")


class Box(NamedTuple):
    """A part of the picture: edges and sides as shares of its width and height, from 0 to 1."""

    left: float
    top: float
    width: float
    height: float

    @property
    def share(self) -> float:
        """Of the picture that it hides."""
        return self.width * self.height

    @property
    def place(self) -> tuple[float, float]:
        """Where it stands between left and right, and top and bottom, 0 to 1; .5 if it fills it."""
        free = (1 - self.width, 1 - self.height)
        at = [edge / room if room > 0 else 0.5 for edge, room in zip(self[:2], free, strict=True)]
        return at[0], at[1]

    def grown(self, share: float) -> Box | None:
        """A box of the same form at the same place that hides ``share``; None hides nothing."""
        if share <= 0:
            return None
        times = math.sqrt(share / self.share)
        width, height = self.width * times, self.height * times
        if max(width, height) > 1:  # too long for the picture: the other side makes up for it
            width, height = (1, share) if width > height else (share, 1)
        across, down = self.place
        return Box(across * (1 - width), down * (1 - height), width, height)


@dataclass(frozen=True)
class Edit:
    """What is changed; by default nothing. Values are in the units of ``CORRUPTIONS``."""

    blur: float = 0.0
    noise: float = 0.0
    jpeg: float = 100.0
    contrast: float = 1.0
    brightness: float = 0.0
    rotation: float = 0.0
    scale: float = 1.0
    box: Box | None = None

    def value(self, factor: str) -> float:
        """The value of a factor; of ``occlusion`` the share that the box hides."""
        if factor == "occlusion":
            return self.box.share if self.box else 0.0
        return float(getattr(self, factor))

    def with_value(self, factor: str, value: float, place: Box) -> Edit:
        """The same but for one factor; a box keeps its form and place, or begins as ``place``."""
        if factor == "occlusion":
            return replace(self, box=(self.box or place).grown(value))
        return replace(self, **{factor: value})

    def without(self, factor: str) -> Edit:
        """The same with one factor unchanged."""
        name = "box" if factor == "occlusion" else factor
        return replace(self, **{name: getattr(Edit(), name)})

    @property
    def factors(self) -> tuple[str, ...]:
        """The factors that change something, in the order in which they do."""
        return tuple(name for name in ORDER if self.value(name) != CORRUPTIONS[name].unchanged)


def bounds(factor: str) -> tuple[float, float]:
    """The lowest and the highest value of a factor: from no change to the fifth severity."""
    corruption = CORRUPTIONS[factor]
    ends = (corruption.unchanged, corruption.severities[-1])
    if factor in BOTH_WAYS:
        return -ends[1], ends[1]
    return min(ends), max(ends)


def values_along(factor: str, points: int, below: bool = False) -> tuple[float, ...]:
    """Values from no change to the fifth severity, at even distances of strength.

    ``below`` goes the other way of a factor that goes both ways.
    """
    strengths = np.linspace(0, len(CORRUPTIONS[factor].severities), points)
    sign = -1.0 if below and factor in BOTH_WAYS else 1.0
    return tuple(sign * CORRUPTIONS[factor].value_at(strength) for strength in strengths)


def usual_box(number: int, seed: int = 0) -> Box:
    """The box of one tenth that ``corrupt`` would lay over the image of this number."""
    down, across = (float(each) for each in chance_of("occlusion", [number], seed).unit[0])
    side = math.sqrt(CORRUPTIONS["occlusion"].severities[1])
    return Box(across * (1 - side), down * (1 - side), side, side)


def edited(
    pixels: NDArray[np.uint8], edit: Edit, number: int = 0, seed: int = 0
) -> NDArray[np.uint8]:
    """The picture as changed.

    Args:
        pixels: (H, W, 3), at the size that the network sees; left as they are.
        edit: what to change.
        number: of the image in its set, from 0: its noise depends on it.
        seed: of the noise.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: a value that is no number or out of its bounds, a box that is not inside the
            picture, or what is no such picture.
    """
    check(edit)
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise ValueError(
            f"expected uint8 pixels of shape (H, W, 3), got {pixels.dtype} of {pixels.shape}"
        )
    image = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]
    for factor in edit.factors:
        image = _changed(image, factor, edit, number, seed)
    return np.ascontiguousarray(image[0].permute(1, 2, 0).numpy())


def check(edit: Edit) -> None:
    """Whether every value is one that the picture can be changed by.

    Raises:
        ValueError: one is no number or out of its bounds, or the box leaves the picture.
    """
    for factor in (field.name for field in fields(edit) if field.name != "box"):
        low, high = bounds(factor)
        value = edit.value(factor)
        if not low <= value <= high:
            raise ValueError(f"expected {factor} from {low:g} to {high:g}, got {value:g}")
    if edit.box is not None:
        left, top, width, height = edit.box
        inside = min(left, top) >= 0 and max(left + width, top + height) <= 1 + 1e-9
        if not (inside and min(width, height) > 0):
            raise ValueError(
                "expected a box inside the picture (left, top, width, height from 0 to 1), got "
                f"{', '.join(f'{side:g}' for side in edit.box)}"
            )


def _changed(image: Tensor, factor: str, edit: Edit, number: int, seed: int) -> Tensor:
    if factor == "occlusion":
        assert edit.box is not None
        left, top, width, height = edit.box
        return rounded(hide(image.float(), torch.tensor([[top, left]]), (height, width)))
    chance = chance_of(factor, [number], seed)
    # Which way a picture turns is no chance here: at 0 it turns clockwise.
    clockwise = chance._replace(unit=torch.zeros_like(chance.unit))
    return changed(image, factor, edit.value(factor), clockwise)
