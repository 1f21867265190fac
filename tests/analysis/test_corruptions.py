"""Corruptions against scipy, pillow and their definitions, and what all of them keep."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from drnn_core.analysis.corruptions import CORRUPTIONS, SEVERITIES, Chance, _blur, corrupt
from drnn_core.analysis.image_statistics import image_statistics
from drnn_core.data.generated import render


def pictures(count: int = 3, size: int = 32) -> torch.Tensor:
    found = np.stack([render(seed, size).image for seed in range(count)])
    return torch.from_numpy(found).permute(0, 3, 1, 2).contiguous()


def noise(seed: int, count: int = 2, height: int = 12, width: int = 9) -> torch.Tensor:
    shape = (count, 3, height, width)
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8))


every = pytest.mark.parametrize("name", list(CORRUPTIONS))


@every
def test_strength_0_changes_nothing_and_the_input_is_never_touched(name: str) -> None:
    images = pictures()
    before = images.clone()
    assert torch.equal(corrupt(images, name, 0), before)
    changed = corrupt(images, name, 3)
    assert torch.equal(images, before)
    assert (changed.dtype, changed.shape) == (torch.uint8, images.shape)
    assert not torch.equal(changed, before)
    assert corrupt(images[:0], name, 2).shape == (0, 3, 32, 32)


@every
def test_stronger_is_further_from_the_picture(name: str) -> None:
    images = pictures(12)
    far = [
        float((corrupt(images, name, strength).float() - images.float()).abs().mean())
        for strength in (0.5, 1, 2, 3, 4, 5)
    ]
    assert far == sorted(far)
    assert far[0] > 0


@every
@given(st.floats(0.1, 5), st.integers(0, 50))
def test_an_image_gets_the_same_alone_and_in_company(name: str, strength: float, seed: int) -> None:
    images = noise(seed, 3)
    together = corrupt(images, name, strength, [7, 40, 3], seed)
    assert torch.equal(corrupt(images[1:2], name, strength, [40], seed), together[1:2])
    turned = corrupt(images.flip(0), name, strength, [3, 40, 7], seed)
    assert torch.equal(turned.flip(0), together)


@pytest.mark.parametrize("name", ["occlusion", "noise", "rotation"])
def test_chance_goes_by_seed_and_image(name: str) -> None:
    image = pictures(1).expand(8, -1, -1, -1).contiguous()
    one = corrupt(image, name, 4)
    assert torch.equal(one, corrupt(image, name, 4))
    assert not torch.equal(one, corrupt(image, name, 4, seed=1))
    assert len({one[row].numpy().tobytes() for row in range(8)}) > 1


def test_blur_is_about_scipys() -> None:
    images = pictures(2)
    for strength, sigma in ((3, 1.2), (4, 1.8), (5, 2.6)):
        literal = ndimage.gaussian_filter(
            images.numpy().astype(float), sigma, axes=(2, 3), mode="nearest"
        )
        found = corrupt(images, "blur", strength).numpy().astype(float)
        assert np.abs(found - literal).max() <= 6
        assert np.abs(found - literal).mean() <= 0.8


@pytest.mark.parametrize(("strength", "sigma"), [(0.5, 0.2), (1, 0.4), (2.5, 1.0), (5, 2.6)])
def test_blur_passes_each_frequency_as_a_gaussian_does(strength: float, sigma: float) -> None:
    point = torch.zeros(1, 3, 31, 31)
    point[:, :, 15, 15] = 1.0
    spread = _blur(point, sigma * 32 / 31, Chance(torch.zeros(1, 2), []))[0, 0].numpy()
    frequency = 2 * np.pi * np.fft.fftfreq(31)
    passed = np.exp(sigma**2 * (np.cos(frequency) - 1))  # the discrete Gaussian's transform
    np.testing.assert_allclose(np.abs(np.fft.fft2(spread)), np.outer(passed, passed), atol=2e-4)
    assert CORRUPTIONS["blur"].value_at(strength) == pytest.approx(sigma)


def test_blur_goes_by_the_size_of_the_picture() -> None:
    large = torch.nn.functional.interpolate(pictures(1).float(), scale_factor=4).byte()
    shrunk = torch.nn.functional.avg_pool2d(corrupt(large, "blur", 4).float(), 4)
    small = corrupt(pictures(1), "blur", 4).float()
    assert float((shrunk - small).abs().mean()) < 4


def test_the_box_hides_its_share_inside_the_picture() -> None:
    images = torch.full((40, 3, 32, 24), 200, dtype=torch.uint8)
    images[:, :, ::2] = 100  # so that the box, of the mean colour, shows everywhere
    for strength, share in ((1, 0.05), (3, 0.2), (4.5, 0.375)):
        changed = corrupt(images, "occlusion", strength).float()
        hidden = (changed - images.float()).abs() / 50
        np.testing.assert_allclose(hidden.mean(dim=(1, 2, 3)), share, rtol=0.03)
        rows, columns = hidden[:, 0].amax(dim=2), hidden[:, 0].amax(dim=1)
        side = math.sqrt(share)
        np.testing.assert_allclose(rows.sum(dim=1), 32 * side, atol=0.2)
        np.testing.assert_allclose(columns.sum(dim=1), 24 * side, atol=0.2)
    starts = (
        (corrupt(images, "occlusion", 3) != images)[:, 0, :, :].any(dim=2).float().argmax(dim=1)
    )
    assert len(starts.unique()) > 8


def test_noise_has_its_deviation_and_the_same_grain_at_every_strength() -> None:
    grey = torch.full((20, 3, 32, 32), 128, dtype=torch.uint8)
    for strength, std in ((1, 0.03), (2.5, 0.08)):
        change = corrupt(grey, "noise", strength).float() - 128
        assert float(change.std()) == pytest.approx(255 * std, rel=0.02)
        assert abs(float(change.mean())) < 0.3
    weak, strong = (corrupt(grey, "noise", s).double().flatten() for s in (1, 3))
    assert float(torch.corrcoef(torch.stack([weak, strong]))[0, 1]) > 0.98


def test_jpeg_is_a_file_of_that_quality() -> None:
    images = pictures(2)
    for strength, quality in ((1, 60), (2.5, 28), (5, 6)):
        changed = corrupt(images, "jpeg", strength)
        for row in range(2):
            file = io.BytesIO()
            Image.fromarray(images[row].permute(1, 2, 0).numpy()).save(
                file, "JPEG", quality=quality
            )
            decoded = np.asarray(Image.open(file).convert("RGB"))
            np.testing.assert_array_equal(changed[row].permute(1, 2, 0), decoded)


def test_contrast_and_brightness_by_hand() -> None:
    images = torch.tensor([100, 200], dtype=torch.uint8).view(1, 1, 1, 2).repeat(1, 3, 4, 1)
    assert corrupt(images, "contrast", 1)[0, 0, 0].tolist() == [112, 188]  # 112.5, to the even
    assert corrupt(images, "contrast", 3)[0, 0, 0].tolist() == [130, 170]
    assert corrupt(images, "brightness", 2)[0, 0, 0].tolist() == [141, 241]
    assert corrupt(images, "brightness", 4)[0, 0, 0].tolist() == [184, 255]


def test_a_quarter_turn_is_a_quarter_turn() -> None:
    images = noise(3, 8, 10, 10)
    changed = corrupt(images, "rotation", 5)
    turns = [int(torch.equal(changed[row], images[row].rot90(1, (1, 2)))) for row in range(8)]
    others = [int(torch.equal(changed[row], images[row].rot90(-1, (1, 2)))) for row in range(8)]
    assert [a + b for a, b in zip(turns, others, strict=True)] == [1] * 8
    assert 0 < sum(turns) < 8


def warped(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Each channel by scipy, about the middle."""
    middle = (np.array(image.shape[1:]) - 1) / 2
    return np.stack(
        [
            ndimage.affine_transform(
                channel.astype(float), matrix, middle - matrix @ middle, order=1, mode="nearest"
            )
            for channel in image
        ]
    )


@pytest.mark.parametrize("shape", [(16, 16), (12, 20)])
def test_rotation_and_scale_are_scipys(shape: tuple[int, int]) -> None:
    image = noise(5, 1, *shape)
    angle = math.radians(20)
    turned = [
        warped(
            image[0].numpy(),
            np.array([[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]]),
        )
        for a in (angle, -angle)
    ]
    found = corrupt(image, "rotation", 2)[0].numpy().astype(float)
    assert min(np.abs(found - each).max() for each in turned) <= 0.6
    shrunk = warped(image[0].numpy(), np.eye(2) / 0.64)
    found = corrupt(image, "scale", 3)[0].numpy().astype(float)
    assert np.abs(found - shrunk).max() <= 0.6


def test_pictures_change_as_their_names_say() -> None:
    images = pictures(10)

    def mean(name: str, of: str) -> float:
        return float(image_statistics(corrupt(images, name, 4))[of].mean())

    plain = {name: float(values.mean()) for name, values in image_statistics(images).items()}
    assert mean("blur", "sharpness") < 0.2 * plain["sharpness"]
    assert mean("noise", "sharpness") > 2 * plain["sharpness"]
    assert mean("contrast", "contrast") == pytest.approx(0.27 * plain["contrast"], rel=0.05)
    assert mean("brightness", "brightness") > plain["brightness"] + 0.2


def test_values_are_interpolated() -> None:
    blur = CORRUPTIONS["blur"]
    assert [blur.value_at(strength) for strength in range(SEVERITIES + 1)] == [
        0, 0.4, 0.8, 1.2, 1.8, 2.6,
    ]  # fmt: skip
    assert blur.value_at(0.25) == pytest.approx(0.1)
    assert CORRUPTIONS["jpeg"].value_at(0.5) == 80
    for one in CORRUPTIONS.values():
        values = [one.unchanged, *one.severities]
        assert values in (sorted(values), sorted(values, reverse=True))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((noise(0), "fog", 1), "no corruption is called 'fog'; expected one of: blur, occlusion"),
        ((noise(0), "blur", 5.1), "strength from 0 to 5"),
        ((noise(0), "blur", math.nan), "strength from 0 to 5"),
        ((noise(0).float(), "blur", 1), "expected uint8 images"),
        ((noise(0)[0], "blur", 1), "expected uint8 images of shape"),
        ((noise(0), "blur", 1, [1]), "expected 2 indices, one an image, got 1"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        corrupt(*arguments)
