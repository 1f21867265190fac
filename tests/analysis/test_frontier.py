"""The Pareto frontier against its definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.analysis.frontier import frontier

FEW = st.integers(0, 4)


@given(st.lists(st.tuples(FEW, FEW), max_size=12))
def test_nobody_on_it_is_beaten_and_all_others_are(points: list[tuple[int, int]]) -> None:
    found = set(frontier([x for x, _ in points], [y for _, y in points]).tolist())
    for place, (x, y) in enumerate(points):
        beaten = any(p <= x and q <= y and (p, q) != (x, y) for p, q in points)
        assert (place in found) == (not beaten)


def test_it_goes_from_cheap_to_good() -> None:
    found = frontier([40.0, 20.0, 10.0, 30.0], [5.0, 8.0, 9.0, 8.5])
    assert found.tolist() == [2, 1, 0]
    assert frontier([], []).tolist() == []
    assert frontier([1.0, math.nan, 2.0], [3.0, 1.0, np.nan]).tolist() == [0]
    with pytest.raises(ValueError, match="two columns of equal length"):
        frontier([1.0], [1.0, 2.0])
