"""Image statistics against scipy's filters, and on pictures whose numbers are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from drnn_core.analysis.image_statistics import EDGE, IMAGE_STATISTICS, image_statistics
from drnn_core.data.generated import Factors, render_with


def grey(picture: np.ndarray) -> torch.Tensor:
    """(H, W) from 0 to 255 as one image of three equal channels."""
    return torch.from_numpy(picture.astype(np.uint8)).expand(1, 3, *picture.shape)


def of(picture: np.ndarray) -> list[float]:
    return [float(image_statistics(grey(picture))[name][0]) for name in IMAGE_STATISTICS]


@given(st.integers(0, 1000), st.integers(3, 20), st.integers(3, 20))
def test_scipy_sees_the_same(seed: int, height: int, width: int) -> None:
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (2, 3, height, width), dtype=np.uint8)
    found = image_statistics(torch.from_numpy(images))
    for place, image in enumerate(images):
        luma = np.tensordot([0.299, 0.587, 0.114], image / 255, 1)
        inside = (slice(1, -1), slice(1, -1))
        laplacian = ndimage.laplace(luma)[inside]
        slope = np.hypot(ndimage.sobel(luma, 0), ndimage.sobel(luma, 1))[inside] / 8
        assert found["brightness"][place] == pytest.approx(luma.mean(), rel=1e-5)
        assert found["contrast"][place] == pytest.approx(luma.std(), rel=1e-5)
        assert found["sharpness"][place] == pytest.approx(laplacian.var(), rel=1e-4, abs=1e-9)
        assert found["edge_density"][place] == pytest.approx((slope > EDGE).mean())


def test_pictures_by_hand() -> None:
    assert of(np.full((8, 8), 255)) == pytest.approx([1, 0, 0, 0], abs=1e-6)
    # a ramp of 5 grey levels a pixel has no curvature; of 51, a fifth of the range, is all edges
    ramp = np.arange(6) * 5 * np.ones((6, 1))
    assert of(ramp) == pytest.approx([12.5 / 255, np.std(np.arange(6) * 5) / 255, 0, 0], abs=1e-6)
    assert of(np.arange(6) * 51 * np.ones((6, 1)))[2:] == pytest.approx([0, 1], abs=1e-6)
    # one white pixel: Laplacian -4 there and 1 at its four neighbours, of 5 x 5 pixels inside
    dot = np.zeros((7, 7))
    dot[3, 3] = 255
    laplacian = [-4, 1, 1, 1, 1] + [0] * 20
    assert of(dot)[2] == pytest.approx(np.var(laplacian), rel=1e-5)


def test_green_is_brighter_than_blue() -> None:
    colours = torch.zeros(3, 3, 4, 4, dtype=torch.uint8)
    for channel in range(3):
        colours[channel, channel] = 255
    assert image_statistics(colours)["brightness"] == pytest.approx([0.299, 0.587, 0.114])


def test_the_factors_of_generated_show() -> None:
    plain = Factors(0, 0, 0, 1, 0.3, 0.9, 0)

    def mean(**changes: float) -> dict[str, float]:
        pictures = [render_with(seed, seed, plain._replace(**changes)).image for seed in range(10)]
        images = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
        return {name: float(value.mean()) for name, value in image_statistics(images).items()}

    before, blurred, noisy, pale = mean(), mean(blur=1.3), mean(noise=0.1), mean(contrast=0.3)
    assert blurred["sharpness"] < 0.4 * before["sharpness"] < before["sharpness"]
    assert noisy["sharpness"] > 1.3 * before["sharpness"]
    assert pale["contrast"] == pytest.approx(0.3 * before["contrast"], rel=0.2)
    assert pale["edge_density"] < 0.5 * before["edge_density"]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(2, 3, 8, 8), "expected uint8 images"),
        (torch.zeros(3, 8, 8, dtype=torch.uint8), "expected uint8 images of shape"),
        (torch.zeros(1, 1, 8, 8, dtype=torch.uint8), "expected uint8 images of shape"),
        (torch.zeros(1, 3, 2, 8, dtype=torch.uint8), "at least 3 x 3 pixels"),
    ],
)
def test_what_is_no_image(images: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        image_statistics(images)
