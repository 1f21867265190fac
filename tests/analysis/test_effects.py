"""Effect sizes by counting pairs, and their intervals by resamples written out."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from drnn_core.analysis.dominance import Dominance
from drnn_core.analysis.effects import SIZES, Effect, Ends, size_of


def effect(easy: np.ndarray, hard: np.ndarray, level: float, resamples: int) -> Effect:
    """Of images of one class."""
    labels = np.zeros(len(easy), np.int64), np.zeros(len(hard), np.int64)
    return Ends(*labels, level, resamples, 0).effect("x", easy, hard)


def within(easy: np.ndarray, hard: np.ndarray, few: np.ndarray, many: np.ndarray) -> float:
    """The classes' deltas, weighted, from all of their pairs."""
    deltas, weights = [], []
    for label in set(few) & set(many):
        a, b = easy[few == label], hard[many == label]
        deltas.append(np.mean([np.sign(y - x) for x, y in itertools.product(a, b)]))
        weights.append(len(a) * len(b) / (len(a) + len(b)))
    return float(np.average(deltas, weights=weights)) if deltas else math.nan


@given(st.integers(0, 500))
def test_effects_are_those_of_counting_pairs(seed: int) -> None:
    random = np.random.default_rng(seed)
    easy, hard = random.integers(0, 5, 14).astype(float), random.integers(1, 7, 9).astype(float)
    found = effect(easy, hard, 0.9, 60)
    pairs = [np.sign(b - a) for a, b in itertools.product(easy, hard)]
    assert found.delta.value == pytest.approx(np.mean(pairs))
    pooled = math.sqrt((13 * easy.var(ddof=1) + 8 * hard.var(ddof=1)) / 21)
    assert found.d.value == pytest.approx((hard.mean() - easy.mean()) / pooled)
    assert found.p == pytest.approx(stats.mannwhitneyu(easy, hard).pvalue)
    assert -1 <= found.delta.low <= found.delta.high <= 1
    assert (found.easy_n, found.hard_n, found.delta.n) == (14, 9, 23)
    assert found.within == found.delta  # all are of one class


@given(st.integers(0, 500), st.integers(1, 5))
def test_resamples_are_those_of_images_copied(seed: int, classes: int) -> None:
    random = np.random.default_rng(seed)
    easy, hard = random.integers(0, 4, 13).astype(float), random.integers(1, 5, 11).astype(float)
    few, many = random.integers(0, classes, 13), random.integers(0, classes + 1, 11)
    counts = random.integers(0, 4, (13, 6)), random.integers(0, 4, (11, 6))
    found = Dominance(easy, hard, few, many).of(*(part.astype(np.float32) for part in counts))
    for place in range(6):
        a, b = (np.repeat(np.arange(len(part)), part[:, place]) for part in counts)
        assert found[place] == pytest.approx(within(easy[a], hard[b], few[a], many[b]), nan_ok=True)


def test_counts_of_many_images_stay_exact() -> None:
    """Running sums in float32 must not be carried from one class to the next."""
    random = np.random.default_rng(0)
    n, classes = 6000, 400
    labels = np.repeat(np.arange(classes), n // classes)
    easy, hard = random.normal(0, 1, n), random.normal(0.3, 1, n)
    counts = np.ones((n, 1))
    single = Dominance(easy, hard, labels, labels).of(
        counts.astype(np.float32), counts.astype(np.float32)
    )
    assert single[0] == pytest.approx(within(easy, hard, labels, labels), abs=1e-12)


def test_what_only_the_classes_make_is_not_within_them() -> None:
    """Dark class 0 is mostly easy, bright class 1 mostly hard; within each nothing differs."""
    easy = np.array([0.0, 1.0] * 9 + [8.0, 9.0])
    hard = np.array([0.0, 1.0] + [8.0, 9.0] * 9)
    labels = np.repeat([0, 1], [18, 2]), np.repeat([0, 1], [2, 18])
    found = Ends(*labels, 0.95, 200, 0).effect("brightness", easy, hard)
    # 18 * 18 pairs of a dark easy and a bright hard image, 2 * 2 the other way, 400 in all
    assert found.delta.value == pytest.approx(0.8)
    assert found.delta.low > 0.4
    assert found.within.value == 0
    assert found.within.low < 0 < found.within.high


def test_the_intervals_are_about_scipys() -> None:
    random = np.random.default_rng(0)
    easy, hard = random.normal(0, 1, 60), random.normal(0.5, 1, 50)
    found = effect(easy, hard, 0.9, 800)

    def delta(a: np.ndarray, b: np.ndarray) -> float:
        return 2 * float(stats.mannwhitneyu(b, a).statistic) / (len(a) * len(b)) - 1

    def cohen(a: np.ndarray, b: np.ndarray) -> float:
        return float(
            (b.mean() - a.mean()) / math.sqrt((59 * a.var(ddof=1) + 49 * b.var(ddof=1)) / 108)
        )

    for statistic, ours in ((delta, found.delta), (cohen, found.d)):
        theirs = stats.bootstrap(
            (easy, hard), statistic, confidence_level=0.9, n_resamples=800, method="percentile",
            vectorized=False, rng=3,
        ).confidence_interval  # fmt: skip
        assert ours.low == pytest.approx(theirs.low, abs=0.05)
        assert ours.high == pytest.approx(theirs.high, abs=0.05)
        assert ours.low < ours.value < ours.high


def test_columns_that_lack_images_draw_among_the_others() -> None:
    labels = np.repeat([0, 1], 5)
    ends = Ends(labels, labels, 0.95, 50, 0)
    whole = ends.effect("whole", np.arange(10.0), np.arange(10.0) + 3)
    holes = np.where(labels == 1, math.nan, np.arange(10.0))
    found = ends.effect("holes", holes, np.arange(10.0) + 3)
    assert (found.easy_n, found.hard_n) == (5, 10)
    # only class 0 has both: of the 25 pairs of 0..4 and 3..7 two are level, one falls
    assert found.within.value == pytest.approx((22 - 1) / 25)
    assert ends.effect("whole", np.arange(10.0), np.arange(10.0) + 3) == whole
    assert math.isnan(ends.effect("none", holes * math.nan, np.arange(10.0)).within.value)


def test_constant_columns_have_no_d() -> None:
    found = effect(np.full(4, 0.1), np.full(5, 0.7), 0.95, 20)
    assert (found.delta.value, found.delta.low) == (1, 1)
    assert math.isnan(found.d.value)
    assert math.isnan(found.d.low)


def test_the_size_in_a_word() -> None:
    assert [size_of(value) for value in (0, -0.146, 0.147, -0.33, 0.474, 1)] == [
        "negligible", "negligible", "small", "medium", "large", "large",
    ]  # fmt: skip
    assert [word for word, _ in SIZES][-1] == "large"
    with pytest.raises(ValueError, match="got NaN"):
        size_of(math.nan)
