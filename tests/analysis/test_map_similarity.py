"""Similarities of maps against scipy and against the definition written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from drnn_core.analysis.map_similarity import rank_similarity, structural_similarity


def drawn(seed: int, count: int = 3, side: int = 16) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, side, side)).astype(np.float32)


def test_rank_similarity_is_scipys_of_absolute_evidence() -> None:
    first, second = drawn(0), drawn(1)
    second += first
    second[1].flat[:50] = 0.25  # ties
    found = rank_similarity(first, second)
    for row in range(3):
        expected = stats.spearmanr(np.abs(first[row]).ravel(), np.abs(second[row]).ravel())
        assert found[row] == pytest.approx(expected.statistic)


def test_structural_similarity_is_its_definition() -> None:
    """Window and moments of every pixel written out; beyond the border the map is mirrored."""
    first, second = drawn(2, 1, 12), drawn(3, 1, 12)
    x, y = (
        np.pad(np.abs(m[0]).astype(np.float64) / np.abs(m[0]).max(), 5, mode="symmetric")
        for m in (first, second)
    )
    steps = np.arange(-5, 6)
    window = np.exp(-(steps[:, None] ** 2 + steps**2) / (2 * 1.5**2))
    window /= window.sum()
    values: list[float] = []
    for row in range(12):
        for column in range(12):
            a, b = (m[row : row + 11, column : column + 11] for m in (x, y))
            mean_a, mean_b = (window * a).sum(), (window * b).sum()
            var_a, var_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
            both = (window * (a - mean_a) * (b - mean_b)).sum()
            likeness = (2 * mean_a * mean_b + 1e-4) / (mean_a**2 + mean_b**2 + 1e-4)
            values.append(likeness * (2 * both + 9e-4) / (var_a + var_b + 9e-4))
    assert structural_similarity(first, second)[0] == pytest.approx(np.mean(values))


MAPS = arrays.arrays(np.float32, (2, 6, 6), elements=st.floats(-100, 100, width=32))


@given(MAPS, MAPS)
def test_they_are_symmetric_and_bounded(first: np.ndarray, second: np.ndarray) -> None:
    for similarity in (rank_similarity, structural_similarity):
        found = similarity(first, second)
        np.testing.assert_allclose(found, similarity(second, first), atol=1e-12)
        known = found[~np.isnan(found)]
        assert (np.abs(known) <= 1 + 1e-9).all()


def test_scale_and_sign_do_not_matter() -> None:
    maps = drawn(4)
    for similarity in (rank_similarity, structural_similarity):
        np.testing.assert_allclose(similarity(maps, -8 * maps), 1)


def test_an_even_map_has_no_order() -> None:
    maps = drawn(5)
    maps[1] = 0.5
    assert np.isnan(rank_similarity(maps, drawn(6))).tolist() == [False, True, False]
    assert not np.isnan(structural_similarity(0 * maps, drawn(6))).any()


def test_maps_of_other_shapes_are_refused() -> None:
    for similarity in (rank_similarity, structural_similarity):
        with pytest.raises(ValueError, match=r"one shape \(B, H, W\), got \(3, 16, 16\) and"):
            similarity(drawn(0), drawn(0, side=8))
        with pytest.raises(ValueError, match="one shape"):
            similarity(drawn(0)[0], drawn(0)[0])
