"""Statistics over seeds against SciPy's own tests, by hand and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from drnn_core.analysis.seeds import (
    clustered_mcnemar,
    correlation_over_seeds,
    difference_over_seeds,
    mean_and_range,
    over_seeds,
    paired_errors,
    paired_losses,
    spread_parts,
)


def test_the_interval_is_that_of_a_t_test() -> None:
    values = [8.1, 8.4, 7.9, 8.8]
    found, other = over_seeds(values), stats.ttest_1samp(values, 0)
    low, high = other.confidence_interval(0.95)
    assert (found.n, found.mean) == (4, pytest.approx(8.3))
    assert (found.low, found.high, found.p) == pytest.approx((low, high, other.pvalue))
    assert found.std == pytest.approx(np.std(values, ddof=1))
    assert found.sign == 1
    assert over_seeds([-1, 1, 0.1]).sign == 0
    assert over_seeds([-1, -1.1, -0.9]).sign == -1


def test_one_seed_has_a_mean_and_no_interval() -> None:
    found = over_seeds([3.0])
    assert (found.n, found.mean, found.sign) == (1, 3.0, 0)
    assert all(map(math.isnan, (found.std, found.low, found.high, found.p)))
    assert math.isnan(over_seeds([math.nan]).mean)
    assert over_seeds([2.0, 2.0]).p == 0
    assert over_seeds([0.0, 0.0]).p == 1


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=6))
def test_intervals_of_correlations_stay_where_correlations_are(rhos: list[float]) -> None:
    found = correlation_over_seeds(rhos)
    assert -1 <= found.low <= found.high <= 1
    assert found.mean == pytest.approx(np.mean(rhos))


def test_the_interval_of_correlations_is_of_fishers_transform() -> None:
    rhos = [0.5, 0.7, 0.62]
    found, other = correlation_over_seeds(rhos), stats.ttest_1samp(np.arctanh(rhos), 0)
    low, high = other.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((math.tanh(low), math.tanh(high)))
    assert found.p == pytest.approx(other.pvalue)
    assert math.isnan(correlation_over_seeds([0.5]).low)


def test_differences_are_paired_by_seed_and_others_left_out() -> None:
    first, second = {1: 10.0, 2: 20.0, 3: 5.0}, {2: 21.0, 1: 10.5, 4: 0.0}
    found = difference_over_seeds(first, second)
    other = stats.ttest_rel([10.5, 21.0], [10.0, 20.0])
    assert (found.n, found.mean, found.p) == (2, pytest.approx(0.75), pytest.approx(other.pvalue))


def pairs_of(right_a: np.ndarray, right_b: np.ndarray) -> dict[int, pd.DataFrame]:
    """Tables of some seeds, the columns of two (N, seeds) arrays; rows in another order each."""
    random = np.random.default_rng(0)
    found: dict[int, pd.DataFrame] = {}
    for seed in range(right_a.shape[1]):
        rows = random.permutation(len(right_a))
        columns = {"id": rows, "correct_a": right_a[rows, seed], "correct_b": right_b[rows, seed]}
        found[seed + 1] = pd.DataFrame(columns)
    return found


def test_paired_losses_are_differences_image_by_image() -> None:
    random = np.random.default_rng(1)
    a, b = random.exponential(size=(2, 300, 3))
    pairs = {
        seed: pd.DataFrame({"id": range(300), "loss_a": a[:, seed], "loss_b": b[:, seed]})
        for seed in range(3)
    }
    pairs[2] = pairs[2].sample(frac=1, random_state=0)
    found = paired_losses(pairs)
    gaps = (b - a).mean(axis=0)
    assert list(found.by_seed.values()) == pytest.approx(gaps)
    low, high = stats.ttest_1samp(gaps, 0).confidence_interval(0.95)
    assert (found.over_seeds.low, found.over_seeds.high) == pytest.approx((low, high))
    assert found.over_images.value == pytest.approx(gaps.mean())
    error = (b - a).mean(axis=1).std(ddof=1) / math.sqrt(300)
    assert found.over_images.high - found.over_images.low == pytest.approx(3.92 * error, rel=0.15)
    with pytest.raises(ValueError, match="got seeds with others"):
        paired_losses({**pairs, 3: pairs[0].assign(id=range(1, 301))})
    with pytest.raises(ValueError, match="at least one seed"):
        paired_losses({})


def test_paired_errors_by_hand() -> None:
    a = np.array([[1, 1], [1, 0], [0, 0], [1, 1]], dtype=bool)
    b = np.array([[0, 1], [0, 1], [0, 1], [1, 1]], dtype=bool)
    found = paired_errors(pairs_of(a, b))
    assert dict(found.by_seed) == {1: 50.0, 2: -50.0}
    assert (found.only_first, found.only_second) == (2, 2)
    assert found.over_seeds.mean == found.over_images.value == 0
    assert found.p == 1
    # images change by -1, 0, 1, 0: the spread of their means over seeds bounds the bootstrap
    assert -50 <= found.over_images.low < 0 < found.over_images.high <= 50


def test_the_interval_over_images_is_of_the_mean_over_seeds() -> None:
    random = np.random.default_rng(1)
    a = random.random((2000, 3)) < 0.9
    b = random.random((2000, 3)) < 0.88
    found = paired_errors(pairs_of(a, b))
    change = 100 * (a.astype(float) - b).mean(axis=1)
    half = 1.96 * change.std() / math.sqrt(2000)
    assert found.over_images.value == pytest.approx(change.mean())
    assert found.over_images.low == pytest.approx(change.mean() - half, abs=0.1)
    assert found.over_images.high == pytest.approx(change.mean() + half, abs=0.1)


def test_other_images_are_refused() -> None:
    a = np.ones((4, 2), dtype=bool)
    pairs = pairs_of(a, a)
    pairs[2] = pairs[2].assign(id=[9, 8, 7, 6])
    with pytest.raises(ValueError, match="same images"):
        paired_errors(pairs)
    with pytest.raises(ValueError, match="at least one seed"):
        paired_errors({})


def test_one_seed_is_mcnemars_test() -> None:
    changes = np.array([[1]] * 30 + [[-1]] * 12 + [[0]] * 100)
    expected = stats.chi2.sf((30 - 12) ** 2 / 42, 1)
    assert clustered_mcnemar(changes) == pytest.approx(float(expected))
    assert clustered_mcnemar(np.zeros((5, 2))) == 1


def test_seeds_that_agree_do_not_count_as_more_images() -> None:
    """Where every seed says the same, three of them are no more certain than one."""
    random = np.random.default_rng(2)
    once = random.choice([-1, 0, 1], (500, 1), p=[0.1, 0.75, 0.15])
    assert clustered_mcnemar(np.repeat(once, 3, axis=1)) == pytest.approx(clustered_mcnemar(once))


def test_the_clustered_test_holds_its_level() -> None:
    """Seeds of an image agree, and the two trainings do not differ: 5 % of tests are below .05."""
    random = np.random.default_rng(3)
    below = 0
    for _ in range(1000):
        shared = random.choice([-1, 0, 1], (300, 1), p=[0.1, 0.8, 0.1])
        own = random.choice([-1, 0, 1], (300, 3), p=[0.1, 0.8, 0.1])
        below += clustered_mcnemar(np.where(random.random((300, 3)) < 0.6, shared, own)) < 0.05
    assert 30 <= below <= 75


def test_parts_of_the_spread_add_up() -> None:
    random = np.random.default_rng(4)
    groups = random.integers(0, 5, 1000)
    values = groups + random.normal(size=1000)
    between, within = spread_parts(values, groups)
    assert between**2 + within**2 == pytest.approx(np.var(values))
    assert within == pytest.approx(1, abs=0.1)
    assert spread_parts(groups, groups) == (pytest.approx(np.std(groups)), 0)


def test_curves_go_as_far_as_all_reached() -> None:
    found = mean_and_range([[1, 2, 3], [3, 6]])
    assert found.tolist() == [[2, 4], [1, 2], [3, 6]]
    assert mean_and_range([]).shape == (3, 0)
