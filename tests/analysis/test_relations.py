from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from drnn_core.analysis.relations import partial, spearman, within


def test_by_hand() -> None:
    # ranks 1 2 3 4 and 2 1 4 3: 1 - 6 * (1 + 1 + 1 + 1) / (4 * 15)
    assert spearman([10, 20, 30, 40], [5, 1, 9, 7]).rho == pytest.approx(0.6)


@given(st.integers(0, 1000))
def test_agrees_with_scipy_and_lies_in_its_interval(seed: int) -> None:
    random = np.random.default_rng(seed)
    x = random.integers(0, 6, 60).astype(float)  # many ties, as loops have
    y = x + random.normal(0, 3, 60)
    found = spearman(x, y, resamples=50)
    assert found.rho == pytest.approx(stats.spearmanr(x, y).statistic)
    assert found.p == pytest.approx(stats.spearmanr(x, y).pvalue)
    assert -1 <= found.low <= found.high <= 1
    assert found.n == 60


def test_the_interval_is_that_of_ranking_every_resample_anew() -> None:
    random = np.random.default_rng(4)
    x = random.integers(0, 4, 30).astype(float)
    y = x + random.normal(0, 2, 30)
    draws = np.random.default_rng(9)
    rows = [draws.integers(0, 30, 30) for _ in range(200)]
    literal = [stats.spearmanr(x[keep], y[keep]).statistic for keep in rows]
    found = spearman(x, y, level=0.8, resamples=200, seed=9)
    assert (found.low, found.high) == pytest.approx(np.quantile(literal, [0.1, 0.9]))


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(1)
    covered = 0
    for _ in range(100):
        x, y = random.normal(size=(2, 80))
        relation = spearman(x, y, level=0.9, resamples=100)
        covered += relation.low <= 0 <= relation.high
    assert 80 <= covered <= 98


def test_missing_values_are_left_out() -> None:
    found = spearman([1, 2, 3, 4, math.nan, 9], [1, 2, 3, 4, 0, math.nan], resamples=20)
    assert (found.rho, found.n) == (pytest.approx(1), 4)


@pytest.mark.parametrize("x", [[1.0, 1.0, 1.0, 1.0], [1.0, 2.0, math.nan, math.nan]])
def test_where_there_is_no_relation_to_measure_it_is_nan(x: list[float]) -> None:
    y = [1, 2, 3, 4]
    assert math.isnan(spearman(x, y).rho)
    assert math.isnan(within(x, y, [0, 0, 1, 1]).rho)
    assert math.isnan(partial(x, y, [[1, 3, 2, 4]]).rho)


def test_columns_of_different_length_are_a_sentence() -> None:
    with pytest.raises(ValueError, match="expected two columns of equal length"):
        spearman([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="expected at least one column that is given"):
        partial([1, 2], [1, 2], [])


def test_within_groups_it_is_the_weighted_mean_of_scipys() -> None:
    random = np.random.default_rng(2)
    groups = np.repeat([3, 7, 9], [10, 30, 5])
    x = random.integers(0, 5, 45).astype(float)
    y = x + random.normal(0, 2, 45)
    x[groups == 9] = 2.0  # says nothing
    parts = [stats.spearmanr(x[groups == k], y[groups == k]).statistic for k in (3, 7)]
    found = within(x, y, groups, resamples=50)
    assert found.rho == pytest.approx((10 * parts[0] + 30 * parts[1]) / 40)
    assert found.n == 40
    assert found.low <= found.rho <= found.high


def test_a_relation_of_classes_alone_is_none_within_them() -> None:
    random = np.random.default_rng(3)
    groups = np.repeat(np.arange(10), 60)
    x = 3.0 * groups + random.normal(size=600)
    y = 2.0 * groups + random.normal(size=600)
    assert spearman(x, y, resamples=50).rho > 0.9
    assert abs(within(x, y, groups, resamples=50).rho) < 0.1


def test_p_within_groups_is_that_of_shuffling_within_them() -> None:
    random = np.random.default_rng(5)
    groups = np.repeat([0, 1, 2], [40, 25, 15])
    x = random.integers(0, 4, 80).astype(float)
    y = 0.1 * x + random.normal(size=80)
    found = within(x, y, groups, resamples=10)
    as_far = 0
    for _ in range(1500):
        shuffled = y.copy()
        for group in range(3):
            shuffled[groups == group] = random.permutation(y[groups == group])
        as_far += abs(within(x, shuffled, groups, resamples=1).rho) >= abs(found.rho)
    assert 0.005 < found.p < 0.2, "a p that shuffling can resolve"
    assert found.p == pytest.approx(as_far / 1500, abs=0.02)


@given(st.integers(0, 1000))
def test_the_partial_correlation_is_that_of_residuals(seed: int) -> None:
    random = np.random.default_rng(seed)
    one, two = random.normal(size=(2, 50))
    x = np.round(one + random.normal(size=50))
    y = one - two + random.normal(size=50)
    ranks = [stats.rankdata(column) for column in (x, y, one, two)]
    design = np.column_stack([np.ones(50), ranks[2], ranks[3]])
    left = [rank - design @ np.linalg.lstsq(design, rank)[0] for rank in ranks[:2]]
    rho = float(np.corrcoef(left)[0, 1])
    found = partial(x, y, [one, two], resamples=5)
    assert found.rho == pytest.approx(rho)
    # the p of the last weight in the regression of x on (1, one, two, y) is the same t test
    full = np.column_stack([design, ranks[1]])
    weights, residue, *_ = np.linalg.lstsq(full, ranks[0])
    error = math.sqrt(residue[0] / 46 * np.linalg.inv(full.T @ full)[3, 3])
    assert found.p == pytest.approx(2 * stats.t.sf(abs(weights[3]) / error, 46))


def test_what_the_given_column_explains_is_gone() -> None:
    random = np.random.default_rng(6)
    confidence = random.normal(size=800)
    loops = confidence + 0.7 * random.normal(size=800)
    blur = confidence + 0.7 * random.normal(size=800)
    assert spearman(loops, blur, resamples=20).rho > 0.5
    found = partial(loops, blur, [confidence], resamples=100)
    assert abs(found.rho) < 0.15
    assert found.low < 0 < found.high
    assert math.isnan(partial(loops, blur, [blur]).rho)
    # a given column that is constant, or given twice, changes nothing
    again = partial(loops, blur, [confidence, np.ones(800), confidence], resamples=1)
    assert again.rho == pytest.approx(found.rho)
