"""Shifted gates open where the probability was above the threshold, and nothing else changes."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.inference.thresholds import measure_thresholds, with_thresholds
from drnn_core.models.gate import gate_bias
from tests.tiny_runs import PREPROCESSING, tiny_images, tiny_network


def pixels() -> torch.Tensor:
    return PREPROCESSING.normalise(tiny_images().pixels)


@given(st.floats(0.05, 0.95))
def test_the_first_gate_opens_above_the_threshold(threshold: float) -> None:
    network = tiny_network()
    with torch.no_grad():
        before = network(pixels()).trace
        after = with_thresholds(network, threshold)(pixels()).trace
    first = before.prob[:, 0]
    clear = (first - threshold).abs() > 1e-5
    assert torch.equal(after.ran[clear, 0], (first > threshold)[clear])
    shift = math.log(threshold / (1 - threshold))
    torch.testing.assert_close(
        after.prob[:, 0], torch.sigmoid(torch.logit(first.double()) - shift).float(),
        atol=1e-4, rtol=1e-3,
    )  # fmt: skip


def test_always_and_never() -> None:
    network = tiny_network()
    with torch.no_grad():
        assert with_thresholds(network, 0)(pixels()).trace.ran.all()
        assert not with_thresholds(network, 1)(pixels()).trace.ran.any()
        mixed = with_thresholds(network, [1, 0])(pixels()).trace
    assert mixed.block_loops(network.layout).tolist() == [[0, 3]] * 60


def test_the_network_itself_stays_as_it_is() -> None:
    network = tiny_network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    changed = with_thresholds(network, 0.8)
    for (_, block), (_, other) in zip(
        network.recursive_blocks(), changed.recursive_blocks(), strict=True
    ):
        assert block.gate is not None
        assert other.gate is not None
        shift = float(gate_bias(block.gate) - gate_bias(other.gate))
        assert shift == pytest.approx(math.log(4), rel=1e-5)
        gate_bias(other.gate).fill_(9.0)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    biases = {f"stages.{stage}.1.gate.fc.2.bias" for stage in (1, 2)}
    differ = {
        name for name, value in changed.state_dict().items() if not torch.equal(value, before[name])
    }
    assert differ == biases
    assert not changed.training


def test_higher_thresholds_cost_less() -> None:
    found = measure_thresholds(tiny_network(), tiny_images(), PREPROCESSING, (0.1, 0.5, 0.9))
    assert found[0].loops_mean > found[1].loops_mean > found[2].loops_mean
    assert found[0].macs_mean > found[1].macs_mean > found[2].macs_mean


def test_networks_without_gates_and_wrong_thresholds() -> None:
    plain = tiny_network(gated=False)
    with torch.no_grad():
        same = with_thresholds(plain, 0.9)(pixels())
    torch.testing.assert_close(same.logits, plain(pixels()).logits, rtol=0, atol=0)
    for wrong, message in ((1.5, "from 0 to 1"), ([0.5], "2 blocks, got 1"), (math.nan, "0 to 1")):
        with pytest.raises(ValueError, match=message):
            with_thresholds(tiny_network(), wrong)
