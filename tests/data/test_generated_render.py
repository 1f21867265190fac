"""An image is a pure function of its seed, and its known facts are true of it."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from drnn_core.data.generated import (
    FACTORS,
    GENERATED_CLASSES,
    GENERATED_VERSION,
    Factors,
    Rendered,
    render,
    render_with,
)
from drnn_core.data.generated.draws import Draws, labels_of
from drnn_core.data.generated.factors import draw_factors

EASY = Factors(
    blur=0.0, occlusion=0.0, noise=0.0, contrast=1.0, clutter=0.0, scale=0.9, rotation=0.0
)
RANGES = {
    "blur": (0.0, 1.3),
    "occlusion": (0.0, 0.57),
    "noise": (0.0, 0.1),
    "contrast": (0.3, 1.0),
    "clutter": (0.0, 1.0),
    "scale": (0.52, 0.94),
    "rotation": (0.0, 50.0),
}
# SHA-256 of image, mask and label, first 16 digits. They stand for GENERATED_VERSION: pixels may
# change only together with it (and these, the shipped runs and the samples with it).
GOLDEN_VERSION = "1"
GOLDEN = {
    (0, 32): "1378b9780afe9fe3",
    (1, 32): "5700798b2bcd7512",
    (7, 32): "cc0787dbccb5b80e",
    (1_999, 32): "b0136d47071a9848",
    (19_999, 32): "f8cceddc851fcab5",
    (1_000_000, 32): "4cb19ae74300e5a9",
    (1_004_999, 32): "bbfa7f7c3fd242c1",
    (1_099_511_627_779, 32): "f6b834c433c0ebf0",
    (9_223_372_036_854_775_807, 32): "edae55c1f0a8bd7b",
    (0, 16): "ac0d301db2d79e03",
    (7, 50): "b20a24bafcb1026c",
    (1_000_000, 128): "2d98e9dc007c94ec",
}
GOLDEN_FACTORS = {
    0: [
        0.6266825639371445,
        0.0,
        0.05786285289613066,
        0.45569151797371577,
        0.08148927614097777,
        0.8603441367498695,
        1.07295666994496,
    ],
    1_000_001: [
        0.5256574023668655,
        0.12686567164179105,
        0.04601091459102737,
        0.7644211427822647,
        0.12722610022260597,
        0.6623748103036758,
        0.21187197752952622,
    ],
}


def digest(rendered: Rendered) -> str:
    content = rendered.image.tobytes() + rendered.mask.tobytes() + bytes([rendered.label])
    return hashlib.sha256(content).hexdigest()[:16]


@pytest.mark.parametrize(("seed", "size"), GOLDEN)
def test_the_bytes_of_a_seed_never_change(seed: int, size: int) -> None:
    assert GENERATED_VERSION == GOLDEN_VERSION
    assert digest(render(seed, size)) == GOLDEN[seed, size]


@pytest.mark.parametrize("seed", GOLDEN_FACTORS)
def test_the_factors_of_a_seed_never_change(seed: int) -> None:
    assert list(render(seed).factors.values()) == GOLDEN_FACTORS[seed]


def test_another_process_draws_the_same() -> None:
    program = (
        "import hashlib; from drnn_core.data.generated import render; "
        "print(hashlib.sha256(b''.join(render(s).image.tobytes() for s in range(8))).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    here = b"".join(render(seed).image.tobytes() for seed in range(8))
    assert done.stdout.strip() == hashlib.sha256(here).hexdigest()


@given(seed=st.integers(0, 2**63 - 1))
@settings(max_examples=25)
def test_what_holds_of_every_seed(seed: int) -> None:
    first, second = render(seed), render(seed)
    assert first.image.shape == (32, 32, 3)
    assert first.image.dtype == np.uint8
    assert first.mask.shape == (32, 32)
    assert first.mask.dtype == np.bool_
    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.mask, second.mask)
    assert first.factors == second.factors
    assert tuple(first.factors) == FACTORS
    for name, (low, high) in RANGES.items():
        assert low <= first.factors[name] <= high, name
    assert 12 <= first.mask.sum() <= 32 * 32
    assert first.label == labels_of(np.array([seed], dtype=np.int64))[0]


@pytest.mark.parametrize(
    ("seed", "size", "said"),
    [(-1, 32, "seed"), (2**63, 32, "seed"), (1, 8, "size"), (1, 513, "size")],
)
def test_arguments_out_of_range_are_refused(seed: int, size: int, said: str) -> None:
    with pytest.raises(ValueError, match=f"expected a {said} between"):
        render(seed, size)


@pytest.mark.parametrize("seed", [1_000_000, 1_000_003, 1_000_017])
def test_a_finer_picture_shows_the_same_scene(seed: int) -> None:
    small, fine = render(seed), render(seed, 128)
    assert fine.image.shape == (128, 128, 3)
    assert (fine.label, fine.factors) == (small.label, small.factors)
    assert _apart(_shrunk(fine), small.image) < 8  # most of it is noise, smoothed by both filters
    assert _apart(_shrunk(fine), render(seed + 1).image) > 20
    blocks = fine.mask.reshape(32, 4, 32, 4).mean(axis=(1, 3)) >= 0.5
    assert (blocks != small.mask).mean() < 0.02


@pytest.mark.parametrize("seed", range(4))
def test_without_noise_the_finer_picture_shrinks_to_the_small_one(seed: int) -> None:
    wished = EASY._replace(blur=0.3, occlusion=0.3, clutter=0.5, rotation=20.0)
    small, fine = render_with(seed, seed, wished), render_with(seed, seed, wished, 96)
    assert _apart(_shrunk(fine), small.image) < 5


def _shrunk(rendered: Rendered) -> np.ndarray:
    return np.asarray(Image.fromarray(rendered.image).resize((32, 32), Image.Resampling.LANCZOS))


def _apart(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(first.astype(float) - second).mean())


def test_factors_tell_nothing_of_the_class_nor_of_each_other() -> None:
    seeds = np.arange(4000, dtype=np.int64)
    labels = labels_of(seeds)
    factors = np.array([draw_factors(Draws(int(seed), 0)) for seed in seeds])
    scores = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    means = np.stack([scores[labels == label].mean(axis=0) for label in range(10)])
    assert np.abs(means).max() * np.sqrt(400) < 4.5
    correlation = np.corrcoef(scores.T) - np.eye(len(FACTORS))
    assert np.abs(correlation).max() * np.sqrt(4000) < 4.5


def test_each_factor_has_easy_and_hard_images() -> None:
    factors = np.array([draw_factors(Draws(seed, 0)) for seed in range(2000)])
    for place, name in enumerate(FACTORS):
        low, high = RANGES[name]
        easy = high if name in {"contrast", "scale"} else low
        severity = np.abs(factors[:, place] - easy) / (high - low)
        assert (severity < 0.1).mean() > 0.2, name
        assert (severity > 0.6).mean() > 0.05, name


def test_colours_do_not_tell_the_class() -> None:
    """The mean colour of the object, to the nearest class mean: about chance (10 %)."""
    rows: list[list[float]] = []
    labels: list[int] = []
    for seed in range(400):
        rendered = render_with(seed, label := seed % 10, EASY, 16)
        rows.append(rendered.image[rendered.mask].mean(axis=0).tolist())
        labels.append(label)
    colours, label_of = np.array(rows), np.array(labels)
    train, test = slice(0, 200), slice(200, 400)
    means = np.stack([colours[train][label_of[train] == k].mean(axis=0) for k in range(10)])
    nearest = np.linalg.norm(colours[test][:, None] - means, axis=2).argmin(axis=1)
    assert (nearest == label_of[test]).mean() < 0.25


def detail(image: np.ndarray) -> float:
    """Mean squared difference of neighbours: energy at high frequencies."""
    values = image.astype(float)
    return float((np.diff(values, axis=0) ** 2).mean() + (np.diff(values, axis=1) ** 2).mean())


def swept(name: str, values: list[float], seeds: range = range(12)) -> list[list[Rendered]]:
    """For each value of a factor, the same scenes with all else easy."""
    return [
        [render_with(seed, seed % 10, EASY._replace(**{name: value})) for seed in seeds]
        for value in values
    ]


def test_blur_takes_detail_away() -> None:
    for scene in zip(*swept("blur", [0.0, 0.4, 0.8, 1.3]), strict=True):
        energies = [detail(each.image) for each in scene]
        assert (np.diff(energies) < 0).all()
        assert energies[-1] < 0.6 * energies[0]


def test_contrast_is_the_spread_of_grey_levels() -> None:
    for full, half in zip(*swept("contrast", [1.0, 0.5]), strict=True):
        assert half.image.std(axis=(0, 1)) == pytest.approx(
            full.image.std(axis=(0, 1)) * 0.5, rel=0.03, abs=0.4
        )


def test_noise_has_the_deviation_that_it_says() -> None:
    clean = [render_with(seed, 3, EASY._replace(contrast=0.3)) for seed in range(6)]
    noisy = [render_with(seed, 3, EASY._replace(contrast=0.3, noise=0.06)) for seed in range(6)]
    for one, other in zip(clean, noisy, strict=True):
        # away from black and white, where clipping makes it smaller
        inner = (one.image > 60) & (one.image < 195)
        error = other.image.astype(float)[inner] - one.image[inner]
        assert error.std() == pytest.approx(0.06 * 255, rel=0.08)
        assert abs(error.mean()) < 1.5


def test_occlusion_is_the_fraction_of_the_mask_that_vanishes() -> None:
    for open_, *hidden in zip(*swept("occlusion", [0.0, 0.2, 0.5]), strict=True):
        assert open_.factors["occlusion"] == 0
        for wished, each in zip((0.2, 0.5), hidden, strict=True):
            assert each.factors["occlusion"] == pytest.approx(wished, abs=0.03)
            assert not (each.mask & ~open_.mask).any()
            left = each.mask.sum() / open_.mask.sum()
            assert left == pytest.approx(1 - each.factors["occlusion"], abs=0.12)
        assert hidden[1].mask.sum() < hidden[0].mask.sum() < open_.mask.sum()


def test_what_hides_the_object_is_painted_where_the_mask_says() -> None:
    changed, kept = 0.0, 0.0
    for open_, hidden in zip(*swept("occlusion", [0.0, 0.4]), strict=True):
        apart = np.abs(open_.image.astype(float) - hidden.image).max(axis=2)
        changed += apart[open_.mask & ~hidden.mask].mean()
        kept += apart[hidden.mask].mean()
    assert kept < 0.1 * changed


def test_clutter_changes_the_background_only() -> None:
    outside = 0.0
    for clear, full in zip(*swept("clutter", [0.0, 1.0]), strict=True):
        assert np.array_equal(clear.mask, full.mask)
        apart = np.abs(clear.image.astype(float) - full.image).max(axis=2)
        # a few inner pixels show the ground through gaps between parts
        assert (apart[_inner(clear.mask)] <= 1).mean() > 0.8
        outside += (apart[~clear.mask] > 10).mean() / 12
    assert outside > 0.25


def _inner(mask: np.ndarray) -> np.ndarray:
    """Pixels whose eight neighbours belong to the object too."""
    inner = mask.copy()
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            inner &= np.roll(mask, (down, across), axis=(0, 1))
    return inner


def test_scale_is_the_longer_side() -> None:
    for big, small in zip(*swept("scale", [0.9, 0.55]), strict=True):
        ratio = small.mask.sum() / big.mask.sum()
        assert ratio == pytest.approx((0.55 / 0.9) ** 2, rel=0.3)


def test_rotation_turns_the_object() -> None:
    """The second moments of the mask turn by the angle (for objects longer than wide)."""
    checked = 0
    for upright, turned in zip(*swept("rotation", [0.0, 40.0], range(40)), strict=True):
        first, second = _axis(upright.mask), _axis(turned.mask)
        if first is None or second is None:
            continue
        apart = abs(first - second) % 180
        assert min(apart, 180 - apart) == pytest.approx(40, abs=12)
        checked += 1
    assert checked >= 5


def _axis(mask: np.ndarray) -> float | None:
    """Direction of the longest extent in degrees, None where there is no clear one."""
    rows, columns = np.nonzero(mask)
    values, vectors = np.linalg.eigh(np.cov(np.stack([columns, rows]).astype(float)))
    if values[1] < 3 * values[0]:
        return None
    return float(np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1])))


def test_every_class_has_its_own_silhouettes() -> None:
    """Equal seeds of two classes give different masks, different seeds different objects."""
    masks = {k: render_with(5, k, EASY).mask for k in range(len(GENERATED_CLASSES))}
    for first, mask in masks.items():
        for second, other in masks.items():
            assert (first == second) == np.array_equal(mask, other)
        assert not np.array_equal(mask, render_with(6, first, EASY).mask)
