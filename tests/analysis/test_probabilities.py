"""The same figures as scipy.stats gives."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from drnn_core.analysis.probabilities import (
    mann_whitney,
    mean_ranks,
    normal_quantile,
    normal_tail,
    sign_test,
    spearman_test,
    t_quantile,
    t_tail,
)

numbers = st.lists(st.integers(-4, 4), min_size=3, max_size=40)


@pytest.mark.parametrize("p", [0.005, 0.5, 0.975, 0.9995])
def test_quantiles(p: float) -> None:
    assert normal_quantile(p) == pytest.approx(stats.norm.ppf(p), abs=1e-12)
    freedom = np.array([1, 2, 9, 1000])
    assert t_quantile(p, freedom) == pytest.approx(stats.t.ppf(p, freedom), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("value", [-1.0, 0.0, 0.3, 2.5, 12.0, 37.0])
def test_tails(value: float) -> None:
    assert normal_tail(value) == pytest.approx(stats.norm.sf(value), rel=1e-10)
    for freedom in (1, 4, 998):
        assert t_tail(value, freedom) == pytest.approx(stats.t.sf(value, freedom), rel=1e-8)


@given(numbers)
def test_ranks(values: list[int]) -> None:
    assert mean_ranks(values).tolist() == stats.rankdata(values).tolist()


@given(st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=9, max_size=40))
def test_spearman(pairs: list[tuple[int, int]]) -> None:
    x, y = np.array(pairs, dtype=np.float64).T
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return
    found = stats.spearmanr(x, y)
    rho, p = spearman_test(x, y)
    assert rho == pytest.approx(found.statistic, abs=1e-12)
    assert p == pytest.approx(found.pvalue, rel=1e-6, abs=1e-12)


@given(st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=3, max_size=6))
def test_spearman_of_few_is_exact(pairs: list[tuple[int, int]]) -> None:
    x, y = np.array(pairs, dtype=np.float64).T
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return

    def rho(order: np.ndarray) -> float:
        return float(np.corrcoef(stats.rankdata(x), stats.rankdata(order))[0, 1])

    found = [rho(np.array(order)) for order in permutations(y)]
    expected = np.mean(np.abs(found) >= abs(rho(y)) - 1e-9)
    assert spearman_test(x, y) == pytest.approx((rho(y), expected))


def test_four_that_rise_are_no_proof() -> None:
    assert spearman_test([1, 2, 3, 4], [10, 20, 30, 40]) == pytest.approx((1, 1 / 12))


@given(st.integers(0, 300), st.integers(0, 300))
def test_signs(a: int, b: int) -> None:
    expected = stats.binomtest(a, a + b).pvalue if a + b else 1.0
    assert sign_test(a, b) == pytest.approx(expected, rel=1e-9)


@given(numbers, numbers)
def test_mann_whitney_with_ties(x: list[int], y: list[int]) -> None:
    if len({*x, *y}) == 1:
        assert mann_whitney(np.array(x, float), np.array(y, float)) == 1
        return
    expected = stats.mannwhitneyu(x, y).pvalue
    assert mann_whitney(np.array(x, float), np.array(y, float)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("n", "m"), [(2, 5), (8, 30), (9, 9), (40, 60)])
def test_mann_whitney_without_ties(n: int, m: int) -> None:
    random = np.random.default_rng(n)
    x, y = random.normal(size=n), random.normal(0.5, size=m)
    assert mann_whitney(x, y) == pytest.approx(stats.mannwhitneyu(x, y).pvalue, rel=1e-9)
