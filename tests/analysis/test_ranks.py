"""Ranks of resamples against sorting the resample itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from drnn_core.analysis.bootstrap import columns_of, estimate, interval, mean_estimate, resamples_of
from drnn_core.analysis.ranks import Ranks, correlation_matrix, correlations, partial_of


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), min_size=1, max_size=30))
def test_ranks_of_a_resample_are_those_of_the_drawn_images(drawn: list[tuple[int, int]]) -> None:
    values = np.array([value for value, _ in drawn], dtype=np.float64)
    counts = np.array([count for _, count in drawn])
    whole = np.repeat(np.arange(len(values)), counts)
    found = Ranks(values).of(counts)
    np.testing.assert_array_equal(found[whole], stats.rankdata(values[whole]))
    np.testing.assert_array_equal(Ranks(values).of(), stats.rankdata(values))


@given(st.integers(0, 10_000))
def test_ranks_within_groups_are_those_of_each_group(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = random.integers(0, 4, 25).astype(float)
    groups = random.choice([0, 1, 4], 25)  # a group in the middle may be empty
    counts = random.integers(0, 3, 25)
    found = Ranks(values, groups).of(counts)
    for group in np.unique(groups):
        rows = np.repeat(np.flatnonzero(groups == group), counts[groups == group])
        np.testing.assert_array_equal(found[rows], stats.rankdata(values[rows]))


@given(st.integers(0, 10_000))
def test_correlations_of_groups_are_numpys(seed: int) -> None:
    random = np.random.default_rng(seed)
    x, y = random.normal(size=(2, 40))
    groups, counts = random.integers(0, 3, 40), random.integers(0, 3, 40)
    found, n = correlations(x, y, counts, groups, 3)
    for group in range(3):
        rows = np.repeat(np.flatnonzero(groups == group), counts[groups == group])
        assert n[group] == len(rows)
        if len(np.unique(rows)) > 2:
            assert found[group] == pytest.approx(np.corrcoef(x[rows], y[rows])[0, 1])


def test_constant_columns_correlate_with_nothing() -> None:
    found, n = correlations(np.array([1.0, 1.0, 2.0]), np.array([3.0, 4.0, 5.0]), None, None)
    assert (found[0], n[0]) == (pytest.approx(math.sqrt(3) / 2), 3)
    assert np.isnan(correlations(np.full(3, 0.1), np.arange(3.0))[0][0])


def test_the_partial_correlation_of_one_is_the_textbooks() -> None:
    random = np.random.default_rng(3)
    z = random.normal(size=50)
    x, y = z + random.normal(size=50), 2 * z + random.normal(size=50)
    r = np.asarray(np.corrcoef([x, y, z]))
    by_hand = (r[0, 1] - r[0, 2] * r[1, 2]) / math.sqrt((1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2))
    matrix = correlation_matrix([x, y, z], np.ones(50, dtype=np.int64))
    np.testing.assert_allclose(matrix, r)
    assert partial_of(matrix) == pytest.approx(by_hand)
    assert math.isnan(partial_of(np.asarray(np.corrcoef([x, y, x]))))


def test_resamples_are_samples_with_replacement_and_repeat_themselves() -> None:
    draws = list(resamples_of(7, 200, 5))
    assert all(counts.sum() == 7 and len(counts) == 7 for counts in draws)
    assert len({tuple(counts) for counts in draws}) > 150
    again = list(resamples_of(7, 200, 5))
    assert all((one == two).all() for one, two in zip(draws, again, strict=True))
    assert np.mean([counts[0] == 0 for counts in draws]) == pytest.approx((6 / 7) ** 7, abs=0.1)


def test_the_interval_of_a_mean_is_about_scipys() -> None:
    values = np.random.default_rng(0).exponential(size=80)
    found = mean_estimate(values, level=0.9, resamples=3000)
    theirs = stats.bootstrap(
        (values,), np.mean, confidence_level=0.9, n_resamples=3000, method="percentile", rng=1
    ).confidence_interval
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(theirs.low, abs=0.03)
    assert found.high == pytest.approx(theirs.high, abs=0.03)
    assert math.isnan(mean_estimate([]).value)


def test_intervals_of_nothing_and_levels_out_of_range() -> None:
    assert all(math.isnan(limit) for limit in interval([math.nan, math.nan], 0.95))
    assert interval([1.0, math.nan, 3.0], 0.5) == (1.5, 2.5)
    assert math.isnan(estimate(lambda counts: 1.0, 0).value)
    with pytest.raises(ValueError, match="between 0 and 1"):
        interval([1.0], 95)


def test_rows_that_are_not_finite_are_left_out_together() -> None:
    found = columns_of([1, 2, math.nan, 4], [math.inf, 2, 3, 4], [1, 2, 3, 4])
    assert [column.tolist() for column in found] == [[2, 4]] * 3
    with pytest.raises(ValueError, match="expected 3 columns of equal length"):
        columns_of([1], [1, 2], [1])
