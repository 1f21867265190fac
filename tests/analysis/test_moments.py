"""Merged moments against numpy over all values; jackknife errors against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from drnn_core.analysis.moments import (
    Parts,
    Sampled,
    channel_mean,
    difference,
    ends_of,
    t_factor,
)


def dealt(values: np.ndarray, member: np.ndarray, parts: int) -> Parts:
    """Moments of (N, C, pixels) values that are members, by their own definition."""
    number = np.arange(len(values)) % parts
    chosen = [values[member & (number == part)] for part in range(parts)]
    flat = [np.moveaxis(each, 1, 0).reshape(values.shape[1], -1) for each in chosen]
    nothing = np.full(values.shape[1], np.nan)
    return Parts(
        np.array([len(each) for each in chosen]),
        np.stack([each.mean(axis=1) if each.size else nothing for each in flat]),
        np.stack([each.var(axis=1, ddof=1) if each.shape[1] > 1 else nothing for each in flat]),
        values.shape[2],
    )


@given(
    st.integers(1, 23), st.integers(1, 5), st.integers(1, 3), st.integers(0, 2**32 - 1),
    st.floats(-50, 50),
)  # fmt: skip
def test_merging_gives_the_moments_of_all_values(
    images: int, parts: int, pixels: int, seed: int, shift: float
) -> None:
    random = np.random.default_rng(seed)
    values = random.normal(shift, 2, (images, 3, pixels))
    member = random.random(images) < 0.6
    group = dealt(values, member, parts)
    number = np.arange(images) % parts
    rows = group.jackknifed()
    assert rows.mean.shape == rows.var.shape == (1 + parts, 3)
    whole = group.merged()
    assert whole.images == rows.images == member.sum()
    np.testing.assert_allclose(rows.mean[0], whole.mean)
    for row, left in enumerate([member, *(member & (number != part) for part in range(parts))]):
        flat = np.moveaxis(values[left], 1, 0).reshape(3, -1)
        if flat.shape[1]:
            np.testing.assert_allclose(rows.mean[row], flat.mean(axis=1), rtol=1e-9, atol=1e-9)
        else:
            assert np.isnan(rows.mean[row]).all()
        if flat.shape[1] > 1:
            np.testing.assert_allclose(rows.var[row], flat.var(axis=1, ddof=1), atol=1e-8)
        else:
            assert np.isnan(rows.var[row]).all()


def test_the_jackknife_of_a_mean_is_its_standard_error() -> None:
    """With one image a part, that of a mean is the textbook's, and not that of its pixels."""
    values = np.random.default_rng(0).normal(size=(40, 2, 1)).repeat(9, axis=2)
    rows = dealt(values, np.ones(40, bool), 40).jackknifed()
    found = Sampled.of(rows.mean)
    np.testing.assert_allclose(found.error, stats.sem(values[:, :, 0], axis=0))
    half = stats.t(39).ppf(0.975) * stats.sem(values[:, :, 0], axis=0)
    np.testing.assert_allclose(found.margin(), half)


def test_intervals_hold_what_they_promise() -> None:
    """Of a statistic that is no mean: the deviation of 200 images, ten parts, 300 samples."""
    random = np.random.default_rng(1)
    held = 0
    for _ in range(300):
        values = random.normal(0, 3, (200, 1, 1))
        found = Sampled.of(np.log(dealt(values, np.ones(200, bool), 10).jackknifed().var[:, 0]))
        held += abs(found.values - math.log(9)) <= found.margin()
    assert 0.92 < held / 300 < 0.98


def test_one_part_says_nothing_of_its_error() -> None:
    found = Sampled.of(dealt(np.ones((5, 2, 1)), np.ones(5, bool), 1).jackknifed().mean)
    assert np.isnan(found.error).all()
    assert np.isnan(found.margin()).all()
    with pytest.raises(ValueError, match="between 0 and 1"):
        t_factor(10, 95)


def test_channels_that_say_nothing_do_not_count() -> None:
    values = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.inf]])
    found = channel_mean(values)
    assert found[0] == 2
    assert np.isnan(found[1])


def test_a_difference_of_the_same_images_is_surer() -> None:
    """Noise that both share goes; of independent samples, errors add up in squares."""
    random = np.random.default_rng(0)
    shared, own = random.normal(size=(2, 10))
    first = Sampled(np.array(5.0), 5 + shared)
    second = Sampled(np.array(3.0), 3 + shared + 0.1 * own)
    gap, half = difference(first, second, paired=True)
    assert gap == 2
    assert half == pytest.approx(0.1 * float(Sampled(np.array(0.0), own).margin()))
    _, apart = difference(first, second, paired=False)
    assert apart == pytest.approx(math.hypot(float(first.margin()), float(second.margin())))
    assert apart > 5 * half


def test_a_mean_leaves_out_what_is_not_known() -> None:
    found = Sampled(np.array([1.0, np.nan, 3.0]), np.array([[1.0, 2.0, 3.0]])).mean()
    assert (float(found.values), found.without.tolist()) == (2.0, [2.0])


def test_intervals_of_what_cannot_be_negative_are_of_its_logarithm() -> None:
    low, high = ends_of(4.0, 6.0, positive=True)
    assert (low, high) == pytest.approx((4 * math.exp(-1.5), 4 * math.exp(1.5)))
    low, high = ends_of([2.0, 0.0, math.nan], [1.0, 0.5, math.nan], positive=True)
    assert 0 < low[0] < 2 < high[0]
    assert np.isnan(low[1:]).all()
    low, high = ends_of([2.0, -1.0], 0.5)
    assert (low.tolist(), high.tolist()) == ([1.5, -1.5], [2.5, -0.5])
