"""Evaluation by the batches' statistics, against running statistics set by hand."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from drnn_core.analysis.batch_statistics import batch_normalised, batch_statistics, mixed
from drnn_core.models.network import Network
from drnn_core.models.norm import NORM_KINDS, LoopNorm
from drnn_core.trace import Output
from tests.tiny_runs import tiny_images, tiny_network


def batch(count: int = 12) -> Tensor:
    return torch.randn((count, 3, 16, 16), generator=torch.Generator().manual_seed(1))


def set_by_hand(network: Network, images: Tensor, unbiased: bool = False) -> list[nn.BatchNorm2d]:
    """Give each loop its batch statistics, one after the other in the order of execution."""
    seen: list[tuple[nn.BatchNorm2d, Tensor, str, int]] = []

    def watch(norm: Any, args: tuple[Any, ...]) -> None:
        x, loop = args[0], args[1]
        seen.append((norm.of_loop(loop), x, names[norm], loop))

    names: dict[nn.Module, str] = {}
    starts: dict[str, int] = {}
    start = 0
    for name, block in network.recursive_blocks():
        starts[name], start = start, start + block.loops
        for module in block.body.modules():
            if isinstance(module, LoopNorm):
                names[module] = name
                module.register_forward_pre_hook(watch)
    count = 2 * start
    with torch.no_grad():
        for place in range(count):
            seen.clear()
            output: Output = network(images)
            norm, x, name, loop = seen[place]
            executed = output.trace.ran[:, starts[name] + loop]
            own = x[executed] if norm_kind(network).startswith("ilvbn") else x
            mean, var = own.mean(dim=(0, 2, 3)), own.var(dim=(0, 2, 3), correction=int(unbiased))
            norm.running_mean, norm.running_var = mean, var
    return [norm for norm, *_ in seen]


def norm_kind(network: Network) -> str:
    return network.recipe.norm


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("norm", ["lvbn", "ilvbn", "ilvbn_joint"])
def test_it_is_evaluation_with_the_batchs_own_statistics(norm: str, gated: bool) -> None:
    network = tiny_network(norm=norm, gated=gated)
    images = batch()
    found = batch_normalised(network)(images)
    by_hand = copy.deepcopy(network)
    set_by_hand(by_hand, images)
    wanted: Output = by_hand(images)
    assert torch.equal(found.trace.ran, wanted.trace.ran)
    torch.testing.assert_close(found.logits, wanted.logits, rtol=1e-3, atol=1e-4)
    assert not torch.allclose(network(images).logits, wanted.logits, atol=1e-2)
    assert not gated or found.trace.ran.float().mean() < 0.95


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("norm", ["lvbn", "ilvbn"])
def test_how_far_running_statistics_are_off(norm: str, gated: bool) -> None:
    network = tiny_network(norm=norm, gated=gated)
    images = batch()
    before = batch_statistics(network, [images])
    assert (before[["mean_bias", "variance_bias"]] > 0.1).all(axis=None)
    places = [(name, n, k) for name, block in network.recursive_blocks()
              for k in range(block.loops) for n in ("norm1", "norm2")]  # fmt: skip
    assert list(before[["block", "norm", "loop"]].itertuples(index=False, name=None)) == places
    for each in set_by_hand(network, images):
        assert each.running_mean is not None
        assert each.running_var is not None
        sd = each.running_var.sqrt()
        # evaluation by batches uses none of this, so every loop still sees the same
        each.running_mean[0] += 0.5 * sd[0] * np.exp(0.5)
        each.running_var *= np.e
    found = batch_statistics(network, [images])
    assert (found["variance_shift"] - 1).abs().max() < 0.02  # of unbiased variances
    assert (found["variance_bias"] - 1).abs().max() < 0.02
    assert found["mean_bias"].to_numpy() == pytest.approx(0.5 / 8, rel=1e-3)


def test_one_set_against_each_loop() -> None:
    """Naive recursion: the same running statistics, but the batches' own of every loop."""
    naive, apart = (tiny_network(norm=norm, gated=False) for norm in ("naive", "lvbn"))
    images = batch()
    one, many = batch_statistics(naive, [images]), batch_statistics(apart, [images])
    assert one.equals(many), "fresh running statistics are the same, and so are the weights"
    assert one.groupby(["block", "norm"])["mean_bias"].nunique().tolist() == [2, 2, 3, 3]
    twice = batch_statistics(naive, [images, images.flip(0)])
    np.testing.assert_allclose(twice["mean_bias"], one["mean_bias"], rtol=1e-4)


@pytest.mark.parametrize("norm", NORM_KINDS)
def test_nothing_is_left_behind(norm: str) -> None:
    network = tiny_network(norm=norm)
    for _, block in network.recursive_blocks():
        block.fixed_shapes = True
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    batch_statistics(network, [batch()])
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert not any(module.training or module._forward_pre_hooks for module in network.modules())
    assert all(block.fixed_shapes for _, block in network.recursive_blocks())
    assert batch_statistics(tiny_network(loops=(1, 1, 1)), [batch()]).empty


def test_mixed_images() -> None:
    images = tiny_images(30)
    found = mixed(images, limit=10)
    assert len(found) == 10
    places = [images.ids.index(name) for name in found.ids]
    assert sorted(places) == np.linspace(0, 29, 10).round().tolist()
    assert places != sorted(places)
    assert found.labels.tolist() == images.labels[places].tolist()
    assert torch.equal(found.images([3, 4]), images.images(places[3:5]))
