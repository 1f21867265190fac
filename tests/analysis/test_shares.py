"""Wilson's interval against scipy's, and at the ends."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from drnn_core.analysis.shares import share_of, wilson


@given(st.integers(0, 60), st.integers(0, 60), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_the_interval_is_scipys(count: int, more: int, level: float) -> None:
    n = count + more
    found = share_of(count, n, level)
    if not n:
        assert all(math.isnan(value) for value in (found.value, found.low, found.high))
        return
    expected = stats.binomtest(count, n).proportion_ci(level, method="wilson")
    assert found.value == count / n
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert (found.n, found.level) == (n, level)


def test_many_at_once_are_the_single_ones() -> None:
    low, high = wilson([0, 3, 5, 0], [4, 10, 5, 0])
    for place, (count, n) in enumerate(((0, 4), (3, 10), (5, 5))):
        one = share_of(count, n)
        assert (low[place], high[place]) == (one.low, one.high)
    assert low[0] == 0
    assert high[2] == 1
    assert np.isnan([low[3], high[3]]).all()


def test_what_is_no_share() -> None:
    with pytest.raises(ValueError, match="a count from 0 to 3, got 4"):
        share_of(4, 3)
    with pytest.raises(ValueError, match=r"such as 0\.95, got 95"):
        share_of(1, 3, 95)
