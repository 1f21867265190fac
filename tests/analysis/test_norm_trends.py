"""Trends against scipy and against orders by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from drnn_core.analysis.moments import Sampled
from drnn_core.analysis.norm_trends import over_depth, over_loops

PLACES = 12


def sampled(values: np.ndarray, noise: float = 0.0, parts: int = 10) -> Sampled:
    random = np.random.default_rng(0)
    return Sampled(values, values + noise * random.normal(size=(parts, len(values))))


def test_over_depth_is_spearman_with_an_interval_over_images() -> None:
    values = np.random.default_rng(2).normal(size=PLACES) + np.arange(PLACES) / 4
    found = over_depth(sampled(values, 0.05))
    wanted = stats.spearmanr(np.arange(PLACES), values)
    assert found.rho == pytest.approx(wanted.statistic)
    assert found.p == pytest.approx(wanted.pvalue)
    assert found.n == PLACES
    assert -1 < found.low < found.rho < found.high < 1
    noisier = over_depth(sampled(values, 0.3))
    assert noisier.high - noisier.low > found.high - found.low


def test_the_interval_is_the_jackknife_within_its_bounds() -> None:
    values = np.array([1.0, 3.0, 2.0, 5.0, 4.0])
    other = np.array([3.0, 1.0, 2.0, 5.0, 4.0])
    found = over_depth(Sampled(values, np.stack([values, values, values, other])))
    rho, less = (stats.spearmanr(range(5), each).statistic for each in (values, other))
    error = math.sqrt(3 / 4 * (3 * ((rho - less) / 4) ** 2 + (3 * (rho - less) / 4) ** 2))
    half = stats.t(3).ppf(0.975) * error
    assert found.low == pytest.approx(rho - half)
    assert found.high == pytest.approx(min(1, rho + half))
    rising = np.arange(5.0)
    sure = over_depth(Sampled(rising, np.stack([rising, rising, rising, values])))
    assert (sure.rho, sure.high) == (pytest.approx(1), 1)


def test_places_without_a_number_are_left_out() -> None:
    values = np.array([1.0, np.nan, 2.0, 3.0, np.nan, 2.5])
    known = np.isfinite(values)
    wanted = stats.spearmanr(np.flatnonzero(known), values[known])
    found = over_depth(sampled(values))
    assert (found.n, found.rho) == (4, pytest.approx(wanted.statistic))
    nothing = over_depth(sampled(np.full(5, np.nan)))
    assert nothing.n == 0
    assert math.isnan(nothing.rho)
    assert math.isnan(over_depth(sampled(np.ones(5))).rho), "no order among equals"


def test_over_loops_is_within_each_block() -> None:
    """Two blocks that rise from loop to loop, the second lower than the first: ρ = 1, not less."""
    values = np.array([5.0, 6.0, 7.0, 8.0, 1.0, 2.0, 3.0, 4.0])
    blocks = ["a"] * 4 + ["b"] * 4
    found = over_loops(sampled(values), blocks)
    assert found.rho == pytest.approx(1)
    assert over_depth(sampled(values)).rho < 0
    assert found.n == 8
    assert found.p == pytest.approx(2 / math.factorial(4) ** 2)  # both rise, or both fall
    mixed = over_loops(sampled(np.array([1.0, 2.0, 3.0, 9.0, 8.0])), ["a", "a", "a", "b", "b"])
    assert mixed.rho == pytest.approx((3 * 1 + 2 * -1) / 5)
    alone = over_loops(sampled(np.array([1.0, 2.0])), ["a", "b"])
    assert (alone.n, math.isnan(alone.rho)) == (0, True)


def test_two_blocks_of_two_loops_prove_nothing() -> None:
    found = over_loops(sampled(np.array([1.0, 2.0, 5.0, 7.0])), ["a", "a", "b", "b"])
    assert (found.rho, found.p) == (pytest.approx(1), 0.5)


def test_p_of_more_loops_than_can_be_ordered_is_that_of_a_normal_distribution() -> None:
    values = np.concatenate([np.arange(10.0), np.arange(10.0)])
    found = over_loops(sampled(values), ["a"] * 10 + ["b"] * 10)
    assert found.p == pytest.approx(2 * stats.norm.sf(20 / math.sqrt(2 * 100 / 9)))


def test_p_of_loops_in_random_order_is_kept() -> None:
    """No smaller than it says; and not much larger, though orders are no continuum."""
    random = np.random.default_rng(3)
    blocks = [block for block in range(6) for _ in range(4)]
    found = [over_loops(sampled(random.normal(size=24), parts=0), blocks).p for _ in range(150)]
    for level in (0.05, 0.2, 0.5):
        share, spread = np.mean(np.array(found) <= level), math.sqrt(level * (1 - level) / 150)
        assert level - 0.07 - 3 * spread < share < level + 3 * spread
