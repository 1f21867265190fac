"""Backbones of every family of torchvision: the whole contract of a network, one after another."""

from __future__ import annotations

import math

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from drnn_core.counting import network_cost
from drnn_core.models.recursify import RecursifiedNetwork, recursify
from drnn_core.models.recursive import RecursiveBlock
from drnn_core.models.registry import create_model
from tests.models.recursify.backbones import BACKBONES, backbone, images, scatter_gates, set_gates


@pytest.fixture(scope="module", params=BACKBONES)
def network(request: pytest.FixtureRequest) -> RecursifiedNetwork:
    """Random weights, up to three loops; shared by the tests of a backbone."""
    torch.manual_seed(0)
    return recursify(backbone(request.param), loops=3, name=f"torchvision/{request.param}").eval()


def test_forward(network: RecursifiedNetwork) -> None:
    scatter_gates(network)
    steps = sum(block.loops for block in network.layout)
    assert network.layout
    assert all(
        isinstance(block, RecursiveBlock) and 2 <= block.loops <= 3
        for _, block in network.recursive_blocks()
    )
    with torch.no_grad():
        first, second = network(images()), network(images())
    assert first.logits.shape == (2, 10)
    assert first.trace.ran.shape == first.trace.asked.shape == first.trace.prob.shape == (2, steps)
    assert bool(first.logits.isfinite().all())
    assert torch.equal(first.logits, second.logits)
    assert torch.equal(first.trace.ran, second.trace.ran)


def test_a_closed_gate_is_final(network: RecursifiedNetwork) -> None:
    scatter_gates(network)
    with torch.no_grad():
        trace = network(images(batch=4)).trace
    for asked, ran in zip(
        trace.asked.split([block.loops for block in network.layout], dim=1),
        trace.ran.split([block.loops for block in network.layout], dim=1),
        strict=True,
    ):
        assert bool((ran[:, 1:] <= ran[:, :-1]).all())
        assert bool((asked[:, 1:] == ran[:, :-1]).all())
        assert bool(asked[:, 0].all())


def test_every_parameter_learns(network: RecursifiedNetwork) -> None:
    set_gates(network, 50.0)
    network.train()
    network.zero_grad()
    logits, trace = network(images())
    logits.logsumexp(dim=1).sum().backward()
    network.eval()
    assert bool(trace.ran.all())
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.isfinite().all()), name
    network.zero_grad()


def test_features_are_those_that_the_stages_promise(network: RecursifiedNetwork) -> None:
    scatter_gates(network)
    x = images(batch=1)
    with torch.no_grad():
        stages = network.features(x)
        logits = network.classify(stages[-1].features)
        assert torch.equal(logits, network(x).logits)
    strides = [stage.stride for stage in stages]
    assert strides == sorted(set(strides))
    assert strides[-1] == 32
    for stage, layout in zip(stages, network.stage_layouts, strict=True):
        assert (stage.name, stage.stride) == (layout.name, layout.stride)
        side = math.ceil(64 / stage.stride)
        assert stage.features.shape == (1, layout.channels, side, side)


def test_recipe_and_layout_agree(network: RecursifiedNetwork) -> None:
    recipe, stages = network.recipe, network.stage_layouts
    inside = [block for stage in stages for block in stage.blocks if block.loops]
    assert tuple(inside) == network.layout
    assert recipe.blocks == tuple(len(stage.blocks) for stage in stages)
    assert recipe.widths == tuple(stage.channels for stage in stages)
    assert recipe.loops == tuple(max(1, *(b.loops for b in stage.blocks)) for stage in stages)
    assert math.prod(recipe.strides[1:]) * stages[0].stride == stages[-1].stride
    for stage, plain in zip(stages, recipe.plain, strict=True):
        assert all(block.loops == 0 for block in stage.blocks[:plain])
        assert plain == len(stage.blocks) or stage.blocks[plain].loops > 0
    assert (recipe.form, recipe.target, recipe.num_classes) == ("recursified", 0.7, 10)


def test_state_round_trip(network: RecursifiedNetwork) -> None:
    """Built on "meta", it takes exactly the tensors of the real one."""
    scatter_gates(network)
    with torch.device("meta"):
        other = create_model(network.recipe.name, num_classes=10, loops=3)
    other.load_state_dict(network.state_dict(), assign=True)
    with torch.no_grad():
        expected, found = network(images()), other.eval()(images())
    assert torch.equal(found.logits, expected.logits)
    assert torch.equal(found.trace.ran, expected.trace.ran)


def test_replaying_a_trace_gives_its_logits(network: RecursifiedNetwork) -> None:
    scatter_gates(network)
    with torch.no_grad():
        output = network(images(batch=3))
        replayed = network(images(batch=3), output.trace.ran)
    torch.testing.assert_close(replayed.logits, output.logits)
    assert torch.equal(replayed.trace.ran, output.trace.ran)
    assert not bool(replayed.trace.asked.any())
    with pytest.raises(ValueError, match="images by steps"):
        network(images(batch=2), output.trace.ran)


def test_cost_is_what_torch_counts(network: RecursifiedNetwork) -> None:
    set_gates(network, 50.0)
    cost = network_cost(network, 64)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(images(batch=1))
    assert cost.macs_max == pytest.approx(counter.get_total_flops() / 2, rel=0.01)
    assert len(cost.step_macs) == sum(block.loops for block in network.layout)
    assert all(macs > 0 for macs in (*cost.step_macs, *cost.gate_macs))
