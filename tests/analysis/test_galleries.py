"""Easy and hard images by hand, and which columns separate them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.analysis.galleries import (
    ByCount,
    ByLoops,
    ByQuantile,
    Rule,
    galleries,
    make_up,
    numeric_columns,
    pooled,
    separation,
    to_show,
    typical_classes,
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


def test_a_count_may_take_all_that_loop_as_often_as_its_last() -> None:
    table = records([4, 1, 4, 2, 4, 2, 4, 0])
    assert ends(table, ByCount(3)) == [(0, [7, 1, 3], [2, 4, 6])]
    assert ends(table, ByCount(3, with_ties=True)) == [(0, [7, 1, 3, 5], [0, 2, 4, 6])]
    assert ends(records([3]), ByCount(3, with_ties=True)) == [(0, [], [])]
    assert ends(records([1, 3, 3, 3]), ByCount(2, with_ties=True)) == [(0, [0], [])]


def test_of_many_that_tie_some_are_shown_at_even_distances() -> None:
    loops = np.array([4] * 101 + [5, 5])
    rows = np.array([101, 102, *range(101)])  # the most loops first
    assert to_show(rows, loops, 2).tolist() == [101, 102]
    assert to_show(rows, loops, 3).tolist() == [101, 102, 0]
    assert to_show(rows, loops, 5).tolist() == [101, 102, 0, 50, 100]
    assert to_show(rows, loops, 5, in_order=100).tolist() == [101, 102, 0, 50, 100]
    assert to_show(rows, loops, 5, in_order=101).tolist() == [101, 102, 0, 1, 2]
    assert to_show(rows, loops, 200).tolist() == rows.tolist()
    assert to_show(rows, loops, 0).tolist() == []


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


def test_among_some_images_only() -> None:
    table = records([1, 2, 8, 9], correct=[True, False, False, True])
    among = np.array([False, True, True, True])
    assert ends(table, ByCount(1), among=among) == [(0, [1], [3])]
    assert ends(table, ByCount(1), among=among, correct=False) == [(0, [1], [2])]
    assert ends(table, ByCount(1), among=~among) == [(0, [], [])]
    assert among.tolist() == [False, True, True, True], "the caller's mask is not changed"


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2)), min_size=1, max_size=30),
    st.one_of(
        st.builds(ByCount, st.integers(1, 20), st.booleans()),
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
        if isinstance(rule, ByCount) and not rule.with_ties:
            assert max(len(easy), len(hard)) <= rule.images


@pytest.mark.parametrize("rule", [ByCount(0), ByQuantile(0.6), ByQuantile(0.0), ByLoops(4, 4)])
def test_rules_that_make_no_sense(rule: Rule) -> None:
    with pytest.raises(ValueError, match="expected"):
        galleries(records([1, 2]), rule)


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


def test_make_up_is_the_share_that_would_have_to_change_class() -> None:
    table = records([1, 1, 1, 9, 1, 9, 9, 9], [0, 0, 0, 0, 1, 1, 1, 1])
    found = galleries(table, ByLoops(2, 8))
    assert make_up(found) == pytest.approx(0.5)  # 3 and 1 easy, 1 and 3 hard
    assert make_up(galleries(table, ByCount(1))) == 0
    assert math.isnan(make_up(galleries(table, ByLoops(0, 8))))
    assert math.isnan(make_up([]))
    easy, hard = pooled(found)
    assert (easy.tolist(), hard.tolist()) == ([0, 1, 2, 4], [3, 5, 6, 7])


def test_within_classes_decides_the_order() -> None:
    """Class 1 is bright and hard; within classes only noise differs."""
    loops, labels = [1, 1, 1, 9, 1, 9, 9, 9], [0, 0, 0, 0, 1, 1, 1, 1]
    table = records(loops, labels, bright=[0, 0, 0, 0, 5, 5, 5, 5], noise=[1, 1, 1, 3, 1, 2, 2, 1])
    first, second = separation(table, galleries(table, ByLoops(2, 8)), ["bright", "noise"])
    assert (first.column, second.column) == ("noise", "bright")
    assert (second.within.value, second.delta.value) == (0, pytest.approx(0.5))


def test_typical_classes_reach_from_the_fewest_to_the_most_loops() -> None:
    table = records([5, 1, 9, 3, 7, 7], [0, 1, 2, 3, 4, 4])
    assert typical_classes(table, 5) == typical_classes(table, 99) == [0, 1, 2, 3, 4]
    assert typical_classes(table, 3) == [0, 1, 2]
    assert typical_classes(table, 2) == [1, 2]
    assert typical_classes(table.iloc[:0], 3) == []
