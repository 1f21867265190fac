"""AUROC by counting pairs, the regression by scipy's optimiser, and what loops add."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from drnn_core.analysis.error_prediction import (
    added_likelihood,
    auroc,
    entropy_terms,
    error_prediction,
    fit_logistic,
    held_out,
)


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=2, max_size=25))
def test_auroc_counts_pairs(drawn: list[tuple[int, bool]]) -> None:
    high = [score for score, positive in drawn if positive]
    low = [score for score, positive in drawn if not positive]
    found = auroc([score for score, _ in drawn], [positive for _, positive in drawn])
    if not high or not low:
        assert math.isnan(found)
        return
    pairs = [(a > b) + 0.5 * (a == b) for a in high for b in low]
    assert found == pytest.approx(sum(pairs) / len(pairs))


def data(seed: int, n: int = 300, weight: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    features = random.normal(size=(n, 2)) * [3.0, 0.2] + [5.0, -1.0]
    logits = 0.4 * (features[:, 0] - 5) + weight * 4 * (features[:, 1] + 1) - 1
    return features, random.random(n) < 1 / (1 + np.exp(-logits))


def minus_likelihood(weights: np.ndarray, features: np.ndarray, positive: np.ndarray) -> float:
    logits = weights[0] + features @ weights[1:]
    return -float(np.sum(stats.bernoulli.logpmf(positive, 1 / (1 + np.exp(-logits)))))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_regression_is_the_likeliest(seed: int) -> None:
    features, positive = data(seed)
    best = optimize.minimize(
        minus_likelihood, np.zeros(3), (features, positive), "BFGS", options={"gtol": 1e-6}
    )
    np.testing.assert_allclose(fit_logistic(features, positive), best.x, rtol=2e-3, atol=2e-3)
    alone = optimize.minimize(minus_likelihood, np.zeros(2), (features[:, :1], positive), "BFGS")
    p = stats.chi2.sf(2 * (alone.fun - best.fun), 1)
    assert added_likelihood(features[:, :1], features, positive) == pytest.approx(p, rel=0.01)


def test_separable_and_constant_data_have_a_finite_fit() -> None:
    x = np.arange(10.0)[:, None]
    weights = fit_logistic(x, np.arange(10) >= 5)
    assert np.isfinite(weights).all()
    assert weights[0] + 4 * weights[1] < 0 < weights[0] + 5 * weights[1]
    flat = fit_logistic(np.ones((8, 1)), np.arange(8) < 2)
    assert flat[0] + flat[1] == pytest.approx(math.log(2 / 6), abs=1e-3)


def test_held_out_scores_never_saw_their_image() -> None:
    features, positive = data(0, 60)
    before = held_out(features, positive, 5)
    changed = positive.copy()
    # swap the answers of a right and a wrong image: the folds stay, the fits of others do not
    image, other = np.flatnonzero(positive)[0], np.flatnonzero(~positive)[0]
    changed[[image, other]] = changed[[other, image]]
    assert not np.allclose(held_out(features, changed, 5), before)
    # one image to a fold: each score is that of a fit on all others
    few, answers = features[:12], np.arange(12) % 2 == 0
    scores = held_out(few, answers, 6)
    refits = []
    for left in range(12):
        for partner in range(12):
            if answers[left] == answers[partner]:
                continue
            keep = np.delete(np.arange(12), [left, partner])
            weights = fit_logistic(few[keep], answers[keep])
            refits.append((left, weights[0] + few[left] @ weights[1:]))
    for left in range(12):
        assert any(score == pytest.approx(scores[left]) for image, score in refits if image == left)


def test_loops_that_add_something_and_loops_that_do_not() -> None:
    features, wrong = data(3, 1500)
    found = error_prediction(~wrong, np.exp(features[:, 0]), features[:, 1], resamples=200)
    assert (found.n, found.errors) == (1500, int(wrong.sum()))
    theirs = stats.mannwhitneyu(features[wrong, 0], features[~wrong, 0]).statistic
    assert found.entropy.value == pytest.approx(theirs / (wrong.sum() * (~wrong).sum()))
    assert found.added.low > 0.01
    assert found.p < 1e-6
    alone = auroc(held_out(entropy_terms(np.exp(features[:, 0])), wrong, 10), wrong)
    assert found.added.value == pytest.approx(found.both.value - alone)

    noise = np.random.default_rng(0).normal(size=1500)
    found = error_prediction(~wrong, np.exp(features[:, 0]), noise, resamples=200)
    assert abs(found.added.value) < 0.01
    assert found.added.low < 0.005
    assert found.p > 0.01
    assert found.loops.low < 0.5 < found.loops.high


@pytest.mark.parametrize("sign", [1, -1])
def test_loops_that_follow_the_entropy_add_nothing(sign: int) -> None:
    """Most entropies are next to none, and errors follow their logarithm, as softmax makes it."""
    random = np.random.default_rng(7)
    logs = np.minimum(random.normal(-4, 3, 6000), 0.8)
    wrong = random.random(6000) < 1 / (1 + np.exp(-logs))
    loops = np.round(3 + sign * logs / 3 + random.normal(0, 1, 6000))
    entropy = np.exp(logs)
    found = error_prediction(~wrong, entropy, loops, resamples=200)
    assert found.added.low < 0 < found.added.high
    assert abs(found.added.value) < 1e-3
    assert found.p > 0.01
    straight = np.column_stack([entropy, loops])
    spoilt = auroc(held_out(straight, wrong, 10), wrong)
    assert spoilt < found.entropy.value - 0.02, "what a straight line in the entropy would say"


def test_terms_of_the_entropy_are_finite_and_refuse_what_is_none() -> None:
    assert np.isfinite(entropy_terms([0.0, 1e-12, 2.3])).all()
    assert entropy_terms([0.5, 0.5]).tolist() == [[0.5, 0, 0, 0]] * 2
    with pytest.raises(ValueError, match=r"at least 0 nats, got -0\.1"):
        entropy_terms([0.2, -0.1])


def test_too_few_errors_give_nan() -> None:
    found = error_prediction([True] * 9 + [False], np.arange(10), np.arange(10))
    assert math.isnan(found.both.value)
    assert math.isnan(found.p)
    assert (found.n, found.errors) == (10, 1)
    with pytest.raises(ValueError, match="at least 2 folds"):
        error_prediction([True, False], [1, 2], [1, 2], folds=1)
