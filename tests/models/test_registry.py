"""Every network: forward, backward, every parameter learns, state round trip, determinism."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from drnn_core.models.bodies import StochasticDepthBlock
from drnn_core.models.network import Network
from drnn_core.models.registry import create_model, list_models
from drnn_core.recipes import NETWORKS
from drnn_core.training.losses import rate_loss


def images(name: str, batch: int = 2) -> torch.Tensor:
    """Small, so that the largest networks stay cheap, yet more than one pixel at the end."""
    side = 64 if NETWORKS[name].dataset == "ImageNet" else 16
    return torch.randn(batch, 3, side, side, generator=torch.Generator().manual_seed(1))


def open_wide(network: Network) -> None:
    """Let every block take part: gates open nearly always, and none is dropped by chance."""
    with torch.no_grad():
        for _, block in network.recursive_blocks():
            if block.gate is not None:
                list(block.gate.parameters())[-1].fill_(5.0)
    for module in network.modules():
        if isinstance(module, StochasticDepthBlock):
            module.survival = 1.0


@pytest.mark.parametrize("name", list_models())
def test_every_parameter_learns(name: str) -> None:
    network = create_model(name).train()
    open_wide(network)
    output = network(images(name))
    loss = F.cross_entropy(output.logits, torch.tensor([0, 1]))
    if network.recipe.target is not None:
        loss = loss + 2 * rate_loss(output.trace, 0.7)
    loss.backward()
    assert bool(loss.isfinite())
    for key, parameter in network.named_parameters():
        assert parameter.grad is not None, key
        assert bool(parameter.grad.isfinite().all()), key
        assert bool(parameter.grad.any()), key


@pytest.mark.parametrize("name", list_models())
def test_every_network_keeps_its_word(name: str) -> None:
    """Shapes, relations of the trace, evaluation twice equal, state round trip."""
    network = create_model(name, num_classes=7).eval()
    other = create_model(name, num_classes=7).eval()
    other.load_state_dict(network.state_dict())
    with torch.no_grad():
        first, second, third = (net(images(name)) for net in (network, network, other))
    steps = sum(block.loops for block in network.layout)
    assert first.logits.shape == (2, 7)
    assert bool(first.logits.isfinite().all())
    for tensor, dtype in zip(first.trace, (torch.float32, torch.bool, torch.bool), strict=True):
        assert tensor.shape == (2, steps)
        assert tensor.dtype == dtype
    asks = [b.is_gated(loop) for _, b in network.recursive_blocks() for loop in range(b.loops)]
    gated = torch.tensor(asks).bool()
    assert bool((first.trace.ran | gated).all()), "without a gate every loop runs"
    assert not bool((first.trace.ran & ~first.trace.asked & gated).any())
    for again in (second, third):
        assert torch.equal(first.logits, again.logits)
        for one, two in zip(first.trace, again.trace, strict=True):
            assert torch.equal(one, two)


@pytest.mark.parametrize(
    "changes",
    [
        {"norm": "naive", "gated": False},
        {"norm": "lvbn"},
        {"norm": "ilvbn_joint"},
        {"first_loop": "always"},
        {"gate_hidden": None},
        {"widths": [8, 16, 32], "loops": [1, 3, 2]},
        {"gate_initial_rate": 0.5},
    ],
    ids=str,
)
def test_changes_build_working_networks(changes: dict[str, Any]) -> None:
    network = create_model("dr_resnet16_l2", **changes).train()
    for key, value in changes.items():
        built = getattr(network.recipe, key)
        assert built == (tuple(value) if isinstance(value, list) else value)
    output = network(images("dr_resnet16_l2"))
    output.logits.square().sum().backward()
    assert all(
        parameter.grad is None or bool(parameter.grad.isfinite().all())
        for parameter in network.parameters()
    )


def test_patterns_list_networks_in_the_papers_order() -> None:
    assert list_models()[:2] == ["resnet20", "resnet56"]
    assert list_models("dr_*_l2") == [
        *("dr_resnet16_l2", "dr_resnet40_l2", "dr_resnet74_l2"),
        *("dr_resnet65_l2", "dr_resnet35_l2"),
    ]
    assert list_models("vgg*") == []


def test_unknown_names_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match=r"no network is called 'resnet21'.*resnet20"):
        create_model("resnet21")


def test_unknown_changes_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match=r"no network has an option depth; expected: .*gated"):
        create_model("resnet20", depth=3)


def test_stages_that_do_not_fit_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match=r"one number per stage.*blocks of 2, loops of 3"):
        create_model("dr_resnet16_l2", blocks=(3, 2))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"first_loop": "gatd"}, r"expected first_loop to be one of 'gated', 'always', got 'gatd'"),
        ({"norm": "LVBN"}, r"expected norm to be one of 'naive', 'lvbn', .* got 'LVBN'"),
        ({"stride_on": "1×1"}, r"expected stride_on to be one of '1x1', '3x3', got '1×1'"),
        ({"plain": (0, 0, 0)}, r"plain of at least 1 in stage 2, whose first block .* got 0"),
        ({"gate_hidden": 0}, r"gate_hidden of at least 1, or none, got 0"),
    ],
)
def test_values_that_no_network_has_are_refused_in_words(change: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        create_model("dr_resnet16_l2", **change)


def test_all_blocks_of_a_stage_may_loop_where_none_changes_the_shape() -> None:
    network = create_model("dr_resnet16_l2", loops=(2, 2, 2), plain=(0, 1, 1))
    assert [block.name for block in network.layout] == ["1.1", "1.2", "1.3", "2.2", "3.2"]
    assert network.eval()(torch.zeros(1, 3, 32, 32)).trace.ran.shape == (1, 10)


@pytest.mark.parametrize("name", ["resnet20", "dr_resnet16_l2"])
def test_the_same_seed_gives_the_same_weights(name: str) -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(11)
        states.append(create_model(name).state_dict())
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


@pytest.mark.parametrize("name", list_models())
def test_features_are_those_that_the_stages_promise(name: str) -> None:
    """For use as a backbone: names, strides and channels are known without running it."""
    network = create_model(name, num_classes=5).eval()
    x = images(name, batch=1)
    with torch.no_grad():
        stages = network.features(x)
        logits = network.classify(stages[-1].features)
        assert torch.equal(logits, network(x).logits)
    for stage, layout in zip(stages, network.stage_layouts, strict=True):
        assert (stage.name, stage.stride) == (layout.name, layout.stride)
        side = x.shape[-1] // stage.stride
        assert stage.features.shape == (1, layout.channels, side, side)


@pytest.mark.parametrize("name", list_models())
def test_stage_layouts_hold_the_recursive_blocks(name: str) -> None:
    network = create_model(name)
    inside = [block for stage in network.stage_layouts for block in stage.blocks if block.loops]
    assert tuple(inside) == network.layout
    assert [len(stage.blocks) for stage in network.stage_layouts] == list(network.recipe.blocks)


@pytest.mark.parametrize("name", list_models())
def test_replaying_a_trace_gives_its_logits(name: str) -> None:
    network = create_model(name, num_classes=5).eval()
    _draw_gates(network)
    x = images(name, batch=3)
    with torch.no_grad():
        output = network(x)
        replayed = network(x, output.trace.ran)
    torch.testing.assert_close(replayed.logits, output.logits)
    assert torch.equal(replayed.trace.ran, output.trace.ran)
    assert not bool(replayed.trace.asked.any())


def _draw_gates(network: Network) -> None:
    """Gates that open here and close there, so that a replay has something to get wrong."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for _, block in network.recursive_blocks():
            if block.gate is not None:
                bias = torch.randn((), generator=generator)
                list(block.gate.parameters())[-1].fill_(float(bias))
