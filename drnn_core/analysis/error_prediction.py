"""Do loops tell which images are classified wrongly, beyond what the entropy tells?

The area under the ROC curve (AUROC) is the chance that a wrongly classified image scores higher
than a rightly classified one, ties counted half. Entropy and loops score by themselves; what loops
add is told by two logistic regressions that never saw the image (cross-validation), one on the
entropy alone and one on both. The logit of an error is no straight line in the entropy, of which
most images have next to none: both regressions see powers of its logarithm, too, lest loops make
up for, or spoil, the wrong shape of the curve.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from drnn_core.analysis.bootstrap import Estimate, columns_of, interval, resamples_of
from drnn_core.analysis.ranks import Ranks, area_of

Floats = NDArray[np.float64]

# Of standardised weights: keeps separable data finite, and is far below any sample's noise.
_PENALTY = 1e-4
_MOST_STEPS = 100
# Nats: below this, records and softmax hold rounding. The least entropy that has a logarithm here.
_LEAST_ENTROPY = 1e-6
_POWERS = 3


@dataclass(frozen=True)
class ErrorPrediction:
    """How well a wrong answer can be foreseen.

    Attributes:
        n, errors: images, and how many of them are classified wrongly.
        entropy, loops: AUROC of each by itself.
        both: AUROC of the cross-validated logistic regression on the two.
        added: ``both`` minus the AUROC of the cross-validated regression on entropy alone, on the
            same resampled images.
        p: of the likelihood-ratio test that loops add nothing to the regression on entropy.
    """

    n: int
    errors: int
    entropy: Estimate
    loops: Estimate
    both: Estimate
    added: Estimate
    p: float


def error_prediction(
    correct: ArrayLike,
    entropy: ArrayLike,
    loops: ArrayLike,
    folds: int = 10,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> ErrorPrediction:
    """Measure it; every figure is NaN where fewer than two images are right or wrong.

    The intervals resample images and leave the fitted scores as they are.

    Args:
        correct: (N,) bool.
        entropy, loops: (N,); entropy in nats.
        folds: of the cross-validation; each holds right and wrong images in proportion.
        level, resamples, seed: of the intervals; the seed also deals out the folds.

    Raises:
        ValueError: columns of different lengths, negative entropies, or fewer than two folds.
    """
    if folds < 2:
        raise ValueError(f"expected at least 2 folds, got {folds}")
    right, first, second = columns_of(correct, entropy, loops)
    wrong = right == 0
    n, errors = len(wrong), int(wrong.sum())
    if min(errors, n - errors) < 2:
        nothing = Estimate(math.nan, math.nan, math.nan, n, level)
        return ErrorPrediction(n, errors, nothing, nothing, nothing, nothing, math.nan)
    alone = entropy_terms(first)
    together = np.column_stack([alone, second])
    parts = min(folds, errors, n - errors)
    scores = [first, second, *(held_out(each, wrong, parts, seed) for each in (together, alone))]
    once = np.array([auroc(score, wrong) for score in scores])
    draws = _resampled(scores, wrong, resamples, seed)
    found = [Estimate(float(once[k]), *interval(draws[:, k], level), n, level) for k in range(3)]
    difference = Estimate(
        float(once[2] - once[3]), *interval(draws[:, 2] - draws[:, 3], level), n, level
    )
    p = added_likelihood(alone, together, wrong)
    return ErrorPrediction(n, errors, found[0], found[1], found[2], difference, p)


def entropy_terms(entropy: ArrayLike) -> Floats:
    """(N, 4): the entropy, and the first three powers of its standardised logarithm.

    Args:
        entropy: (N,) in nats.

    Raises:
        ValueError: a negative one.
    """
    values = np.asarray(entropy, dtype=np.float64)
    if len(values) and values.min() < 0:
        raise ValueError(f"expected entropies of at least 0 nats, got {values.min():g}")
    logs = np.log(np.maximum(values, _LEAST_ENTROPY))
    spread = float(logs.std()) or 1.0
    logs = (logs - logs.mean()) / spread
    return np.column_stack([values, *(logs**power for power in range(1, _POWERS + 1))])


def auroc(scores: ArrayLike, positive: ArrayLike) -> float:
    """Chance that a positive scores higher than a negative; NaN where there is none of either.

    Args:
        scores: (N,), finite.
        positive: (N,) bool.
    """
    values = np.asarray(scores, dtype=np.float64)
    chosen = np.asarray(positive, dtype=bool)
    return area_of(Ranks(values), chosen)


def _resampled(scores: list[Floats], wrong: NDArray[np.bool_], resamples: int, seed: int) -> Floats:
    """(resamples, scores) areas; all scores see the same resampled images."""
    ranks = [Ranks(score) for score in scores]
    return np.array(
        [
            [area_of(rank, wrong, counts) for rank in ranks]
            for counts in resamples_of(len(wrong), resamples, seed)
        ]
    ).reshape(-1, len(scores))


def held_out(features: Floats, positive: NDArray[np.bool_], folds: int, seed: int = 0) -> Floats:
    """(N,) logit of each image by a regression on the folds that do not hold it.

    Args:
        features: (N, K).
        positive: (N,) bool, at least ``folds`` of either kind.
        folds: how many parts.
        seed: deals images to folds, positives and negatives apart.
    """
    random = np.random.default_rng(seed)
    fold = np.empty(len(positive), dtype=np.int64)
    for kind in (True, False):
        rows = random.permutation(np.flatnonzero(positive == kind))
        fold[rows] = np.arange(len(rows)) % folds
    scores = np.empty(len(positive))
    for part in range(folds):
        there = fold == part
        weights = fit_logistic(features[~there], positive[~there])
        scores[there] = weights[0] + features[there] @ weights[1:]
    return scores


def fit_logistic(features: Floats, positive: NDArray[np.bool_]) -> Floats:
    """Logistic regression by Newton's method.

    Features are standardised for the fit and carry a tiny penalty, so that data which a line
    separates have a solution too.

    Args:
        features: (N, K).
        positive: (N,) bool.

    Returns:
        (1 + K,) constant and weights: the logit of being positive is their sum with (1, x).
    """
    mean, std = features.mean(axis=0), features.std(axis=0)
    std[std == 0] = 1.0
    design = np.column_stack([np.ones(len(features)), (features - mean) / std])
    weights = np.zeros(design.shape[1])
    loss = _loss(design, positive, weights)
    for _ in range(_MOST_STEPS):
        chance = _sigmoid(design @ weights)
        slope = design.T @ (chance - positive) + _PENALTY * weights
        curve = (design.T * (chance * (1 - chance))) @ design + _PENALTY * np.eye(len(weights))
        step = np.linalg.solve(curve, slope)
        size = 1.0
        while (tried := _loss(design, positive, weights - size * step)) > loss and size > 1e-8:
            size /= 2
        weights = weights - size * step
        if loss - tried < 1e-10:
            break
        loss = tried
    scaled = weights[1:] / std
    return np.concatenate([[weights[0] - float(scaled @ mean)], scaled])


def added_likelihood(few: Floats, many: Floats, positive: NDArray[np.bool_]) -> float:
    """Likelihood-ratio test (its p) that the further columns of ``many`` add nothing to ``few``.

    Args:
        few: (N, K) features.
        many: (N, L) features, L > K, among them those of ``few``.
        positive: (N,) bool.
    """
    ratio = 2 * (_likelihood(many, positive) - _likelihood(few, positive))
    return float(stats.chi2.sf(max(ratio, 0.0), many.shape[1] - few.shape[1]))


def _likelihood(features: Floats, positive: NDArray[np.bool_]) -> float:
    weights = fit_logistic(features, positive)
    logits = weights[0] + features @ weights[1:]
    return -_missed(logits, positive)


def _loss(design: Floats, positive: NDArray[np.bool_], weights: Floats) -> float:
    logits = design @ weights
    return _missed(logits, positive) + _PENALTY / 2 * float(weights @ weights)


def _missed(logits: Floats, positive: NDArray[np.bool_]) -> float:
    """Minus the log likelihood, in nats."""
    signed: Floats = np.where(positive, -logits, logits)
    return float(np.logaddexp(0.0, signed).sum())


def _sigmoid(logits: Floats) -> Floats:
    return 0.5 * (1 + np.tanh(logits / 2))
