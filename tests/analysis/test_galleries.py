"""Easy and hard images by hand, and effect sizes by counting pairs."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from drnn_core.analysis.effects import effect
from drnn_core.analysis.galleries import (
    ByCount,
    ByLoops,
    ByQuantile,
    Rule,
    galleries,
    numeric_columns,
    separation,
)


def records(loops: list[int], labels: list[int] | None = None, **columns: Any) -> pd.DataFrame:
    count = len(loops)
    values = {
        "index": np.arange(count),
        "id": [f"i{place}" for place in range(count)],
        "label": labels or [0] * count,
        "correct": [True] * count,
        "loops": loops,
        "block_loops": [[value] for value in loops],
    }
    return pd.DataFrame({**values, **columns})


def ends(table: pd.DataFrame, rule: Rule, **chosen: Any) -> list[tuple[int, list[int], list[int]]]:
    return [
        (found.label, found.easy.tolist(), found.hard.tolist())
        for found in galleries(table, rule, **chosen)
    ]


def test_the_fewest_and_the_most_of_each_class() -> None:
    table = records([5, 1, 3, 1, 9, 2, 7, 7], [0, 0, 0, 0, 0, 1, 1, 1])
    assert ends(table, ByCount(2))[0] == (0, [1, 3], [4, 0])
    assert ends(table, ByCount(1))[1] == (1, [5], [7])
    assert ends(table, ByLoops(2, 7)) == [(0, [1, 3], [4]), (1, [5], [6, 7])]
    assert ends(table, ByLoops(2, 7), labels=[1]) == [(1, [5], [6, 7])]


def test_a_quantile_takes_all_that_loop_as_often_as_its_last() -> None:
    table = records([1, 2, 2, 2, 3, 4, 5, 6, 6, 9])
    assert ends(table, ByQuantile(0.2)) == [(0, [0, 1, 2, 3], [9, 7, 8])]


def test_ties_stand_in_the_order_of_the_split_even_if_the_table_does_not() -> None:
    table = records([4, 4, 1, 1, 2, 3])
    turned = table.iloc[::-1].reset_index(drop=True)
    assert ends(turned, ByLoops(1, 4)) == [(0, [3, 2], [5, 4])]
    assert [table["index"][5 - place] for place in (3, 2)] == [2, 3]


def test_where_both_ends_loop_as_often_nothing_is_easy_or_hard() -> None:
    assert ends(records([3, 3, 3, 3]), ByCount(2)) == [(0, [], [])]
    assert ends(records([3, 3, 3, 3]), ByQuantile(0.3)) == [(0, [], [])]
    assert ends(records([1, 3, 3, 3]), ByCount(2)) == [(0, [0], [])]
    assert ends(records([1, 3, 3, 3, 9]), ByQuantile(0.5)) == [(0, [0], [4])]


def test_right_or_wrong_images_only() -> None:
    table = records([1, 2, 8, 9], correct=[True, False, False, True])
    assert ends(table, ByCount(1), correct=True) == [(0, [0], [3])]
    assert ends(table, ByCount(1), correct=False) == [(0, [1], [2])]
    assert ends(table.iloc[:0], ByCount(1)) == []


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2)), min_size=1, max_size=30),
    st.one_of(
        st.builds(ByCount, st.integers(1, 20)),
        st.builds(ByQuantile, st.floats(0.01, 0.5)),
        st.builds(ByLoops, st.integers(0, 2), st.integers(3, 6)),
    ),
)
def test_every_easy_image_loops_less_than_every_hard_one(
    drawn: list[tuple[int, int]], rule: Rule
) -> None:
    table = records([loops for loops, _ in drawn], [label for _, label in drawn])
    for found in galleries(table, rule):
        easy, hard = (table["loops"].to_numpy()[rows] for rows in (found.easy, found.hard))
        assert set(table["label"].to_numpy()[[*found.easy, *found.hard]]) <= {found.label}
        assert (np.diff(easy) >= 0).all()
        assert (np.diff(hard) <= 0).all()
        if len(easy) and len(hard):
            assert easy.max() < hard.min()
        if isinstance(rule, ByCount):
            assert max(len(easy), len(hard)) <= rule.images


@pytest.mark.parametrize("rule", [ByCount(0), ByQuantile(0.6), ByQuantile(0.0), ByLoops(4, 4)])
def test_rules_that_make_no_sense(rule: Rule) -> None:
    with pytest.raises(ValueError, match="expected"):
        galleries(records([1, 2]), rule)


@given(st.integers(0, 500))
def test_effects_are_those_of_counting_pairs(seed: int) -> None:
    random = np.random.default_rng(seed)
    easy, hard = random.integers(0, 5, 14).astype(float), random.integers(1, 7, 9).astype(float)
    found = effect("x", easy, hard, 0.9, 60, 0)
    pairs = [np.sign(b - a) for a, b in itertools.product(easy, hard)]
    assert found.delta.value == pytest.approx(np.mean(pairs))
    pooled = math.sqrt((13 * easy.var(ddof=1) + 8 * hard.var(ddof=1)) / 21)
    assert found.d.value == pytest.approx((hard.mean() - easy.mean()) / pooled)
    assert found.p == pytest.approx(stats.mannwhitneyu(easy, hard).pvalue)
    assert -1 <= found.delta.low <= found.delta.high <= 1
    assert (found.easy_n, found.hard_n, found.delta.n) == (14, 9, 23)


def test_the_intervals_are_about_scipys() -> None:
    random = np.random.default_rng(0)
    easy, hard = random.normal(0, 1, 60), random.normal(0.5, 1, 50)
    found = effect("x", easy, hard, 0.9, 800, 0)

    def delta(a: np.ndarray, b: np.ndarray) -> float:
        return 2 * float(stats.mannwhitneyu(b, a).statistic) / (len(a) * len(b)) - 1

    theirs = stats.bootstrap(
        (easy, hard), delta, confidence_level=0.9, n_resamples=800, method="percentile",
        vectorized=False, rng=3,
    ).confidence_interval  # fmt: skip
    assert found.delta.low == pytest.approx(theirs.low, abs=0.05)
    assert found.delta.high == pytest.approx(theirs.high, abs=0.05)
    assert found.d.low < found.d.value < found.d.high


def test_what_separates_comes_first() -> None:
    loops = [0, 1, 0, 1, 8, 9, 8, 9]
    blur = [0.1, 0.2, 0.1, 0.2, 0.9, 0.8, 0.9, math.nan]
    table = records(loops, noise=[1, 2, 3, 4, 1, 2, 3, 4], blur=blur, flat=[1.0] * 8)
    table["correct"] = [True, True, True, True, True, False, False, True]
    found = separation(table, galleries(table, ByCount(4)), resamples=20)
    assert [one.column for one in found] == ["blur", "correct", "flat", "noise"]
    assert found[0].delta.value == 1
    assert (found[0].easy_n, found[0].hard_n) == (4, 3)
    assert found[1].delta.value == pytest.approx(-0.5)
    assert math.isnan(found[2].d.value)
    assert numeric_columns(table) == ["correct", "noise", "blur", "flat"]


def test_too_few_images_and_unknown_columns() -> None:
    table = records([1, 9], blur=[0.5, 0.7])
    (found,) = separation(table, galleries(table, ByCount(1)), ["blur"])
    assert (found.easy_mean, found.hard_mean) == (0.5, 0.7)
    assert math.isnan(found.delta.value)
    assert separation(table, [], ["blur"])[0].easy_n == 0
    with pytest.raises(ValueError, match="no column speed; expected some of: correct, blur"):
        separation(table, [], ["speed"])
