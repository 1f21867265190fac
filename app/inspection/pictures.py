"""A picture to inspect, wherever it came from, and what is known of it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from drnn_core.data.generated import Rendered, render
from drnn_core.data.pictures import decode_picture

PREVIEW_SIDE = 512
_SCENE_SIDE = 128  # 0.3 s to draw; 256 takes a second
_NAME_LONGEST = 60


@dataclass(frozen=True)
class Picture:
    """A picture that could be decoded.

    Attributes:
        key: ``upload-...``, ``sample-...`` or ``record-...``.
        name: on the screen; may hold anything, so it is always shown as text.
        data: the file as it came.
        truth: the true class by name, where it is known.
        seed: of a generated image.
    """

    key: str
    name: str
    data: bytes
    truth: str | None = None
    seed: int | None = None

    def open(self) -> Image.Image:
        """Decode it.

        Raises:
            PictureError: the file is none that we read.
        """
        return decode_picture(self.data, self.name)

    @cached_property
    def preview(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8, at most ``PREVIEW_SIDE`` on its longer side.

        Of a generated image it is the same scene drawn finer.
        """
        if self.seed is not None:
                return render(self.seed, _SCENE_SIDE).image
        image = self.open()
        image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
        return np.asarray(image, np.uint8)

    @cached_property
    def scene(self) -> Rendered | None:
        """Mask and difficulty of a generated image, at 32 x 32."""
        return None if self.seed is None else render(self.seed)


def short_name(name: str) -> str:
    """The last part of a file's name, printable and not too long."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    clean = "".join(letter if letter.isprintable() else "?" for letter in last).strip()
    if len(clean) > _NAME_LONGEST:
        clean = f"{clean[: _NAME_LONGEST - 13]}…{clean[-12:]}"
    return clean or "picture without a name"


def png_of(pixels: NDArray[np.uint8]) -> bytes:
    """(H, W, 3) uint8 as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def seed_of(id_: str) -> int | None:
    """The seed in the id of a generated image, ``g<seed>``; None for other ids."""
    digits = id_.removeprefix("g")
    return int(digits) if id_.startswith("g") and digits.isascii() and digits.isdigit() else None
