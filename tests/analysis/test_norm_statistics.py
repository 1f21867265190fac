"""Moments against BatchNorm run on exactly these images; divergences by numerical integration."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats
from torch import nn

from drnn_core.analysis.moments import Moments
from drnn_core.analysis.norm_discrepancy import discrepancy, discrepancy_table
from drnn_core.analysis.norm_statistics import norm_statistics
from drnn_core.models.network import Network
from drnn_core.models.registry import create_model
from tests.tiny_runs import PREPROCESSING, tiny_images, tiny_network


def pixels(count: int = 40) -> torch.Tensor:
    return PREPROCESSING.normalise(tiny_images(count).pixels)


def warmed(**changes: Any) -> Network:
    """A tiny network whose running statistics are of images."""
    network = tiny_network(**changes).train()
    with torch.no_grad():
        for _ in range(3):
            network(pixels())
    return network.eval()


def by_hand(network: Network, images: torch.Tensor) -> dict[tuple[str, str, int], torch.Tensor]:
    """The tensors before the norms of basic bodies, from a forward written out for each block."""
    found: dict[tuple[str, str, int], torch.Tensor] = {}
    inputs: dict[str, torch.Tensor] = {}
    handles = []
    for name, block in network.recursive_blocks():

        def hook(_: nn.Module, args: Any, name: str = name) -> None:
            inputs[name] = args[0]

        handles.append(block.register_forward_pre_hook(hook))
    with torch.no_grad():
        ran = network(images).trace.ran
        step = 0
        for name, block in network.recursive_blocks():
            body: Any = block.body
            x = inputs[name]
            for loop in range(block.loops):
                found[name, "norm1", loop] = body.conv1(x)
                middle = torch.relu(body.norm1.norms[loop](body.conv1(x)))
                found[name, "norm2", loop] = body.conv2(middle)
                after = torch.relu(x + body.norm2.norms[loop](body.conv2(middle)))
                x = torch.where(ran[:, step, None, None, None], after, x)
                step += 1
    for handle in handles:
        handle.remove()
    return found


def test_moments_are_batchnorms_of_exactly_these_images() -> None:
    network, images = warmed(), pixels()
    found = norm_statistics(network, images.split(9))
    expected = by_hand(network, images)
    with torch.no_grad():
        ran = network(images).trace.ran
    assert [(one.block, one.norm, one.loop) for one in found] == list(expected)
    assert [one.depth for one in found] == list(range(10))
    starts = {"2.2": 0, "3.2": 2}
    told_apart = 0
    for one in found:
        features = expected[one.block, one.norm, one.loop]
        executed = ran[:, starts[one.block] + one.loop]
        for group, mask in ((one.executed, executed), (one.skipped, ~executed)):
            assert group.images == int(mask.sum())
            if not group.images:
                assert np.isnan(group.mean).all()
                continue
            norm: Any = nn.BatchNorm2d(features.shape[1], momentum=1.0).train()
            norm(features[mask])
            np.testing.assert_allclose(group.mean, norm.running_mean, rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(group.var, norm.running_var, rtol=1e-4)
        told_apart += 0 < one.executed.images < 40
    assert told_apart >= 6, "the test needs loops that some images run"


def test_batches_do_not_matter() -> None:
    network, images = warmed(), pixels()
    whole = norm_statistics(network, [images])
    for parts in (images.split(1), images.split(17)):
        for one, other in zip(whole, norm_statistics(network, parts), strict=True):
            np.testing.assert_allclose(one.executed.mean, other.executed.mean, rtol=1e-3, atol=1e-5)
            np.testing.assert_allclose(one.skipped.var, other.skipped.var, rtol=1e-3)


def test_the_network_is_left_as_it_was() -> None:
    network = warmed().train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    norm_statistics(network, [pixels(6)])
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module._forward_pre_hooks for module in network.modules())

    def broken() -> Any:
        yield pixels(4)
        raise OSError("the disk went away")

    with pytest.raises(OSError, match="went away"):
        norm_statistics(network, broken())
    assert network.training
    assert not any(module._forward_pre_hooks for module in network.modules())


def test_the_population_is_that_of_the_loop() -> None:
    network = warmed()
    found = norm_statistics(network, [pixels(5)])
    blocks = dict(network.recursive_blocks())
    for one in found:
        body: Any = blocks[one.block].body
        norm = getattr(body, one.norm).norms[one.loop]
        np.testing.assert_array_equal(one.population.mean, norm.running_mean.double())
        np.testing.assert_array_equal(one.population.var, norm.running_var.double())


@given(st.floats(-3, 3), st.floats(0.5, 4), st.floats(-3, 3), st.floats(0.5, 4))
def test_the_divergence_is_that_of_normal_distributions(
    mean: float, var: float, other_mean: float, other_var: float
) -> None:
    one, two = stats.norm(mean, math.sqrt(var)), stats.norm(other_mean, math.sqrt(other_var))

    x = np.linspace(-25, 25, 2001)
    density = (one.pdf(x) - two.pdf(x)) * (one.logpdf(x) - two.logpdf(x)) / 2
    literal = integrate.trapezoid(density, x)
    found = discrepancy(*(Moments(9, np.array([m]), np.array([v]))
                          for m, v in ((mean, var), (other_mean, other_var))))  # fmt: skip
    assert found.divergence[0] == pytest.approx(literal, rel=1e-4, abs=1e-7)
    assert found.mean_difference[0] == pytest.approx(
        (mean - other_mean) / math.sqrt((var + other_var) / 2)
    )
    assert found.log_variance_ratio[0] == pytest.approx(math.log(var / other_var), abs=1e-12)


def test_channels_without_variance_say_nothing() -> None:
    flat, live = Moments(3, np.array([1.0, 0.0]), np.array([0.0, 1.0])), Moments(
        3, np.array([2.0, 0.0]), np.array([1.0, 1.0])
    )  # fmt: skip
    found = discrepancy(flat, live)
    assert np.isnan(found.divergence[0])
    assert found.divergence[1] == 0


class Told(nn.Module):
    """A gate that opens for bright images."""

    def forward(self, x: torch.Tensor) -> Any:
        from drnn_core.models.gate import decide

        brightness = x.mean(dim=(1, 2, 3))
        return decide(brightness - brightness.median(), training=False)


def test_groups_that_differ_stand_out_against_shuffled_ones() -> None:
    network = tiny_network()
    for _, block in network.recursive_blocks():
        block.gate = Told()  # pyright: ignore[reportAttributeAccessIssue]
    table = discrepancy_table(norm_statistics(network, pixels(300).split(100)))
    assert list(table.columns[:5]) == ["block", "norm", "loop", "depth", "channels"]
    first = table[(table["block"] == "2.2") & (table["loop"] == 0)]
    assert (first["executed"] + first["skipped"] == 300).all()
    assert (first["mean_difference"] > 4 * first["mean_difference_shuffled"]).all()
    assert (first["divergence"] > 4 * first["divergence_shuffled"]).all()
    assert (table["channels"] == 8).all()
    again = discrepancy_table(norm_statistics(network, pixels(300).split(100)))
    assert table.equals(again), "shuffled by a seed"


@pytest.mark.parametrize("name", ["dr_resnet16_l2", "r_resnet53_l3", "dr_mobilenetv2"])
def test_every_form_of_network(name: str) -> None:
    network = create_model(name, num_classes=4).eval()
    size = 16 if "16" in name else 32
    found = norm_statistics(network, [torch.randn(3, 3, size, size)])
    assert {one.block for one in found} == {block.name for block in network.layout}
    for block in network.layout:
        own = [one for one in found if one.block == block.name]
        assert {one.loop for one in own} == set(range(block.loops))
        assert len(own) == block.loops * len({one.norm for one in own})
    assert discrepancy_table(found)["divergence"].dtype == np.float64


def test_a_plain_network_has_nothing_to_collect() -> None:
    network = create_model("resnet20", num_classes=4).eval()
    assert norm_statistics(network, [torch.randn(2, 3, 16, 16)]) == []
    assert discrepancy_table([]).empty
