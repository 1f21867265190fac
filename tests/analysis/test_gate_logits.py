"""How far a gate's logits lie apart, against logits that are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.analysis.gate_logits import FLAT, gate_logits
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
