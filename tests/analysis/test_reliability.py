"""Reliabilities of measures whose reliability is known."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from drnn_core.analysis.reliability import across_runs, disattenuated, spearman_brown, split_half


def measures(count: int, noise: float, n: int = 4000, seed: int = 0) -> np.ndarray:
    """(n, count): the same truth of variance 1, with noise of this variance apart."""
    random = np.random.default_rng(seed)
    truth = random.normal(size=(n, 1))
    return truth + math.sqrt(noise) * random.normal(size=(n, count))


def test_spearman_brown_by_hand() -> None:
    assert spearman_brown(0.6, 2) == pytest.approx(1.2 / 1.6)
    assert spearman_brown(0.75, 0.5) == pytest.approx(0.6)
    assert spearman_brown(spearman_brown(0.3, 4), 0.25) == pytest.approx(0.3)
    assert math.isnan(spearman_brown(-0.1, 2))
    assert spearman_brown(0.0, 2) == 0
    with pytest.raises(ValueError, match="positive length"):
        spearman_brown(0.5, 0)


def test_runs_of_known_reliability() -> None:
    found = across_runs(measures(3, noise=1.0), resamples=100)
    # two measures of variance 2 share 1: r = .5, whose ranks correlate a little less
    ranked = 6 / math.pi * math.asin(0.5 / 2)
    assert found.single.value == pytest.approx(ranked, abs=0.02)
    assert found.single.low < ranked < found.single.high
    assert found.whole.value == pytest.approx(3 * ranked / (1 + 2 * ranked), abs=0.02)
    assert found.parts == 3


def test_pairs_of_runs_are_scipys() -> None:
    table = measures(3, 2.0, n=30)
    pairs = [
        stats.spearmanr(table[:, a], table[:, b]).statistic for a, b in ((0, 1), (0, 2), (1, 2))
    ]
    assert across_runs(table, resamples=2).single.value == pytest.approx(np.mean(pairs))


def test_split_halves_of_four_parts_are_these_three() -> None:
    table = measures(4, 1.0, n=50)
    table[3, 1] = math.nan  # an image that is not whole says nothing
    rows = np.delete(table, 3, axis=0)
    halves = [((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2))]
    rhos = [
        stats.spearmanr(rows[:, one].sum(axis=1), rows[:, two].sum(axis=1)).statistic
        for one, two in halves
    ]
    found = split_half(table, resamples=2)
    assert found.single.value == pytest.approx(np.mean(rhos))
    assert found.whole.value == pytest.approx(spearman_brown(float(np.mean(rhos)), 2))
    assert found.single.n == 49


@pytest.mark.parametrize("count", [2, 5, 12])
def test_the_sum_of_parts_has_the_reliability_of_its_length(count: int) -> None:
    found = split_half(measures(count, noise=3.0, n=8000), resamples=2)
    # a sum of K parts has K² of the truth's variance and 3 K of noise; ranks lose a little
    assert found.whole.value == pytest.approx(count / (count + 3), abs=0.03)


def test_parts_that_contradict_each_other_have_no_reliability() -> None:
    random = np.random.default_rng(2)
    truth = random.normal(size=(500, 1))
    against = split_half(np.hstack([truth, -truth]) + random.normal(size=(500, 2)), resamples=20)
    assert against.single.high < 0
    assert math.isnan(against.whole.value)
    assert math.isnan(against.whole.high)
    chance = split_half(random.normal(size=(500, 2)) + 0.25 * truth, resamples=50)
    assert chance.single.low < 0 <= chance.single.value
    assert chance.whole.low == 0


def test_correction_for_attenuation_gives_the_truth_back() -> None:
    random = np.random.default_rng(1)
    truth = random.normal(size=(20_000, 2))
    truth[:, 1] = 0.6 * truth[:, 0] + 0.8 * truth[:, 1]
    seen = truth + random.normal(size=truth.shape) * [1.0, 0.5]
    rho = float(stats.pearsonr(seen[:, 0], seen[:, 1]).statistic)
    assert rho < 0.45
    assert disattenuated(rho, 1 / 2, 1 / 1.25) == pytest.approx(0.6, abs=0.02)
    assert math.isnan(disattenuated(0.5, 0.0))
    assert math.isnan(disattenuated(0.5, -0.2, -0.2))


def test_one_run_has_no_reliability() -> None:
    for measure, part in itertools.product((across_runs, split_half), ([[1.0], [2.0]], [1.0, 2.0])):
        with pytest.raises(ValueError, match="two or more"):
            measure(part)
