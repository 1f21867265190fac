"""Intervals by formula against hand-computed ones and against the bootstrap."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from drnn_core.analysis.relation_overview import View, by_group, overview, with_interval
from drnn_core.analysis.relations import Relation, partial, spearman, within

RANDOM = np.random.default_rng(0)
N = 1500
LABELS = RANDOM.integers(0, 4, N)
LOOPS = np.clip(RANDOM.normal(6 + LABELS, 2, N).round(), 0, 16)
CONFIDENCE = RANDOM.normal(size=N) - 0.2 * LOOPS
STRONG = RANDOM.normal(size=N) + 0.5 * LOOPS
WEAK = RANDOM.normal(size=N) - 0.05 * LOOPS
WEAK[::7] = np.nan
COLUMNS = {"strong": STRONG, "weak": WEAK}


def test_the_formula_by_hand() -> None:
    found = with_interval(Relation(0.6, math.nan, math.nan, 0.0, 53, 0.95))
    reach = 1.959964 * math.sqrt(1.18 / 50)
    assert found.low == pytest.approx(math.tanh(math.atanh(0.6) - reach), rel=1e-5)
    assert found.high == pytest.approx(math.tanh(math.atanh(0.6) + reach), rel=1e-5)
    given = with_interval(Relation(0.6, math.nan, math.nan, 0.0, 53, 0.9), given=3)
    reach = 1.644854 * math.sqrt(1.18 / 47)
    assert given.low == pytest.approx(math.tanh(math.atanh(0.6) - reach), rel=1e-5)


@pytest.mark.parametrize("view", ["all", "within", "given"])
def test_values_are_the_exact_ones_and_intervals_those_of_the_bootstrap(view: View) -> None:
    exact: dict[str, Any] = {
        "all": lambda column: spearman(LOOPS, column),
        "within": lambda column: within(LOOPS, column, LABELS),
        "given": lambda column: partial(LOOPS, column, [CONFIDENCE]),
    }
    found = overview(LOOPS, COLUMNS, view, LABELS, [CONFIDENCE])
    assert list(found) == ["strong", "weak"]
    for name, column in COLUMNS.items():
        expected, quick = exact[view](column), found[name]
        assert (quick.rho, quick.p, quick.n) == (expected.rho, expected.p, expected.n)
        width = expected.high - expected.low
        assert quick.low == pytest.approx(expected.low, abs=0.15 * width)
        assert quick.high == pytest.approx(expected.high, abs=0.15 * width)


def test_each_group_by_itself() -> None:
    found = by_group(LOOPS, WEAK, LABELS)
    assert sorted(found) == [0, 1, 2, 3]
    for label, relation in found.items():
        here = (label == LABELS) & ~np.isnan(WEAK)
        expected: Any = stats.spearmanr(LOOPS[here], WEAK[here])
        assert relation.rho == pytest.approx(expected.statistic)
        assert relation.p == pytest.approx(expected.pvalue)
        assert relation.n == here.sum()
        assert relation.low < relation.rho < relation.high


def test_too_few_or_nothing_that_varies_has_no_interval() -> None:
    few = by_group([1, 2, 3, 1], [1.0, 2.0, 4.0, 1.0], [0, 0, 0, 1])
    assert few[0].rho == pytest.approx(1)
    assert math.isnan(few[0].low)
    assert math.isnan(few[1].rho)
    constant = overview(LOOPS, {"same": np.ones(N)}, "within", LABELS)["same"]
    assert math.isnan(constant.rho)
    assert math.isnan(constant.low)
    perfect = overview(LOOPS, {"itself": LOOPS}, "all", LABELS)["itself"]
    assert (perfect.low, perfect.rho, perfect.high) == pytest.approx((1, 1, 1))
    with pytest.raises(ValueError, match="at least one column that is given"):
        overview(LOOPS, COLUMNS, "given", LABELS)
