"""The gradient of each loop: what the parts sum to, what a finite difference says, what is left."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from drnn_core.analysis.gradient_norms import LoopGradient, gradient_norms
from drnn_core.models.gate import Gate, gate_bias
from drnn_core.models.network import Network
from drnn_core.models.norm import NORM_KINDS
from drnn_core.models.recursify import build_backbone, recursify
from drnn_core.models.registry import create_model
from drnn_core.trace import Output
from tests.tiny_runs import tiny_network

SHAPE: dict[str, Any] = {"blocks": (1, 2, 2), "widths": (4, 6, 8), "loops": (1, 2, 3)}


def batch(count: int = 6) -> tuple[Tensor, Callable[[Output], Tensor]]:
    generator = torch.Generator().manual_seed(1)
    labels = torch.randint(0, 4, (count,), generator=generator)

    def loss(output: Output) -> Tensor:
        return F.cross_entropy(output.logits, labels) + output.trace.prob.mean()

    return torch.randn((count, 3, 8, 8), generator=generator), loss


def network_of(norm: str, gated: bool, **changes: Any) -> Network:
    return tiny_network(4, norm=norm, gated=gated, **SHAPE | changes)


def parts_of(network: Network) -> dict[tuple[str, str], list[LoopGradient]]:
    images, loss = batch()
    found: dict[tuple[str, str], list[LoopGradient]] = {}
    for row in gradient_norms(network, images, loss, seed=5).loops:
        found.setdefault((row.block, row.conv), []).append(row)
    return found


def exhausted(_: Tensor) -> Tensor:
    raise StopIteration


class Unshared(nn.Module):
    """A convolution with a weight of its own for each call, all equal: the weights untied."""

    def __init__(self, conv: nn.Conv2d, count: int) -> None:
        super().__init__()
        self.weights = nn.ParameterList(conv.weight.detach().clone() for _ in range(count))
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        # images that do not execute the loop are computed without gradients, after the others
        loop = self.calls if torch.is_grad_enabled() else self.calls - 1
        self.calls += torch.is_grad_enabled()
        return F.conv2d(x, self.weights[loop], padding=1)


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("norm", NORM_KINDS)
def test_each_loop_is_what_a_weight_of_its_own_would_get(norm: str, gated: bool) -> None:
    network = network_of(norm, gated)
    found = parts_of(network)
    untied = copy.deepcopy(network).train()
    images, loss = batch()
    convs: dict[tuple[str, str], Unshared] = {}
    for name, block in untied.recursive_blocks():
        for conv in ("conv1", "conv2"):
            convs[name, conv] = Unshared(getattr(block.body, conv), block.loops)
            setattr(block.body, conv, convs[name, conv])
    torch.manual_seed(5)
    loss(untied(images)).backward()
    tied = copy.deepcopy(network).train()
    torch.manual_seed(5)
    loss(tied(images)).backward()
    assert found.keys() == convs.keys()
    assert len(found) == 4
    for (block, conv), rows in found.items():
        weights = list(convs[block, conv].weights)
        assert [row.loop for row in rows] == list(range(len(weights)))
        gradients = [torch.zeros_like(w) if w.grad is None else w.grad for w in weights]
        shared: Any = getattr(dict(tied.recursive_blocks())[block].body, conv)
        torch.testing.assert_close(sum(gradients), shared.weight.grad, rtol=1e-5, atol=1e-7)
        for row, gradient in zip(rows, gradients, strict=True):
            assert row.grad_norm == pytest.approx(float(gradient.norm()), rel=1e-5, abs=1e-9)
            assert row.whole_grad_norm == pytest.approx(float(shared.weight.grad.norm()), rel=1e-5)
            assert row.weight_norm == pytest.approx(float(shared.weight.detach().norm()), rel=1e-6)
    assert any(row.grad_norm > 0 for rows in found.values() for row in rows)


@pytest.mark.parametrize("gated", [False, True])
def test_the_whole_is_the_sum_of_the_parts(gated: bool) -> None:
    """One loop contributes all; of several, the whole is at most the sum of their norms."""
    alone = parts_of(network_of("ilvbn", gated, loops=(1, 2, 2), first_loop="always"))
    for rows in alone.values():
        assert rows[0].whole_grad_norm <= sum(row.grad_norm for row in rows) * (1 + 1e-5)
        assert len({row.whole_grad_norm for row in rows}) == 1
    if gated:
        single = parts_of(network_of("ilvbn", True, gate_every_block=True, loops=(1, 1, 1)))
        assert single
        for (row,) in single.values():
            assert row.grad_norm == row.whole_grad_norm


@pytest.mark.parametrize("norm", ["naive", "lvbn"])
def test_the_features_gradient_is_that_of_finite_differences(norm: str) -> None:
    """Features that enter the last loop of the last block, moved by hand."""
    network = network_of(norm, gated=False).double()
    images, loss = batch()
    images = images.double()
    rows = [row for row in gradient_norms(network, images, loss).loops if row.block == "3.2"]
    network.train()
    block: Any = dict(network.recursive_blocks())["3.2"]
    shift = torch.zeros((6, 8, 2, 2), dtype=torch.float64)

    # the shift has to reach the sum as well as the body, so the step is taken by hand
    def step(x: Tensor, loop: int, *_: object, **__: object) -> Tensor:
        x = x + shift if loop == 2 else x
        return torch.relu(x + block.body(x, loop))

    block.loop_once = step
    gradient = torch.zeros_like(shift)
    with torch.no_grad():
        for place in torch.cartesian_prod(*map(torch.arange, shift.shape)).tolist():
            ends = []
            for sign in (1, -1):
                shift[tuple(place)] = sign * 1e-6
                ends.append(float(loss(network(images))))
            shift[tuple(place)] = 0
            gradient[tuple(place)] = (ends[0] - ends[1]) / 2e-6
    wanted = float(gradient.flatten(1).norm(dim=1).mean())
    assert rows[-1].input_grad_norm == pytest.approx(wanted, rel=1e-4)
    assert rows[-1].loop == 2
    assert rows[0].output_grad_norm == rows[2].input_grad_norm
    assert rows[0].loop == 0
    assert rows[2].loop == 1


def test_naive_and_lvbn_have_the_same_gradients_before_training() -> None:
    """Training normalises by the batch either way; only what is learned is shared or not."""
    assert parts_of(network_of("naive", False)) == parts_of(network_of("lvbn", False))


@pytest.mark.parametrize("norm", NORM_KINDS)
def test_nothing_is_left_behind(norm: str) -> None:
    network = network_of(norm, gated=True)
    network.train()
    next(iter(dict(network.recursive_blocks()).values())).body.eval()
    gates = [module for module in network.modules() if isinstance(module, Gate)]
    for gate in gates:  # as a training of fixed shapes leaves them between two updates
        gate.noise, gate.draw, gate.share = 0.5, exhausted, 0.6
    for _, block in network.recursive_blocks():
        block.fixed_shapes = True
    network.classifier.weight.grad = torch.ones_like(network.classifier.weight)  # type: ignore[union-attr]
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    state = torch.get_rng_state()
    images, loss = batch()
    first = gradient_norms(network, images, loss, seed=5)
    assert first == gradient_norms(network, images, loss, seed=5)
    assert first != gradient_norms(network, images, loss, seed=6)
    assert first != gradient_norms(network, images, loss, seed=5, share=0.4)
    assert torch.equal(torch.get_rng_state(), state)
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    left = [(gate.noise, gate.draw, gate.share) for gate in gates]
    assert left == [(0.5, exhausted, 0.6)] * 2
    assert all(block.fixed_shapes for _, block in network.recursive_blocks())
    with_grad = {name for name, each in network.named_parameters() if each.grad is not None}
    assert with_grad == {"classifier.weight"}
    hooks = [m for m in network.modules() if m._forward_hooks or m._forward_pre_hooks]
    assert hooks == []


def test_a_failure_leaves_nothing_behind_either() -> None:
    network = network_of("ilvbn", gated=True)
    images, _ = batch()

    def fails(output: Output) -> Tensor:
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        gradient_norms(network, images, fails)
    assert not any(module.training for module in network.modules())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())


def test_other_networks() -> None:
    """Plain ones have no loops; recurrent layers and converted backbones have."""
    images, loss = batch()
    plain = network_of("ilvbn", gated=False, loops=(1, 1, 1))
    assert gradient_norms(plain, images, loss).loops == []
    recurrent = create_model("rcnn160", 4, widths=(8, 8), blocks=(1, 1))
    found = gradient_norms(recurrent, torch.cat([images, images], 3).repeat(1, 1, 2, 1), loss).loops
    assert [(row.conv, row.loop) for row in found] == [("body", loop) for loop in (0, 1, 2)] * 2
    assert all(row.grad_norm > 0 and row.input_grad_norm > 0 for row in found)
    backbone = build_backbone("torchvision/resnet34", num_classes=4)
    converted = recursify(backbone, loops=2, gate=False, where="layer4*")
    rows = gradient_norms(converted, images.repeat(1, 1, 8, 8), loss).loops
    assert {row.loop for row in rows} == {0, 1}
    assert {row.conv for row in rows} == {"conv1", "conv2"}


@pytest.mark.parametrize("norm", ["naive", "lvbn"])
def test_the_whole_network(norm: str) -> None:
    network = network_of(norm, gated=True)
    images, loss = batch()
    found = gradient_norms(network, images, loss, seed=5)
    tied = copy.deepcopy(network).train()
    torch.manual_seed(5)
    value = loss(tied(images))
    value.backward()
    assert found.loss == pytest.approx(float(value.detach()))
    gradients = {name: each.grad for name, each in tied.named_parameters() if each.grad is not None}
    assert found.grad_norm == pytest.approx(
        float(torch.nn.utils.get_total_norm(gradients.values())), rel=1e-5
    )
    # norms of the blocks that loop: body.norm1 and body.norm2 of the second block of stages 2, 3
    affine = [each for name, each in gradients.items() if ".1.body.norm" in name]
    assert len(affine) == 2 * 2 * 2 if norm == "naive" else len(affine) == 2 * 2 * (2 + 3)
    total = float(torch.nn.utils.get_total_norm(affine))
    assert found.affine_grad_norm == pytest.approx(total, rel=1e-5)


@pytest.mark.parametrize("norm", NORM_KINDS)
def test_a_loop_that_no_image_executes_contributes_nothing(norm: str) -> None:
    network = network_of(norm, gated=True)
    for _, block in network.recursive_blocks():
        assert block.gate is not None
        gate_bias(block.gate).fill_(-100.0)
    found = parts_of(network)
    assert {place: [row.loop for row in rows] for place, rows in found.items()} == {
        (block, conv): list(range(loops))
        for block, loops in (("2.2", 2), ("3.2", 3))
        for conv in ("conv1", "conv2")
    }
    rows = [row for each in found.values() for row in each]
    assert all(row.input_grad_norm > 0 for row in rows)
    # images that leave pass through, and the gates' straight-through gradient does not move weights
    assert all(row.input_grad_norm == pytest.approx(row.output_grad_norm, rel=0.2) for row in rows)
    if norm == "ilvbn":
        assert all(row.grad_norm == row.whole_grad_norm == 0 for row in rows)
