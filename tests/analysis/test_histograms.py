"""Two groups in shared bins, counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.analysis.histograms import two_histograms


def test_few_values_have_a_bin_each() -> None:
    found = two_histograms(np.array([0.0, 1, 1, math.nan]), np.array([1.0, 3]))
    assert found.to_numpy().tolist() == [[0, 0, 1, 0], [1, 1, 2, 1], [3, 3, 0, 1]]


def test_many_values_share_equal_bins_whose_ends_reach_out() -> None:
    easy = np.append(np.arange(1000) / 1000, 50.0)
    found = two_histograms(easy, np.array([-3.0]), bins=10)
    widths = (found["high"] - found["low"]).to_numpy()
    assert widths[1:-1] == pytest.approx(0.099, abs=0.001)
    assert (found["low"].iloc[0], found["high"].iloc[-1]) == (-3, 50)
    assert found["hard"].tolist() == [1, *[0] * 9]
    assert found["easy"].between(95, 106).all()


def test_one_value_and_a_thin_tail_are_both_seen() -> None:
    tail = np.append(np.zeros(9000), np.arange(1.0, 41.0))
    found = two_histograms(tail, tail, bins=8)
    assert (found["low"].iloc[0], found["high"].iloc[-1]) == (0, 40)
    assert found["easy"].iloc[0] >= 9000
    assert len(two_histograms(np.array([math.nan]), np.array([]))) == 0


@given(
    st.lists(st.floats(-1e6, 1e6), max_size=80),
    st.lists(st.floats(-1e6, 1e6), max_size=80),
    st.integers(1, 30),
)
def test_every_image_is_in_one_bin(easy: list[float], hard: list[float], bins: int) -> None:
    found = two_histograms(np.array(easy), np.array(hard), bins)
    assert (found["easy"].sum(), found["hard"].sum()) == (len(easy), len(hard))
    assert (found["low"] <= found["high"]).all()
    assert found["low"].is_monotonic_increasing
    if len(found):
        assert found["low"].iloc[0] == min(easy + hard)
        assert found["high"].iloc[-1] == max(easy + hard)
