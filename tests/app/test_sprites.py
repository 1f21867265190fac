"""Sprites: many small pictures in one JPEG."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from app.gallery.sprites import COLUMNS, PER_PAGE, png, sprite, tile_size


def test_every_tile_is_in_its_place_and_bleeds_into_none() -> None:
    random = np.random.default_rng(0)
    colours = random.integers(0, 256, (PER_PAGE, 1, 1, 3), dtype=np.uint8)
    pictures = np.broadcast_to(colours, (PER_PAGE, 32, 32, 3)).copy()
    sheet = np.asarray(Image.open(io.BytesIO(sprite(pictures))).convert("RGB"))
    assert sheet.shape == (32 * (PER_PAGE // COLUMNS), 32 * COLUMNS, 3)
    for place in range(PER_PAGE):
        y, x = 32 * (place // COLUMNS), 32 * (place % COLUMNS)
        tile = sheet[y : y + 32, x : x + 32].astype(int)
        assert np.abs(tile - colours[place]).max() <= 3


@pytest.mark.parametrize(("count", "rows"), [(1, 1), (10, 1), (11, 2)])
def test_a_short_page_has_fewer_rows(count: int, rows: int) -> None:
    sheet = Image.open(io.BytesIO(sprite(np.zeros((count, 16, 16, 3), np.uint8))))
    assert sheet.size == (16 * COLUMNS, 16 * rows)


def test_large_pictures_are_shrunk() -> None:
    assert tile_size(32) == 32
    assert tile_size(224) == 96
    sheet = Image.open(io.BytesIO(sprite(np.full((2, 224, 224, 3), 200, np.uint8))))
    assert sheet.size == (96 * COLUMNS, 96)
    assert np.abs(np.asarray(sheet)[50, 100].astype(int) - 200).max() <= 2


def test_a_single_picture_is_exact() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    assert (np.asarray(Image.open(io.BytesIO(png(picture)))) == picture).all()
