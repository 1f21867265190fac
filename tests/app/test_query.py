"""Selections as query strings."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.query import QueryError, from_query, to_query
from drnn_core.analysis.loops import ORDERS, Order, Selection

numbers = st.integers(0, 200)
selections = st.builds(
    Selection,
    loops=st.none() | st.tuples(numbers, numbers),
    labels=st.lists(numbers, max_size=4).map(tuple),
    correct=st.none() | st.booleans(),
    confidence=st.none()
    | st.tuples(numbers, numbers).map(lambda two: (two[0] / 200, two[1] / 200)),
    step=st.none() | st.tuples(numbers, numbers),
)


@given(selections, st.sampled_from(ORDERS))
def test_round_trip(selection: Selection, order: Order) -> None:
    assert from_query(parse_qs(to_query(selection, order))) == (selection, order)


def test_everything_is_empty() -> None:
    assert to_query(Selection()) == ""
    assert from_query({}) == (Selection(), "index")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("loops=1", "expected loops twice"),
        ("loops=1&loops=2&loops=3", "expected loops twice"),
        ("loops=a&loops=2", "expected loops to be a number, got 'a'"),
        ("answer=perhaps", "answer=right or answer=wrong"),
        ("order=upwards", "expected order to be one of"),
        ("label=1.5", "expected label to be a number"),
        ("step=1&step=x", "expected step to be a number"),
    ],
)
def test_nonsense_is_a_sentence(query: str, sentence: str) -> None:
    with pytest.raises(QueryError, match=sentence):
        from_query(parse_qs(query))
