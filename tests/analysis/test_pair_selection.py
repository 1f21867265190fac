"""Selections of paired images, counted by hand, and orders that every tie keeps."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.analysis.comparison import flips, mcnemar, paired
from drnn_core.analysis.pair_selection import (
    OUTCOMES,
    PAIR_ORDERS,
    Outcome,
    PairSelection,
    outcome_counts,
    outcomes_of,
    pairs_matching,
    pairs_ordered,
)
from tests.analysis.test_comparison import pairs, records


def test_outcomes_by_hand() -> None:
    # labels 0 1 2 0 1 2 0 1; a says 0 1 2 0 0 0 1 2; b says 0 1 0 1 1 0 2 2
    assert [OUTCOMES[place] for place in outcomes_of(pairs())] == [
        "both right", "both right", "only a", "only a", "only b", "same wrong", "other wrong",
        "same wrong",
    ]  # fmt: skip
    assert list(outcome_counts(pairs()).values()) == [2, 2, 1, 2, 1]


@given(st.integers(0, 400))
def test_outcomes_agree_with_the_other_counts(seed: int) -> None:
    random = np.random.default_rng(seed)
    labels, a, b = random.integers(0, 3, (3, 30)).tolist()
    table = paired(records(a, labels), records(b, labels))
    counts, test = outcome_counts(table), mcnemar(table)
    assert counts["both right"] == test.both_right
    assert (counts["only a"], counts["only b"]) == (test.only_a, test.only_b)
    assert counts["same wrong"] + counts["other wrong"] == test.neither
    names: dict[str, Outcome] = {"lost": "only a", "won": "only b", "other": "other wrong"}
    for name, rows in flips(table).items():
        keep = pairs_matching(table, PairSelection((names[name],)))
        assert pairs_ordered(table, keep, "b surest").tolist() == rows.tolist()


def test_selections_by_hand() -> None:
    def rows(selection: PairSelection) -> list[int]:
        return np.flatnonzero(pairs_matching(pairs(), selection)).tolist()

    # loops of a: 0 to 7; of b: 0 3 2 3 0 5 7 7
    assert rows(PairSelection()) == list(range(8))
    assert rows(PairSelection(("only a", "only b"))) == [2, 3, 4]
    assert rows(PairSelection(loops_a=(1, 4))) == [1, 2, 3, 4]
    assert rows(PairSelection(loops_b=(3, 3))) == [1, 3]
    assert rows(PairSelection(loops_a=(2, 7), loops_b=(3, 3))) == [3]
    assert rows(PairSelection(loops_differ=True)) == [1, 4, 6]
    assert rows(PairSelection(loops_differ=False)) == [0, 2, 3, 5, 7]
    assert rows(PairSelection(("only a",), loops_differ=True)) == []


@pytest.mark.parametrize(
    ("order", "rows"),
    [
        ("index", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("change down", [4, 1, 6, 0, 2, 3, 5, 7]),
        ("a loops more", [4, 0, 2, 3, 5, 7, 6, 1]),
        ("b loops more", [1, 6, 0, 2, 3, 5, 7, 4]),
        ("class", [0, 3, 6, 1, 4, 7, 2, 5]),
        ("a surest", [0, 1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_orders_by_hand(order: str, rows: list[int]) -> None:
    keep = np.ones(8, dtype=bool)
    assert pairs_ordered(pairs(), keep, order).tolist() == rows  # pyright: ignore[reportArgumentType]


@given(st.integers(0, 200), st.sampled_from(PAIR_ORDERS))
def test_an_order_loses_nobody(seed: int, order: str) -> None:
    random = np.random.default_rng(seed)
    table = pairs().assign(confidence_b=random.integers(0, 3, 8) / 4)
    keep = random.random(8) < 0.6
    found = pairs_ordered(table, keep, order)  # pyright: ignore[reportArgumentType]
    assert sorted(found) == np.flatnonzero(keep).tolist()
    if order == "b surest":
        sure = table["confidence_b"].to_numpy()
        steps = list(pairwise(found))
        assert all(sure[first] >= sure[then] for first, then in steps)
        assert all(first < then for first, then in steps if sure[first] == sure[then])
