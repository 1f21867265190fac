"""Thresholds for a wanted mean: by hand, and where gates decide alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.analysis.solving import Solved, threshold_for


@given(
    probs=st.lists(st.floats(0.001, 0.999), min_size=2, max_size=200, unique=True),
    share=st.floats(0.01, 0.99),
)
def test_one_gate_opens_for_as_many_as_wanted(probs: list[float], share: float) -> None:
    """Of a single gate the mean of loops is the share of probabilities above the threshold."""
    chances = np.sort(np.array(probs, np.float64))
    known = {0.0: 1.0, 0.5: float((chances > 0.5).mean()), 1.0: 0.0}
    found = threshold_for(chances, known, share)
    assert found is not None
    # what 0.5 itself has is known, so at worst one image and the rounding are missed
    assert abs((chances > found.threshold).mean() - share) <= 1.01 / len(probs)
    low, high = found.beside
    assert low <= found.threshold <= high
    assert known[low] >= share >= known[high]


def test_by_hand() -> None:
    chances = np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9])
    known = {0.0: 4.0, 0.5: 2.0, 1.0: 0.0}
    assert threshold_for(chances, known, 3.0) == Solved(0.2, (0.0, 0.5), 0.125)
    assert threshold_for(chances, known, 0.5) == Solved(0.8, (0.5, 1.0), 0.125)
    assert threshold_for(chances, known, 2.0) == Solved(0.5, (0.5, 0.5), 0.0)
    measured = known | {0.3: 2.2}
    found = threshold_for(chances, measured, 3.0)
    assert found is not None
    assert found.beside == (0.0, 0.3)


@pytest.mark.parametrize("wanted", [-0.1, 4.1])
def test_what_cannot_be_reached(wanted: float) -> None:
    known = {0.0: 4.0, 0.5: 2.0, 1.0: 0.0}
    assert threshold_for(np.array([0.2, 0.7]), known, wanted) is None


def test_equal_probabilities_are_told() -> None:
    chances = np.array([0.2, *[0.6] * 8, 0.7])
    found = threshold_for(chances, {0.0: 2.0, 0.5: 1.8, 1.0: 0.0}, 1.0)
    assert found is not None
    assert found.same == 0.8
    assert found.threshold in (0.6, 0.7)


def test_where_nothing_recorded_changes() -> None:
    found = threshold_for(np.array([0.2]), {0.0: 2.0, 0.5: 1.0, 1.0: 0.0}, 0.2)
    assert found == Solved(1.0, (0.5, 1.0), 0.0)
    certain = threshold_for(np.ones(4), {0.0: 2.0, 0.5: 2.0, 1.0: 0.0}, 0.5)
    assert certain == Solved(1.0, (0.5, 1.0), 1.0)
