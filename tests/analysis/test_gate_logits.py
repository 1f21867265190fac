"""How far a gate's logits lie apart, against logits that are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.analysis.gate_logits import FLAT, LUMPED, chance_counts, gate_logits
from drnn_core.layout import BlockLayout

LAYOUT = (BlockLayout("2.2", 2, True), BlockLayout("3.2", 2, True))


def chances(logits: np.ndarray) -> np.ndarray:
    return (1 / (1 + np.exp(-logits))).astype(np.float32)


def recorded(logits: np.ndarray) -> np.ndarray:
    """(N, S) chances as records hold them: NaN once the block's gate has shut."""
    found = chances(logits)
    for first in (0, 2):
        found[logits[:, first] <= 0, first + 1] = np.nan
    return found


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 3), st.floats(-1, 1))
def test_it_is_the_spread_of_the_logits_of_those_who_asked(
    seed: int, scale: float, mean: float
) -> None:
    logits = np.random.default_rng(seed).normal(mean, scale, (200, 4))
    found = gate_logits(recorded(logits), LAYOUT)
    for one in found:
        step = 2 * (one.block == "3.2") + one.loop
        asked = logits[:, step] if one.loop == 0 else logits[logits[:, step - 1] > 0, step]
        assert one.asked == len(asked)
        assert one.rate == pytest.approx((asked > 0).mean())
        assert one.std == pytest.approx(asked.std(ddof=1), rel=2e-3, abs=1e-5)
        assert one.flat == (one.std < FLAT)
    first = [one for one in found if one.loop == 0]
    assert gate_logits(recorded(logits), LAYOUT, first_only=True) == first


def test_a_first_loop_that_runs_unasked_is_no_question() -> None:
    logits = np.random.default_rng(1).normal(0, 1, (50, 4))
    probs = chances(logits)
    probs[:, [0, 2]] = np.nan
    found = gate_logits(probs, LAYOUT, first_only=True)
    assert [(one.block, one.loop, one.asked) for one in found] == [("2.2", 1, 50), ("3.2", 1, 50)]


def test_certain_gates_have_a_spread_that_is_a_number() -> None:
    (one, *_) = gate_logits([[1.0, 1.0, 0.0, np.nan]] * 3, LAYOUT)
    assert one.std == 0
    assert one.flat


def test_nobody_asked_nothing_to_tell() -> None:
    assert gate_logits([], LAYOUT) == []
    assert gate_logits([[0.4, np.nan, 0.5, np.nan]], LAYOUT) == []


def test_another_networks_records_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 4 chances for each image"):
        gate_logits([[0.4, 0.5]], LAYOUT)


def test_images_at_one_logit_are_counted_and_their_chance_is_told() -> None:
    random = np.random.default_rng(3)
    logits = random.normal(-1, 2, (100, 4))
    logits[:40, 0] = 1e-6  # the bias alone
    (first, *_) = gate_logits(chances(logits), LAYOUT)
    assert (first.alike, first.lumped, first.flat) == (0.4, True, False)
    assert first.alike_chance == pytest.approx(0.5, abs=1e-6)
    logits[:, 0] = random.normal(-1, 2, 100)
    (first, *_) = gate_logits(chances(logits), LAYOUT)
    assert first.alike < LUMPED
    assert not first.lumped


def test_chances_that_are_rounded_to_certainty_are_not_one_logit() -> None:
    logits = np.linspace(20, 60, 100)[:, None] * np.ones((1, 4))
    logits[:30] *= -1
    (first, *_) = gate_logits(chances(logits), LAYOUT)
    assert (first.alike, first.lumped) == (0, False)
    assert np.isnan(first.alike_chance)


def test_a_flat_gate_is_only_flat() -> None:
    (first, *_) = gate_logits(chances(np.zeros((50, 4))), LAYOUT)
    assert first.alike == 1
    assert first.flat
    assert not first.lumped


@given(st.integers(0, 2**32 - 1), st.integers(1, 50))
def test_every_chance_lies_in_one_bin_and_those_that_run_above_one_half(
    seed: int, bins: int
) -> None:
    logits = np.random.default_rng(seed).normal(0, 2, (60, 4))
    logits[0] = 0
    probs = recorded(logits)
    found = chance_counts(probs, LAYOUT, bins)
    asked = (~np.isnan(probs)).sum(axis=0)
    totals = found.groupby(["block", "loop"], sort=False)["images"].sum()
    assert totals.tolist() == asked[asked > 0].tolist()
    assert np.allclose(found.groupby(["block", "loop"])["share"].sum(), 1)
    if bins % 2 == 0:
        above = found[found["low"] >= 0.5].groupby(["block", "loop"], sort=False)["images"].sum()
        assert above.tolist() == [
            int((probs[:, step] > 0.5).sum()) for step in np.flatnonzero(asked)
        ]


def test_bins_need_one_at_least_and_nobody_asked_is_no_row() -> None:
    with pytest.raises(ValueError, match="at least 1 bin, got 0"):
        chance_counts([[0.5] * 4], LAYOUT, 0)
    assert chance_counts([], LAYOUT).empty
    with pytest.raises(ValueError, match="expected 4 chances for each image"):
        chance_counts([[0.5]], LAYOUT)
