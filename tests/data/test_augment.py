"""The augmentation of photographs, beside torchvision's and by hand."""

from __future__ import annotations

import math
import statistics
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from drnn_core._torchvision import functional, torchvision
from drnn_core.data.augment import ScaleAugmentation, distort, random_part

# torchvision's has no types
torchvisions: Any = torchvision.transforms.RandomResizedCrop
change: Any = functional()


def picture(width: int, height: int, seed: int = 0) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def row(seed: int = 0) -> list[float]:
    return ScaleAugmentation(8).draw(1, torch.Generator().manual_seed(seed))[0].tolist()


@given(st.integers(1, 600), st.integers(1, 600), st.integers(0, 10**6))
def test_a_part_lies_in_the_picture_and_keeps_the_limits(w: int, h: int, seed: int) -> None:
    left, top, right, bottom = random_part(w, h, row(seed)[:40])
    wide, tall = right - left, bottom - top
    assert 0 <= left < right <= w
    assert 0 <= top < bottom <= h
    if 0.8 < w / h < 1.25 and min(w, h) > 100:
        # rounding to whole pixels moves each side by half a pixel at most
        assert 0.08 * 0.95 <= wide * tall / (w * h) <= 1
        assert 3 / 4 * 0.95 <= wide / tall <= 4 / 3 * 1.05


@pytest.mark.parametrize(("width", "height"), [(1000, 20), (20, 1000), (3, 1), (1, 1)])
def test_a_picture_too_long_for_any_try_gives_its_middle(width: int, height: int) -> None:
    left, top, right, bottom = random_part(width, height, [1.0, 0.5, 0.5, 0.5] * 10)
    assert abs(left + right - width) <= 1
    assert abs(top + bottom - height) <= 1
    assert right - left == width or bottom - top == height


def test_parts_are_distributed_as_torchvisions() -> None:
    """Share of the area, log aspect and place of the centre: means and spreads of both agree."""
    width, height, count = 500, 375, 4000
    draws = ScaleAugmentation(8).draw(count, torch.Generator().manual_seed(1)).tolist()
    ours = [random_part(width, height, each[:40]) for each in draws]
    theirs: list[tuple[int, int, int, int]] = []
    image = torch.zeros(3, height, width)
    for _ in range(count):
        top, left, tall, wide = torchvisions.get_params(image, (0.08, 1.0), (3 / 4, 4 / 3))
        theirs.append((left, top, left + wide, top + tall))

    def facts(box: tuple[int, int, int, int]) -> tuple[float, ...]:
        wide, tall = box[2] - box[0], box[3] - box[1]
        share = wide * tall / (width * height)
        return share, math.log(wide / tall), box[0] + wide / 2, box[1] + tall / 2

    for mine, other in zip(
        zip(*map(facts, ours), strict=True), zip(*map(facts, theirs), strict=True), strict=True
    ):
        error = statistics.stdev(other) * math.sqrt(2 / count)
        assert abs(statistics.mean(mine) - statistics.mean(other)) < 5 * error
        assert statistics.stdev(mine) == pytest.approx(statistics.stdev(other), rel=0.1)


@pytest.mark.parametrize("flip", [0.2, 0.7])
def test_the_part_is_brought_to_size_as_torchvision_does(flip: bool) -> None:
    source = picture(90, 60)
    draws = row(3)
    draws[40] = flip
    left, top, right, bottom = random_part(90, 60, draws[:40])
    expected = change.resized_crop(source, top, left, bottom - top, right - left, [32, 32])
    if flip < 0.5:
        expected = change.horizontal_flip(expected)
    found = ScaleAugmentation(32)(source, draws)
    assert found.shape == (3, 32, 32)
    assert np.array_equal(found.permute(1, 2, 0).numpy(), np.asarray(expected))


def test_equal_rows_give_equal_images_and_others_others() -> None:
    augment, source = ScaleAugmentation(24, 0.4), picture(60, 50)
    first, same, other = (augment(source, row(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_colours_are_left_alone_without_photometric_distortion() -> None:
    grey = Image.new("RGB", (40, 40), (10, 120, 200))
    assert (ScaleAugmentation(8)(grey, row()) == torch.tensor([10, 120, 200])[:, None, None]).all()
    assert ScaleAugmentation(8, 0.4)(grey, row())[0, 0, 0] != 10


def only(place: int, value: float) -> list[float]:
    """Draws in which one change has a factor of its own and the others 1."""
    factors = [0.5, 0.5, 0.5]
    factors[place] = value
    return [*factors, 0.1, 0.2, 0.3]


@pytest.mark.parametrize(("value", "factor"), [(0.0, 0.6), (0.75, 1.2), (1.0, 1.4)])
def test_each_distortion_by_hand(value: float, factor: float) -> None:
    source = picture(20, 20)
    pixels = np.asarray(source).astype(np.float64)
    grey = pixels @ [0.299, 0.587, 0.114]
    bases = (np.zeros_like(pixels), np.full_like(pixels, grey.mean()), grey[:, :, None])
    for place, base in enumerate(bases):
        found = np.asarray(distort(source, 0.4, only(place, value))).astype(np.float64)
        expected = np.clip(base + factor * (pixels - base), 0, 255)
        assert np.abs(found - expected).max() < 2, "rounding of the grey and of the result"


def test_the_order_of_the_distortions_is_drawn() -> None:
    source = picture(20, 20)
    one = distort(source, 0.4, [0.9, 0.1, 0.9, 0.1, 0.2, 0.3])
    other = distort(source, 0.4, [0.9, 0.1, 0.9, 0.3, 0.2, 0.1])
    assert not np.array_equal(np.asarray(one), np.asarray(other))
