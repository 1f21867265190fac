from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from drnn_core.analysis.relations import spearman


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
    assert math.isnan(spearman(x, [1, 2, 3, 4]).rho)


def test_columns_of_different_length_are_a_sentence() -> None:
    with pytest.raises(ValueError, match="expected two columns of equal length"):
        spearman([1, 2], [1, 2, 3])
