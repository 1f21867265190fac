"""What is not folded computes what the backbone computed; what is, computes each loop by hand."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from drnn_core.models.norm import LoopNorm
from drnn_core.models.recursify import recursify
from drnn_core.models.recursify.norms import LoopCopies
from drnn_core.models.recursive import RecursiveBlock
from tests.models.recursify.backbones import (
    backbone,
    images,
    randomise_norms,
    set_gates,
    without_chance,
)

FAMILIES = (
    *("resnet18", "mobilenet_v2", "mobilenet_v3_small", "regnet_y_400mf", "efficientnet_b0"),
    "convnext_tiny",
)


@pytest.mark.parametrize("name", FAMILIES)
def test_open_gates_give_the_backbones_logits(name: str) -> None:
    """One loop, a gate on every block that could have one: nothing is folded."""
    model = without_chance(backbone(name)).eval()
    randomise_norms(model)
    network = recursify(model, loops=1)
    set_gates(network, 50.0)
    x = images(batch=3)
    with torch.no_grad():
        torch.testing.assert_close(network(x).logits, model(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "convnext_tiny"])
def test_open_gates_give_the_backbones_gradients_and_statistics(name: str) -> None:
    """In training mode, where nothing is left to chance."""
    model = without_chance(backbone(name)).train()
    network = recursify(model, loops=1)
    set_gates(network, 50.0)
    x = images(batch=3)
    found, expected = network(x).logits, model(x)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    found.logsumexp(dim=1).sum().backward()
    expected.logsumexp(dim=1).sum().backward()
    pairs = _pairs(network, model)
    assert len(pairs) == len(model.state_dict())
    for theirs, ours in pairs.items():
        torch.testing.assert_close(
            network.state_dict()[ours], model.state_dict()[theirs], rtol=1e-4, atol=1e-5
        )
    gradients = dict(model.named_parameters())
    own = dict(network.named_parameters())
    first = next(iter(gradients))
    torch.testing.assert_close(own[pairs[first]].grad, gradients[first].grad, rtol=1e-2, atol=1e-4)


def _pairs(network: nn.Module, model: nn.Module) -> dict[str, str]:
    """The backbone's name of every tensor -> ours, by what ours adds to it."""
    ours: dict[str, str] = {}
    for name in network.state_dict():
        plain = name.removeprefix("body.").removeprefix("head.")
        plain = plain.replace(".norms.0.", ".").replace(".copies.0.", ".")
        ours[plain] = name
        ours[plain.replace(".body.", ".", 1)] = name
    return {name: ours[name] for name in model.state_dict()}


@pytest.mark.parametrize("name", FAMILIES)
def test_closed_gates_leave_the_features_alone(name: str) -> None:
    """As the backbone without these blocks: no body writes into its input."""
    model = backbone(name).eval()
    randomise_norms(model)
    network = recursify(model, loops=1)
    set_gates(network, -50.0)
    without = copy.deepcopy(model)
    for path in network._paths.values():
        without.set_submodule(path, nn.Identity())
    x = images(batch=3)
    with torch.no_grad():
        output = network(x)
        torch.testing.assert_close(output.logits, without(x), rtol=1e-4, atol=1e-5)
    assert not bool(output.trace.ran.any())


def looped(name: str) -> tuple[Any, nn.Module]:
    """A recursive block of three loops whose norms all differ, and the backbone's own."""
    model = backbone(name).eval()
    randomise_norms(model)
    network = recursify(model, loops=3)
    randomise_norms(network)
    names = [name for name, block in network.recursive_blocks() if block.loops == 3]
    block = dict(network.recursive_blocks())[names[-1]]
    return block, model.get_submodule(network._paths[names[-1]])


def check_loops(block: RecursiveBlock, plain: nn.Module) -> None:
    """A block against a literal loop over the backbone's own module, norms put in by hand."""
    ran = torch.tensor([[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]]).bool()
    x = torch.randn(len(ran), _channels(block), 6, 6)
    expected = []
    for place in range(len(ran)):
        image = x[place : place + 1]
        for loop in range(int(ran[place].sum())):
            put_norms(block, plain, loop)
            with torch.no_grad():
                image = plain(image)
        expected.append(image)
    with torch.no_grad():
        output = block(x, ran)
    torch.testing.assert_close(output.features, torch.cat(expected), rtol=1e-4, atol=1e-4)


def put_norms(block: RecursiveBlock, plain: nn.Module, loop: int) -> None:
    parts: list[tuple[str, Any]] = list(block.body.named_modules())
    for path, norm in parts:
        if isinstance(norm, LoopNorm | LoopCopies):
            sets: Any = norm.norms if isinstance(norm, LoopNorm) else norm.copies
            plain.get_submodule(path).load_state_dict(sets[loop].state_dict())


LOOPED = ("resnet50", "mobilenet_v2", "efficientnet_b0", "convnext_tiny")


@pytest.mark.parametrize("name", LOOPED)
def test_each_loop_is_the_block_with_its_own_norms(name: str) -> None:
    check_loops(*looped(name))


@pytest.mark.parametrize("name", LOOPED)
def test_the_check_sees_a_block_that_uses_one_loops_norms_for_all(name: str) -> None:
    block, plain = looped(name)
    for node in block.body.graph.nodes:
        if node.op == "call_module" and len(node.args) == 3:
            node.args = (node.args[0], 0, node.args[2])
    block.body.recompile()
    with pytest.raises(AssertionError):
        check_loops(block, plain)


def _channels(block: Any) -> int:
    return next(block.gate.parameters()).shape[1]


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2"])
def test_training_normalises_the_executed_images_alone(name: str) -> None:
    """I-LVBN: outputs and running statistics are the backbone's block's on those images."""
    model = backbone(name).train()
    network = recursify(model, loops=1)
    path = next(iter(network._paths.values()))
    block: Any = network.body.get_submodule(path)
    plain = model.get_submodule(path)
    x = torch.randn(6, _channels(block), 8, 8)
    ran = torch.tensor([True, False, True, True, False, True])
    output = block(x, ran[:, None])
    torch.testing.assert_close(output.features[ran], plain(x[ran]), rtol=1e-4, atol=1e-5)
    assert torch.equal(output.features[~ran], x[~ran])
    for inner, norm in plain.named_modules():
        if isinstance(norm, nn.BatchNorm2d):
            found = block.body.get_submodule(inner).norms[0]
            torch.testing.assert_close(found.running_mean, norm.running_mean)
            torch.testing.assert_close(found.running_var, norm.running_var)


def test_bfloat16_under_autocast() -> None:
    """The sum that a block computes in the lower precision is selected in the input's."""
    network = recursify(backbone("resnet18"), loops=2).train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits, trace = network(images(batch=4))
    logits.float().logsumexp(dim=1).sum().backward()
    assert trace.prob.dtype == torch.float32
    assert all(p.grad is None or bool(p.grad.isfinite().all()) for p in network.parameters())


def test_a_body_that_writes_into_its_input_gets_a_copy() -> None:
    class Rude(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.act = nn.ReLU(inplace=True)
            self.conv = nn.Conv2d(8, 8, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            y = self.conv(self.act(x))
            y += x
            return y

    torch.manual_seed(0)
    rude = nn.Sequential(
        nn.Conv2d(3, 8, 3, 4, 1), nn.Sequential(Rude(), Rude(), Rude()), nn.Flatten(2), Mean()
    ).eval()
    network = recursify(rude, loops=2, gate=None)
    x = images()
    with torch.no_grad():
        stem = rude[0](x)
        kept = stem.clone()
        block = network.recursive_blocks()[0][1]
        block(stem, torch.zeros(2, 2, dtype=torch.bool))
    assert torch.equal(stem, kept)


def test_a_functional_dropout_knows_the_mode() -> None:
    class Dropping(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(8, 8, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            return x + F.dropout(self.conv(x), p=0.25, training=self.training)

    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, 4, 1), nn.Sequential(Dropping(), Dropping()), nn.Flatten(2), Mean()
    ).eval()
    network = recursify(model, loops=1, gate=None)
    x = images()
    with torch.no_grad():
        torch.testing.assert_close(network(x).logits, model(x))
        network.train()
        assert not torch.equal(network(x).logits, network(x).logits)
    assert [m.p for m in network.modules() if isinstance(m, nn.Dropout)] == [0.25, 0.25]


class Mean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=2)
