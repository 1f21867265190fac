"""Networks of other floating types than float32, and features that are not finite."""

from __future__ import annotations

from typing import cast

import pytest
import torch
from torch import nn

from drnn_core.counting import network_cost
from drnn_core.inference.skipping import NotFiniteError, compile_for_inference, fast_forward
from drnn_core.models.gate import gate_bias
from drnn_core.models.network import Network
from tests.inference.skipping.lively import lively

NAME = "dr_resnet16_l2"
TYPES = (torch.float64, torch.bfloat16, torch.float16)


@pytest.fixture
def network() -> Network:
    return lively(NAME, 32, batch=16, seed=3)[0]


@pytest.mark.parametrize("dtype", TYPES)
def test_a_network_runs_in_its_own_type(network: Network, dtype: torch.dtype) -> None:
    x = torch.randn(16, 3, 32, 32)
    with torch.no_grad():
        expected = network(x)
        found = network.to(dtype)(x.to(dtype))
    assert found.logits.dtype == dtype
    full = torch.float64 if dtype == torch.float64 else torch.float32
    assert found.trace.prob.dtype == full, "gates decide in full precision"
    agree = (found.trace.ran == expected.trace.ran).float().mean()
    assert agree == 1 if dtype == torch.float64 else agree > 0.9
    if dtype == torch.float64:
        assert torch.allclose(found.logits.float(), expected.logits, atol=1e-4)


@pytest.mark.parametrize("dtype", TYPES)
def test_it_trains_in_its_own_type(network: Network, dtype: torch.dtype) -> None:
    output = network.to(dtype).train()(torch.randn(8, 3, 32, 32, dtype=dtype))
    (output.logits.float().square().mean() + output.trace.prob.mean()).backward()
    assert all(p.grad is not None and p.grad.dtype == dtype for p in network.parameters())


@pytest.mark.parametrize("dtype", TYPES)
def test_it_is_compiled_from_its_own_type(network: Network, dtype: torch.dtype) -> None:
    network.to(dtype)
    compiled = compile_for_inference(network)
    assert next(network.parameters()).dtype == dtype, "left as it is"
    x = torch.randn(8, 3, 32, 32)
    with torch.no_grad():
        expected = network.float()(x)
    found = compiled(x)
    assert torch.equal(found.trace.ran, expected.trace.ran)
    assert torch.allclose(found.logits, expected.logits, atol=1e-3, rtol=1e-3)
    assert network_cost(network.to(dtype)) == network_cost(network.float())


def test_what_overflows_does_not_reach_images_that_did_not_run_it(network: Network) -> None:
    block = next(block for _, block in network.recursive_blocks() if block.gate is not None)
    assert block.gate is not None
    x = torch.randn(4, 3, 32, 32)
    gate_bias(block.gate).fill_(-torch.inf)
    with torch.no_grad():
        expected = network(x)
        for norm in block.body.modules():
            if isinstance(norm, nn.BatchNorm2d):
                norm.weight.fill_(3e38)
        found = network(x)
    assert torch.isfinite(expected.logits).all()
    assert torch.equal(found.logits, expected.logits)
    assert not found.trace.ran[:, : block.loops].any()


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_weights_that_are_not_finite_are_not_compiled(network: Network, value: float) -> None:
    """Fused relu makes 0 of NaN, and what comes out would look like an answer."""
    norm = cast(nn.BatchNorm2d, cast(nn.Sequential, network.stem)[1])
    assert norm.running_mean is not None
    norm.running_mean.fill_(value)
    with pytest.raises(NotFiniteError, match=r"got NaN or infinity in stem\.1\.running_mean"):
        compile_for_inference(network)
    assert fast_forward(network) is network


@pytest.mark.parametrize("value", [torch.inf, -torch.inf])
def test_gates_of_infinite_bias_are_compiled(network: Network, value: float) -> None:
    for _, block in network.recursive_blocks():
        assert block.gate is not None
        gate_bias(block.gate).fill_(value)
    ran = compile_for_inference(network)(torch.randn(3, 3, 32, 32)).trace.ran
    assert bool(ran.all()) == (value > 0)
    assert bool(ran.any()) == (value > 0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.uint8])
def test_decisions_to_replay_are_bool(network: Network, dtype: torch.dtype) -> None:
    x = torch.randn(2, 3, 32, 32)
    trace = network(x).trace
    assert torch.equal(network(x, trace.ran).trace.ran, trace.ran)
    with pytest.raises(ValueError, match="expected bool decisions to replay, got"):
        network(x, trace.ran.to(dtype))
