from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.evaluation import measure
from drnn_core.models.gate import gate_bias
from drnn_core.training.calibration import calibrate_gates, closest
from tests.tiny_runs import PREPROCESSING, tiny_images, tiny_network
from tests.training.small import Silent, trainer


@pytest.mark.parametrize("target", [0.5, 0.7, 0.9])
def test_the_rate_meets_the_target_on_the_images_it_was_set_on(target: float) -> None:
    network, images = tiny_network(), tiny_images(400)
    before = measure(network, images, PREPROCESSING)
    shifts = calibrate_gates(network, images, PREPROCESSING, target)
    after = measure(network, images, PREPROCESSING)
    assert len(shifts) == len(network.recursive_blocks())
    assert after.rate == pytest.approx(target, abs=0.03)
    assert abs(after.rate - target) <= abs(before.rate - target) + 1e-9


def test_only_the_gates_biases_change() -> None:
    network, images = tiny_network(), tiny_images(60)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    calibrate_gates(network, images, PREPROCESSING, 0.6)
    changed = {n for n, v in network.state_dict().items() if not torch.equal(v, before[n])}
    assert changed <= {n for n in before if "gate" in n and n.endswith("bias")}
    assert changed
    assert not network.training


def test_a_gate_at_its_target_is_left_alone() -> None:
    network, images = tiny_network(), tiny_images(200)
    calibrate_gates(network, images, PREPROCESSING, 0.7)
    biases = [float(gate_bias(block.gate)) for _, block in network.recursive_blocks() if block.gate]
    again = calibrate_gates(network, images, PREPROCESSING, 0.7)
    assert all(abs(shift) < 1 for shift in again)
    assert len(biases) == len(again)


def test_a_recipe_asks_for_it_and_the_saved_state_stays_uncalibrated(tmp_path: Path) -> None:
    """Finishing twice from one saved state gives the same network, not one calibrated twice."""
    run = trainer(tmp_path, calibrate_gates=True)
    run.run(Silent())
    again = trainer(tmp_path, calibrate_gates=True)
    assert again.resume()
    again.run(Silent())
    first, second = run.network.state_dict(), again.network.state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


@given(
    knots=st.lists(st.floats(0, 1), min_size=3, max_size=9).filter(lambda k: min(k) < 0.6 < max(k)),
    start=st.floats(-8, 8),
)
def test_a_rate_that_is_not_monotone_is_still_met(knots: list[float], start: float) -> None:
    """Halving from both ends, as if it were monotone, misses where it turns."""
    places = np.linspace(-5, 5, len(knots))

    def rate(bias: float) -> float:
        return float(np.interp(bias, places, knots))

    found = closest(rate, [start, *places.tolist()], 0.6)
    assert rate(found) == pytest.approx(0.6, abs=2e-3)


def test_a_rate_that_never_crosses_ends_at_the_closest_that_was_tried() -> None:
    assert closest(lambda bias: 0.9 - bias / 100, [0.0, 5.0, 2.0], 0.7) == 5.0
