"""A picture to inspect, wherever it came from, and what is known of it."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from drnn_core.data.generated import Rendered, render
from drnn_core.data.generated.imageset import FIRST_SEED
from drnn_core.data.generated.rendering import SIZES
from drnn_core.data.pictures import decode_picture
from drnn_core.data.transforms import Preprocessing

PREVIEW_SIDE = 512
FINER_SIDE = 128  # a scene drawn finer, to look at: 0.3 s
_NAME_LONGEST = 60


@dataclass(frozen=True)
class Picture:
    """A picture that could be decoded.

    Attributes:
        key: ``upload-...``, ``sample-...`` or ``record-...``.
        name: on the screen; may hold anything, so it is always shown as text.
        data: the file as it came; of an image of a set, its original pixels as a PNG file.
        truth: the true class by name, where it is known.
        seed: of a generated image.
        index: in the run's test set, of an image of it.
    """

    key: str
    name: str
    data: bytes
    truth: str | None = None
    seed: int | None = None
    index: int | None = None

    def open(self, side: int) -> Image.Image:
        """Decode it for a network that sees ``side`` pixels in height and width.

        A generated image is drawn at the size of its set where that is what the network sees, so
        that it is the image of the records to the bit.

        Raises:
            PictureError: the file is none that we read.
        """
        if self.scene is not None and self.scene.mask.shape == (side, side):
            return Image.fromarray(self.scene.image)
        return decode_picture(self.data, self.name)

    @cached_property
    def number(self) -> int:
        """What chance depends on where the picture is changed; always the same for one picture.

        Of an image of a set its place there, so that a sweep over the set gives it the same.
        """
        if self.index is not None:
            return self.index
        if self.seed is not None and self.seed >= FIRST_SEED["test"]:
            return self.seed - FIRST_SEED["test"]
        return int.from_bytes(hashlib.sha256(self.data).digest()[:4], "big")

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height of the file's picture in pixels."""
        return decode_picture(self.data, self.name).size

    @cached_property
    def preview(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8, at most ``PREVIEW_SIDE`` on its longer side."""
        image = decode_picture(self.data, self.name)
        image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
        return np.asarray(image, np.uint8)

    def mask(self, sizing: Preprocessing) -> NDArray[np.bool_] | None:
        """(image_size, image_size) bool, where the generated object is; None where nobody knows."""
        if self.seed is None or self.scene is None:
            return None
        if self.scene.mask.shape == (sizing.image_size, sizing.image_size):
            return self.scene.mask
        if not SIZES[0] <= sizing.resize <= SIZES[1]:
            return None
        return _large_mask(self.seed, sizing.resize, sizing.image_size)

    @cached_property
    def scene(self) -> Rendered | None:
        """The generated image at the size of its set, with its mask and difficulty."""
        return None if self.seed is None else render(self.seed)


@lru_cache(maxsize=32)
def _large_mask(seed: int, resize: int, side: int) -> NDArray[np.bool_]:
    """The middle of a scene's mask, drawn at another size than its set's: tenths of a second."""
    edge = (resize - side) // 2
    return render(seed, resize).mask[edge : edge + side, edge : edge + side]


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
