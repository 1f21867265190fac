"""Sprites: the small pictures of a page of the gallery in one JPEG."""

from __future__ import annotations

import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PER_PAGE = 60
COLUMNS = 10
_MOST_PIXELS = 96
_QUALITY = 90


def tile_size(image_size: int) -> int:
    """Height and width in pixels of the tile of an image of ``image_size`` pixels."""
    return min(image_size, _MOST_PIXELS)


def sprite(pictures: NDArray[np.uint8]) -> bytes:
    """JPEG of B pictures (B, H, W, 3), row by row, ``COLUMNS`` in each row.

    Without chroma subsampling and, for sizes that are a multiple of 8, with every tile on its
    own JPEG blocks, so that neighbours do not bleed into each other.
    """
    side = tile_size(pictures.shape[1])
    rows = max(1, math.ceil(len(pictures) / COLUMNS))
    sheet = Image.new("RGB", (COLUMNS * side, rows * side))
    for position, picture in enumerate(pictures):
        tile = Image.fromarray(picture)
        if tile.size != (side, side):
            tile = tile.resize((side, side), Image.Resampling.LANCZOS)
        sheet.paste(tile, (position % COLUMNS * side, position // COLUMNS * side))
    return _encoded(sheet, "JPEG", quality=_QUALITY, subsampling=0)


def png(picture: NDArray[np.uint8]) -> bytes:
    """PNG of one picture (H, W, 3), every pixel as the network sees it."""
    return _encoded(Image.fromarray(picture), "PNG")


def _encoded(image: Image.Image, kind: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
