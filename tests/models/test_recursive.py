"""The recursive block does, for a whole batch, what its pseudo code does for one image."""

from __future__ import annotations

import copy
from typing import Any, cast

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from drnn_core.models.bodies import BasicBody, BottleneckBody, InvertedResidualBody
from drnn_core.models.gate import Gate
from drnn_core.models.recursive import RecursiveBlock, permute_images
from drnn_core.models.synced import synchronise
from drnn_core.models.world import World
from tests.models.checks import norms, recursion
from tests.models.checks.blocks import CASES, BlockCase, make_block, make_images
from tests.models.checks.core import real_core

CORE = real_core()


@st.composite
def block_cases(draw: st.DrawFn) -> BlockCase:
    """Any small block and any batch; batches below 5 spare the check its own precondition."""
    return BlockCase(
        kind=draw(st.sampled_from(norms.KINDS)),
        loops=draw(st.integers(1, 4)),
        gated=draw(st.booleans()),
        first_loop=draw(st.sampled_from(["gated", "always"])),
        activation=draw(st.booleans()),
        hidden=draw(st.sampled_from([None, 3, 16])),
        temperature=draw(st.sampled_from([0.5, 1.0])),
        channels=draw(st.integers(1, 4)),
        size=draw(st.integers(2, 4)),
        batch=draw(st.integers(1, 4)),
        seed=draw(st.integers(0, 1000)),
    )


@pytest.mark.parametrize("case", CASES, ids=str)
def test_evaluation_is_the_pseudo_code(case: BlockCase) -> None:
    recursion.check_evaluation_literally(CORE, case)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_training_is_the_pseudo_code(case: BlockCase) -> None:
    recursion.check_training_literally(CORE, case)


@given(block_cases())
@settings(max_examples=25)
def test_any_block_is_the_pseudo_code(case: BlockCase) -> None:
    recursion.check_evaluation_literally(CORE, case)
    recursion.check_training_literally(CORE, case)


def test_a_closed_gate_is_final_in_training() -> None:
    recursion.check_closed_is_final(CORE)


def test_an_image_that_left_keeps_its_features() -> None:
    recursion.check_left_features_stay(CORE)


def test_forced_decisions_are_followed() -> None:
    recursion.check_forced_decisions(CORE)


def test_later_loops_are_cut_where_the_first_was() -> None:
    recursion.check_loops_share_a_cut(CORE)


def test_neither_order_nor_company_matters_in_evaluation() -> None:
    recursion.check_order_does_not_matter(CORE)


def test_evaluation_draws_and_learns_nothing() -> None:
    recursion.check_evaluation_draws_nothing(CORE)


def test_skipped_images_teach_the_gate() -> None:
    recursion.check_skipped_images_teach_the_gate(CORE)


@pytest.mark.parametrize("kind", ["ilvbn", "ilvbn_joint"])
def test_skipped_images_leave_no_trace(kind: str) -> None:
    recursion.check_skipped_images_leave_no_trace(CORE, kind)


def test_expected_loops_by_drawing() -> None:
    """11.921 (figure 8) within the error of drawing 30,000 images."""
    recursion.check_expected_loops(CORE, images=30_000)


def test_a_first_loop_that_always_runs_is_not_asked() -> None:
    case = BlockCase(first_loop="always", batch=50, seed=40)
    trace = make_block(CORE, case).train()(make_images(case)).trace
    assert bool(trace.ran[:, 0].all())
    assert not bool(trace.asked[:, 0].any())
    assert bool((trace.prob[:, 0] == 1).all())
    assert bool(trace.asked[:, 1].all())
    assert not bool(trace.ran[:, 1].all())


def test_a_block_without_gate_runs_every_loop_and_asks_nobody() -> None:
    case = BlockCase(gated=False, batch=5, seed=41)
    for training in (True, False):
        trace = make_block(CORE, case).train(training)(make_images(case)).trace
        assert bool(trace.ran.all())
        assert not bool(trace.asked.any())
        assert bool((trace.prob == 1).all())


def test_every_loop_uses_the_same_convolutions() -> None:
    """Table 1's saving: parameters do not grow with l, but for the norms."""
    sizes = {
        loops: sum(p.numel() for p in BasicBody(8, 8, loops=loops).parameters())
        for loops in (1, 2, 5)
    }
    assert sizes[2] - sizes[1] == 4 * 8
    assert sizes[5] - sizes[1] == 4 * 4 * 8


@pytest.mark.parametrize("training", [True, False])
def test_mixed_precision_selects_exactly(training: bool) -> None:
    """Under bfloat16 a refused image still keeps its features to the bit."""
    block = RecursiveBlock(BasicBody(4, 4, loops=2), 2, Gate(4, initial_rate=0.5)).train(training)
    x = torch.relu(torch.randn(40, 4, 3, 3))
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        out = block(x)
    left = ~out.trace.ran[:, 0]
    assert torch.equal(out.features[left], x[left].to(out.features.dtype))
    assert out.trace.prob.dtype == torch.float32


def test_permuted_images_come_back_and_so_do_gradients() -> None:
    x = torch.randn(5, 2, 2, 2, dtype=torch.float64, requires_grad=True)
    order = torch.tensor([3, 0, 4, 1, 2])
    inverse = torch.argsort(order)
    assert torch.equal(permute_images(permute_images(x, order, inverse), inverse, order), x)
    assert torch.autograd.gradcheck(lambda v: permute_images(v, order, inverse).sin(), (x,))


def test_a_block_needs_a_loop() -> None:
    with pytest.raises(ValueError, match="at least 1 loop, got 0"):
        RecursiveBlock(nn.Identity(), 0, None)


@pytest.mark.parametrize("batch_that_runs", [0, 1, 5, 6], ids=lambda count: f"{count} of 6 run")
@pytest.mark.parametrize("make", [BasicBody, BottleneckBody, InvertedResidualBody])
def test_groups_run_apart_as_they_do_together(make: Any, batch_that_runs: int) -> None:
    """The same features, gradients and statistics, without a gradient to those that left."""
    torch.manual_seed(0)
    block = RecursiveBlock(make(8, 8, loops=2), 2, Gate(8)).train()
    together = copy.deepcopy(block)
    assert block.groups_apart
    together.groups_apart = False
    replay = torch.zeros(6, 2, dtype=torch.bool)
    replay[:batch_that_runs, 0] = replay[:2, 1] = True
    replay = replay.cumprod(dim=1).bool().flip(0)
    results: list[list[Tensor]] = []
    backward: list[int] = []
    last = cast(nn.Module, block.body.conv2)
    last.register_full_backward_hook(lambda _, __, out: backward.append(len(out[0])))
    for each in (block, together):
        images = torch.randn(6, 8, 4, 4, generator=torch.Generator().manual_seed(1))
        images.requires_grad_()
        features = each(images, replay).features
        (features * torch.linspace(-1, 1, features.numel()).view_as(features)).sum().backward()
        assert images.grad is not None
        grads = [cast(Tensor, parameter.grad) for parameter in each.body.parameters()]
        results.append([features, images.grad, *grads, *each.body.buffers()])
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert sum(backward) == int(replay.sum())


@pytest.mark.parametrize("spread", [False, True], ids=["local", "synced"])
@pytest.mark.parametrize("batch_that_runs", [0, 1, 2, 5, 6], ids=lambda count: f"{count} of 6 run")
@pytest.mark.parametrize("make", [BasicBody, BottleneckBody, InvertedResidualBody])
def test_features_and_gradients_keep_channels_last(
    make: Any, batch_that_runs: int, spread: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the size of the groups; contiguous ones make every operator slower."""
    block = RecursiveBlock(make(8, 8, loops=2), 2, Gate(8)).train()
    if spread:
        synchronise(block, World())
    seen: list[str] = []

    def look(name: str, tensor: Tensor | None) -> None:
        # a group of no image has no layout
        if tensor is None or not len(tensor):
            return
        if not tensor.is_contiguous(memory_format=torch.channels_last):
            seen.append(f"{name}: {tuple(tensor.shape)} by {tensor.stride()}")
        if tensor.requires_grad:
            tensor.register_hook(lambda grad: look(f"gradient of {name}", grad))

    def hook(name: str) -> Any:
        def hear(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            look(f"input of {name}", inputs[0])
            look(f"output of {name}", output)

        return hear

    for name, module in block.body.named_children():
        module.register_forward_hook(hook(name))
    advance = block.advance

    def advanced(beside: Tensor, residual: Tensor) -> Tensor:
        look("residual", residual)
        return advance(beside, residual)

    monkeypatch.setattr(block, "advance", advanced)
    replay = torch.zeros(6, 2, dtype=torch.bool)
    replay[:batch_that_runs, 0] = True
    images = torch.randn(6, 8, 4, 4, requires_grad=True)
    x = images.contiguous(memory_format=torch.channels_last)
    look("images", x)
    features = block(x, replay.flip(0)).features
    features.square().sum().backward()
    assert seen == []


def test_mixed_precision_teaches_the_weights_of_every_loop() -> None:
    """Autocast keeps a weight that it has cast; cast without a gradient, it would stay untaught."""
    block = RecursiveBlock(BasicBody(4, 4, loops=2), 2, Gate(4)).train()
    replay = torch.tensor([[True, True], [True, False], [False, False], [True, True]])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        features = block(torch.randn(4, 4, 5, 5), replay).features
    (features.float() * torch.randn(features.shape)).sum().backward()
    for name, parameter in block.body.named_parameters():
        assert parameter.grad is not None, name
        assert float(parameter.grad.abs().sum()) > 0, name


@pytest.mark.parametrize("norm", ["naive", "lvbn", "ilvbn_joint"])
def test_norms_that_see_the_other_group_run_once(norm: Any) -> None:
    assert not RecursiveBlock(BasicBody(4, 4, loops=2, norm=norm), 2, Gate(4)).groups_apart
