from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import Tensor

from drnn_core.evaluation import measure
from drnn_core.models.gate import gate_bias
from drnn_core.models.network import Network
from drnn_core.training.calibration import (
    best_shift,
    calibrate_gates,
    calibrate_together,
    closest_to_zero,
    mean_rates,
    network_rate,
)
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


def test_what_one_gate_cannot_do_the_later_ones_make_up() -> None:
    """A gate with one logit for all opens for everybody or for nobody."""
    network, images = tiny_network(), tiny_images(400)
    gates = [block.gate for _, block in network.recursive_blocks() if block.gate]
    assert len(gates) > 1
    for parameter in gates[0].parameters():
        parameter.detach().zero_()
    calibrate_gates(network, images, PREPROCESSING, 0.7)
    after = measure(network, images, PREPROCESSING)
    assert after.gate_rates[0] in (0.0, 1.0)
    assert after.rate == pytest.approx(0.7, abs=0.06)


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


def looped(logits: Tensor, shift: float) -> float:
    """The mean rate at a shift, image by image and loop by loop."""
    asked, opened = [0] * logits.shape[1], [0] * logits.shape[1]
    for row in logits.tolist():
        for loop, value in enumerate(row):
            asked[loop] += 1
            if value + shift <= 0:
                break
            opened[loop] += 1
    rates = [o / a for o, a in zip(opened, asked, strict=True) if a]
    return sum(rates) / len(rates)


seeds = st.integers(0, 2**20)


@given(seed=seeds, images=st.integers(1, 30), loops=st.integers(1, 4), shift=st.floats(-3, 3))
def test_the_rate_at_a_shift_is_that_of_asking_one_by_one(
    seed: int, images: int, loops: int, shift: float
) -> None:
    logits = torch.randn(images, loops, generator=torch.Generator().manual_seed(seed)).double()
    assume(bool(((logits + shift).abs() > 1e-6).all()))
    alive = logits.cummin(dim=1).values
    found = mean_rates(alive, torch.tensor([shift], dtype=torch.float64))
    assert float(found) == pytest.approx(looped(logits, shift), abs=1e-12)


@given(seed=seeds, drift=st.floats(-2, 2), scale=st.floats(1e-4, 10))
def test_the_target_is_met_however_tightly_logits_are_packed(
    seed: int, drift: float, scale: float
) -> None:
    logits = torch.randn(800, 1, generator=torch.Generator().manual_seed(seed)) * scale
    logits = torch.cat([logits, logits + drift * scale], dim=1)
    shift = best_shift(logits, 0.7)
    assert looped(logits, shift) == pytest.approx(0.7, abs=0.01)


def test_many_images_in_one_spot_do_not_hide_the_rest() -> None:
    """500 images with logits 1e-7 apart: the rate jumps there, and is met among the others."""
    spread = torch.linspace(-1, 1, 500)
    packed = torch.full((500,), 5.0) + 1e-7 * spread
    logits = torch.cat([spread, packed])[:, None]
    shift = best_shift(logits, 0.75)  # the packed ones and the upper half of the others
    assert looped(logits, shift) == pytest.approx(0.75, abs=2e-3)
    assert shift == pytest.approx(0.0, abs=0.01)
    between = best_shift(logits, 0.5)  # any threshold between the two will do
    assert looped(logits, between) == 0.5


def test_a_rate_that_cannot_be_met_ends_at_the_closest() -> None:
    """One value for all: every image opens, or none does."""
    assert looped(torch.zeros(40, 1), best_shift(torch.zeros(40, 1), 0.7)) == 1.0
    assert looped(torch.zeros(40, 1), best_shift(torch.zeros(40, 1), 0.3)) == 0.0


@pytest.mark.parametrize("target", [0.5, 0.7, 0.9])
def test_one_shift_for_all_brings_the_mean_rate_to_the_target(target: float) -> None:
    network, images = tiny_network(), tiny_images(400)
    before = [float(bias) for bias in biases(network)]
    shift = calibrate_together(network, images, PREPROCESSING, target)
    moved = [float(bias) - value for bias, value in zip(biases(network), before, strict=True)]
    assert len(moved) > 1
    assert moved == pytest.approx([shift] * len(moved), abs=1e-5)
    measured = measure(network, images, PREPROCESSING).rate
    assert measured == pytest.approx(target, abs=0.02)


def test_the_rate_of_the_network_is_the_one_that_evaluation_measures() -> None:
    network, images = tiny_network(), tiny_images(300)
    pixels = images.images(range(300))
    found = network_rate(network.eval(), PREPROCESSING, pixels)
    assert found == pytest.approx(measure(network, images, PREPROCESSING).rate, abs=1e-12)


def test_no_gates_nothing_to_shift() -> None:
    network, images = tiny_network(gated=False), tiny_images(20)
    assert calibrate_together(network, images, PREPROCESSING, 0.7) == 0.0


@given(zero=st.floats(-50, 50), slope=st.floats(0.05, 4), bottom=st.floats(0.1, 0.9))
def test_a_rising_function_is_brought_to_its_zero(zero: float, slope: float, bottom: float) -> None:
    """Logistic, so flat where a search starts far away."""
    offset = math.log(bottom / (1 - bottom)) / slope  # where the curve passes its zero

    def miss(shift: float) -> float:
        return 1 / (1 + math.exp(-slope * (shift - zero + offset))) - bottom

    assert abs(miss(closest_to_zero(miss))) < 0.01


def test_a_function_that_jumps_over_zero_ends_at_the_nearer_side() -> None:
    found = closest_to_zero(lambda shift: -0.2 if shift < 1.3 else 0.1)
    assert 1.3 <= found <= 64


def test_out_of_reach_the_nearest_end_is_kept() -> None:
    assert closest_to_zero(lambda shift: 0.3) == 0.0
    assert closest_to_zero(lambda shift: -0.3) == 0.0


def test_the_rate_loss_over_the_network_is_calibrated_over_the_network(tmp_path: Path) -> None:
    """Gates keep their logits' differences: what each learned is not undone."""
    free = trainer(tmp_path / "free", calibrate_gates=True, rate_loss="network")
    free.run(Silent())
    plain = trainer(tmp_path / "plain", calibrate_gates=False, rate_loss="network")
    plain.run(Silent())
    pairs = zip(biases(free.network), biases(plain.network), strict=True)
    moved = [float(one) - float(other) for one, other in pairs]
    assert moved == pytest.approx([moved[0]] * len(moved), abs=1e-5)


def biases(network: Network) -> list[Tensor]:
    return [gate_bias(block.gate) for _, block in network.recursive_blocks() if block.gate]
