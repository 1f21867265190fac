"""Calibration of networks that are as sure as they should be, and of some that are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.analysis.confidence import BINS, calibration_error, reliability_curve


def test_two_bins_by_hand() -> None:
    confidence, correct = [0.5, 0.1, 0.6, 0.9, 1.0], [True, False, True, True, False]
    table = reliability_curve(confidence, correct, bins=2)
    assert table["n"].tolist() == [2, 3]
    assert table["low"].tolist() == [0, 0.5]
    assert table["confidence"].tolist() == pytest.approx([0.3, 2.5 / 3])
    assert table["accuracy"].tolist() == pytest.approx([0.5, 2 / 3])
    error = calibration_error(confidence, correct, bins=2, resamples=10)
    assert error.value == pytest.approx(2 / 5 * 0.2 + 3 / 5 * (2.5 / 3 - 2 / 3))


@given(st.integers(0, 300), st.integers(1, 20))
def test_the_error_is_that_of_the_curve(seed: int, bins: int) -> None:
    random = np.random.default_rng(seed)
    confidence, correct = random.random(80), random.random(80) < 0.6
    table = reliability_curve(confidence, correct, bins)
    assert table["n"].sum() == 80
    inside = table.dropna()
    gaps = (inside["n"] / 80 * (inside["accuracy"] - inside["confidence"]).abs()).sum()
    assert calibration_error(confidence, correct, bins, resamples=2).value == pytest.approx(gaps)
    for _, row in inside.iterrows():
        assert row["low"] <= row["confidence"] <= row["high"]


def test_a_calibrated_network_and_one_that_is_too_sure() -> None:
    random = np.random.default_rng(0)
    confidence = random.uniform(0.2, 1, 20_000)
    right = random.random(20_000) < confidence
    assert calibration_error(confidence, right, resamples=50).value < 0.015
    found = calibration_error(confidence, random.random(20_000) < confidence - 0.15, resamples=50)
    assert found.value == pytest.approx(0.15, abs=0.01)
    assert found.low < 0.15 < found.high
    assert len(reliability_curve(confidence, right)) == BINS


def test_what_is_no_confidence() -> None:
    with pytest.raises(ValueError, match=r"from 0 to 1, got 0\.5 to 90"):
        reliability_curve([0.5, 90], [True, True])
    with pytest.raises(ValueError, match="at least 1 bin"):
        calibration_error([0.5], [True], bins=0)
    assert np.isnan(calibration_error([], []).value)
    assert reliability_curve([], [])["n"].sum() == 0
    assert reliability_curve([0.0], [False], 4)["n"].tolist() == [1, 0, 0, 0]
