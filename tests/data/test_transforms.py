from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from drnn_core.data.augment import random_crop_flip
from drnn_core.data.measuring import measure_preprocessing
from drnn_core.data.sets import MemorySet
from drnn_core.data.transforms import Preprocessing

PLAIN = Preprocessing(32, 32, True, (0.5, 0.4, 0.3), (0.2, 0.25, 0.5))


def test_normalise_by_hand() -> None:
    images = torch.tensor([0, 51, 255], dtype=torch.uint8)[None, :, None, None].expand(1, 3, 1, 1)
    found = PLAIN.normalise(images).flatten().tolist()
    assert found == pytest.approx([(0 - 0.5) / 0.2, (0.2 - 0.4) / 0.25, (1 - 0.3) / 0.5], abs=1e-5)


def test_a_picture_of_the_right_size_passes_untouched() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    seen = PLAIN.prepare(Image.fromarray(pixels))
    assert np.array_equal(seen.permute(1, 2, 0).numpy(), pixels)


@given(st.integers(1, 300), st.integers(1, 300), st.booleans())
def test_any_picture_gets_the_networks_size(width: int, height: int, keep_aspect: bool) -> None:
    sizing = Preprocessing(24, 30, keep_aspect, PLAIN.mean, PLAIN.std)
    assert sizing.prepare(Image.new("RGB", (width, height))).shape == (3, 24, 24)


def test_the_aspect_is_kept_by_cropping_the_long_side() -> None:
    picture = Image.new("RGB", (96, 32))
    picture.paste((255, 0, 0), (32, 0, 64, 32))
    assert PLAIN.prepare(picture)[0].eq(255).all(), "the red middle third"
    squashed = Preprocessing(32, 32, False, PLAIN.mean, PLAIN.std).prepare(picture)
    assert not squashed[0].eq(255).all()


def test_it_survives_json_and_refuses_parts() -> None:
    assert Preprocessing.from_dict(PLAIN.to_dict()) == PLAIN
    with pytest.raises(ValueError, match="expected preprocessing with image_size"):
        Preprocessing.from_dict({"image_size": 3})
    with pytest.raises(ValueError, match="expected preprocessing"):
        Preprocessing.from_dict({**PLAIN.to_dict(), "mean": None})


def test_measured_moments_normalise_the_set() -> None:
    pixels = torch.randint(0, 256, (50, 3, 8, 8), dtype=torch.uint8)
    images = MemorySet("m", ("a",), [""] * 50, np.zeros(50, dtype=np.int64), "", pixels)
    found = measure_preprocessing(images).normalise(pixels)
    std, mean = torch.std_mean(found, dim=(0, 2, 3))
    assert mean.abs().max() < 1e-3
    assert (std - 1).abs().max() < 1e-3


@pytest.mark.parametrize("size", [8, 72])
def test_a_channel_that_never_changes_stays_a_number(size: int) -> None:
    pixels = torch.randint(0, 256, (20, 3, size, size), dtype=torch.uint8)
    pixels[:, 2] = 51
    images = MemorySet("m", ("a",), [""] * 20, np.zeros(20, dtype=np.int64), "", pixels)
    found = measure_preprocessing(images)
    assert (found.mean[2], found.std[2]) == (0.2, 1.0)
    assert found.normalise(pixels)[:, 2].abs().max() < 1e-3


@given(st.integers(1, 5), st.integers(0, 3), st.integers(0, 99))
def test_every_crop_is_a_window_of_the_padded_image(batch: int, pad: int, seed: int) -> None:
    images = torch.arange(batch * 3 * 36).reshape(batch, 3, 6, 6)
    found = random_crop_flip(images, pad, torch.Generator().manual_seed(seed))
    again = random_crop_flip(images, pad, torch.Generator().manual_seed(seed))
    assert torch.equal(found, again)
    padded = torch.nn.functional.pad(images, (pad,) * 4)
    for image, crop in zip(padded, found, strict=True):
        windows = [
            window
            for top in range(2 * pad + 1)
            for left in range(2 * pad + 1)
            for window in (image[:, top : top + 6, left : left + 6],)
        ]
        assert any(torch.equal(crop, w) or torch.equal(crop, w.flip(2)) for w in windows)


def test_crops_and_flips_differ_between_images() -> None:
    images = torch.arange(48).reshape(1, 3, 4, 4).repeat(200, 1, 1, 1)
    found = random_crop_flip(images, 4, torch.Generator().manual_seed(0))
    distinct = {tuple(image.flatten().tolist()) for image in found}
    assert len(distinct) > 70, "of 162 equally likely windows, flipped or not"
