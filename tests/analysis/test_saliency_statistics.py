"""Statistics of maps whose numbers are known, and their definitions written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage, stats

from drnn_core.analysis.saliency_statistics import (
    ON_OBJECT,
    SALIENCY_STATISTICS,
    saliency_statistics,
)


def one(evidence: np.ndarray) -> dict[str, float]:
    found = saliency_statistics(evidence[None].astype(np.float32))
    assert tuple(found) == SALIENCY_STATISTICS
    return {name: float(value[0]) for name, value in found.items()}


def test_an_even_map() -> None:
    found = one(np.full((8, 12), -0.3))
    assert found["entropy"] == pytest.approx(1)
    assert found["concentration"] == pytest.approx(0, abs=1e-6)
    assert found["area"] == 0.5
    assert found["off_centre"] == pytest.approx(0, abs=1e-6)
    # variance of 0..n-1 is (n² - 1) / 12
    assert found["spread"] == pytest.approx(
        math.sqrt((63 + 143) / 12) / math.hypot(3.5, 5.5), rel=1e-5
    )


def test_one_pixel() -> None:
    evidence = np.zeros((8, 8))
    evidence[0, 7] = -2.0
    found = one(evidence)
    assert found == pytest.approx(
        {"entropy": 0, "concentration": 63 / 64, "area": 1 / 64, "spread": 0, "off_centre": 1},
        abs=1e-6,
    )


def test_two_corners() -> None:
    evidence = np.zeros((5, 5))
    evidence[0, 0], evidence[4, 4] = 3.0, -3.0
    found = one(evidence)
    assert found["off_centre"] == pytest.approx(0, abs=1e-6)
    assert found["spread"] == pytest.approx(1)
    assert found["area"] == pytest.approx(1 / 25)
    assert found["entropy"] == pytest.approx(math.log(2) / math.log(25))


@given(st.integers(0, 500), st.integers(2, 9), st.integers(2, 9))
def test_the_definitions_written_out(seed: int, height: int, width: int) -> None:
    random = np.random.default_rng(seed)
    evidence = random.normal(size=(height, width)) ** 3
    mass = np.abs(evidence) / np.abs(evidence).sum()
    found = one(evidence)
    assert found["entropy"] == pytest.approx(
        stats.entropy(mass.ravel(), base=height * width), rel=1e-4
    )
    # Gini as the mean difference of all pairs, over twice the mean
    pairs = np.abs(mass.ravel()[:, None] - mass.ravel()[None]).mean()
    assert found["concentration"] == pytest.approx(pairs / (2 * mass.mean()), rel=1e-4)
    least = next(k for k in range(1, mass.size + 1) if np.sort(mass.ravel())[::-1][:k].sum() >= 0.5)
    assert found["area"] == pytest.approx(least / mass.size)
    y, x = ndimage.center_of_mass(mass)
    middle = (height - 1) / 2, (width - 1) / 2
    corner = math.hypot(*middle)
    assert found["off_centre"] == pytest.approx(
        math.dist((y, x), middle) / corner, rel=1e-4, abs=1e-6
    )
    rows, columns = np.mgrid[:height, :width]
    around = (mass * ((rows - y) ** 2 + (columns - x) ** 2)).sum()
    assert found["spread"] == pytest.approx(math.sqrt(around) / corner, rel=1e-4)


@given(st.integers(0, 100))
def test_scale_sign_and_mirror_change_nothing(seed: int) -> None:
    evidence = np.random.default_rng(seed).normal(size=(6, 6))
    found = one(evidence)
    for changed in (evidence * 1e-6, -evidence, evidence[::-1], evidence[:, ::-1], evidence.T):
        assert one(changed) == pytest.approx(found, rel=1e-3, abs=1e-5)


def test_a_map_without_evidence_says_nothing_and_does_not_disturb_others() -> None:
    evidence = np.zeros((2, 4, 4), dtype=np.float32)
    evidence[1, 1, 1] = 1
    mask = np.zeros((2, 4, 4), dtype=bool)
    mask[:, 1] = True
    found = saliency_statistics(evidence, mask)
    assert tuple(found) == (*SALIENCY_STATISTICS, ON_OBJECT)
    assert all(math.isnan(values[0]) for values in found.values())
    assert found[ON_OBJECT][1] == 1
    assert found["concentration"][1] == pytest.approx(15 / 16)
    assert saliency_statistics(np.zeros((0, 4, 4), np.float32))["area"].shape == (0,)


@pytest.mark.parametrize(
    ("evidence", "message"),
    [
        (np.zeros((4, 4)), "shape"),
        (np.zeros((1, 1, 1)), "shape"),
        (np.full((1, 4, 4), np.nan), "finite"),
    ],
)
def test_what_is_no_evidence(evidence: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        saliency_statistics(evidence.astype(np.float32))
    with pytest.raises(ValueError, match="expected a mask of shape"):
        saliency_statistics(np.ones((1, 4, 4), np.float32), np.ones((1, 4, 5), bool))
