"""Shared bits against the G statistic, and no bits where nothing is shared."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from drnn_core.analysis.information import entropy_of, mutual_information


@given(st.integers(0, 1000))
def test_the_plug_in_value_is_the_g_statistic(seed: int) -> None:
    random = np.random.default_rng(seed)
    x = random.integers(0, 4, 80)
    y = np.where(random.random(80) < 0.5, x, random.integers(0, 3, 80))
    table = np.zeros((x.max() + 1, y.max() + 1))
    np.add.at(table, (x, y), 1)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    g = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic
    found = mutual_information(x, y, permutations=0)
    assert found.plug_in == pytest.approx(g / (2 * 80 * math.log(2)))
    assert found.first_entropy == pytest.approx(stats.entropy(table.sum(axis=1), base=2))
    assert mutual_information(y, x, permutations=0).plug_in == pytest.approx(found.plug_in)


def test_a_column_shares_all_of_itself() -> None:
    found = mutual_information(["a", "b", "a", "b"], [True, False, True, False], permutations=99)
    assert found.plug_in == pytest.approx(1)
    # 2 + 2 - 2 kinds, 4 images
    assert found.corrected == pytest.approx(1 + 1 / (8 * math.log(2)))
    assert entropy_of([2, 2, 0]) == pytest.approx(1)


def test_where_nothing_is_shared_the_correction_takes_the_bias_away() -> None:
    random = np.random.default_rng(0)
    plug_in, corrected, chances = [], [], []
    for seed in range(60):
        x, y = random.integers(0, 6, 300), random.integers(0, 5, 300)
        found = mutual_information(x, y, permutations=99, seed=seed)
        plug_in.append(found.plug_in)
        corrected.append(found.corrected)
        chances.append(found.p)
    assert np.mean(plug_in) == pytest.approx(20 / (600 * math.log(2)), rel=0.15)
    assert abs(np.mean(corrected)) < 0.1 * np.mean(plug_in)
    assert stats.kstest(chances, "uniform").pvalue > 0.01
    assert all(0.01 <= p <= 1 for p in chances)


def test_shared_bits_have_a_small_p() -> None:
    x = np.arange(200) % 4
    found = mutual_information(x, x // 2, permutations=199)
    assert found.plug_in == pytest.approx(1)
    assert found.p == pytest.approx(1 / 200)


def test_of_nothing_and_of_different_lengths() -> None:
    assert math.isnan(mutual_information([], []).plug_in)
    with pytest.raises(ValueError, match="equal length"):
        mutual_information([1], [1, 2])
