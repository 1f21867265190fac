"""Means and densities against counts by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from drnn_core.analysis.by_loops import density, means_by_loops


def test_means_with_students_interval() -> None:
    found = means_by_loops([3, 1, 3, 3, 2, 1], [1.0, 5.0, 2.0, 6.0, np.nan, 7.0])
    assert found["loops"].tolist() == [1, 3]
    assert found["n"].tolist() == [2, 3]
    assert found["mean"].tolist() == [6.0, 3.0]
    expected = stats.t.interval(0.95, 2, 3.0, stats.sem([1.0, 2.0, 6.0]))
    assert (found["low"][1], found["high"][1]) == pytest.approx(expected)
    alone = means_by_loops([4], [1.5])
    assert alone["mean"][0] == 1.5
    assert math.isnan(alone["low"][0])
    assert means_by_loops([], []).empty


def test_density_by_hand() -> None:
    values = np.concatenate([np.linspace(0, 1, 99), [50.0]])  # one stray value
    loops = np.tile([0, 2], 50)
    found = density(loops, values, 2, bins=4)
    assert found.counts.shape == (4, 3)
    assert found.counts.sum() == 100
    assert found.counts[:, 1].tolist() == [0, 0, 0, 0]
    for row in range(4):
        low, high = found.edges[row], found.edges[row + 1]
        high = np.inf if row == 3 else high
        low = -np.inf if row == 0 else low
        inside = (values >= low) & (values < high)
        assert found.counts[row].tolist() == [(inside & (loops == k)).sum() for k in range(3)]


def test_right_and_wrong_are_two_bins() -> None:
    found = density([0, 1, 1, 1], [0.0, 1.0, 1.0, np.nan], 1)
    assert found.edges.tolist() == [-0.5, 0.5, 1.5]
    assert found.counts.tolist() == [[1, 0], [0, 2]]
    assert density([1], [7.0], 1).edges.tolist() == [6.5, 7.5]


def test_nothing_is_an_empty_density() -> None:
    assert density([], [], 3).counts.tolist() == [[0, 0, 0, 0]]
    with pytest.raises(ValueError, match="at least 1 bin"):
        density([1], [1.0], 1, bins=0)


@example([(0, 0.0), (1, 5e-324), (1, 1.0)], 3)
@given(st.lists(st.tuples(st.integers(0, 5), st.floats(-1e6, 1e6)), min_size=1), st.integers(1, 30))
def test_every_image_is_in_one_bin(pairs: list[tuple[int, float]], bins: int) -> None:
    loops, values = (np.array(column) for column in zip(*pairs, strict=True))
    found = density(loops, values, 5, bins)
    assert found.counts.sum(axis=0).tolist() == np.bincount(loops, minlength=6).tolist()
    assert (np.diff(found.edges) > 0).all()
