"""Exported networks beside their references: every form of block, every kind of backbone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from drnn_core.data.transforms import Preprocessing
from drnn_core.inference.export import NotExportableError, export_network
from drnn_core.inference.skipping import NotAChainError
from drnn_core.models.gate import Gate
from drnn_core.models.recursify import recursify
from tests.inference.export.exporting import exported, output, small
from tests.inference.skipping.checks import assert_same, possible, reference
from tests.inference.skipping.lively import SMALL, enliven, lively
from tests.models.recursify.backbones import backbone


@pytest.mark.parametrize("case", SMALL)
def test_a_form_of_block_is_met(case: str) -> None:
    network, x = small(case)
    run = exported(network)
    for part in (x, x[:1], x[3:4], x[2:4], x[:0]):
        assert_same(output(run(part.numpy())), reference(network, part))


def test_a_registered_network_is_met() -> None:
    network, x = lively("dr_resnet54_l5", 32, 5)
    run = exported(network, 32)
    for part in (x, x[2:3]):
        assert_same(output(run(part.numpy())), reference(network, part))


def test_a_recursified_backbone_is_met() -> None:
    """One with other activations, squeezing and grouped convolutions."""
    torch.manual_seed(0)
    backbone_name = "mobilenet_v3_small"
    network = recursify(backbone(backbone_name), loops=3, name=f"torchvision/{backbone_name}")
    x = enliven(network.eval(), 64, 4)
    run = exported(network, 64)
    for part in (x, x[2:3]):
        assert_same(output(run(part.numpy())), reference(network, part))


@pytest.mark.parametrize("case", ["basic", "first loop always", "AIG", "inverted residual"])
def test_thresholds_force_any_decisions(case: str) -> None:
    """At 0 a gate always opens, at 1 never; what asks no gate pays them no heed."""
    network, x = small(case)
    run = exported(network, thresholds=True)
    generator = torch.Generator().manual_seed(1)
    for rate in (0.0, 0.4, 0.7, 1.0):
        opens = torch.rand(1, run.steps, generator=generator) < rate
        ran = possible(network, opens).expand(len(x), -1)
        found = output(run(x.numpy(), 1 - opens[0].float().numpy()))
        assert torch.equal(found.trace.ran, ran)
        expected = reference(network, x, ran).logits
        scale = float(expected.abs().max())
        torch.testing.assert_close(found.logits, expected, rtol=0, atol=1e-4 * scale)
    assert_same(output(run(x.numpy())), reference(network, x))


def test_pixels_are_normalised_in_the_graph() -> None:
    network, _ = small("basic")
    preprocessing = Preprocessing(16, 16, True, (0.5, 0.4, 0.3), (0.2, 0.25, 0.3))
    pixels = torch.randint(0, 256, (5, 3, 16, 16), dtype=torch.uint8)
    run = exported(network, preprocessing=preprocessing)
    assert run.takes_pixels
    expected = reference(network, preprocessing.normalise(pixels))
    assert_same(output(run(pixels.numpy())), expected)


def test_a_network_in_training_is_exported_in_evaluation_and_left_training() -> None:
    network, x = small("basic")
    expected = reference(network, x)
    run = exported(network.train())
    assert network.training
    assert_same(output(run(x.numpy())), expected)


def test_an_image_that_is_not_a_number_stops_nobody_else() -> None:
    network, x = small("basic")
    expected = reference(network, x)
    spoilt = x.clone()
    spoilt[3] = np.nan
    found = output(exported(network)(spoilt.numpy()))
    others = [0, 1, 2, 4, 5, 6]
    torch.testing.assert_close(found.logits[others], expected.logits[others], rtol=1e-4, atol=1e-4)
    assert torch.equal(found.trace.ran[others], expected.trace.ran[others])
    assert not found.trace.ran[3].any()


class _Rolling(nn.Module):
    """A body with an operation that nobody has written here."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 1)

    def forward(self, x: torch.Tensor, loop: int = 0, executed: int | None = None) -> torch.Tensor:
        return torch.roll(self.conv(x), 1, dims=2)


class _OwnGate(Gate):
    pass


def test_what_cannot_be_written_is_named() -> None:
    network, _ = small("basic")
    name, block = network.recursive_blocks()[-1]
    block.body = _Rolling()
    with pytest.raises(NotExportableError, match=f"got roll in {name} loop 1"):
        export_network(network, 16)
    network, _ = small("basic")
    network.recursive_blocks()[0][1].gate = _OwnGate(6)
    with pytest.raises(NotExportableError, match="with _OwnGate in block"):
        export_network(network, 16)
    network, _ = small("basic")
    network.stem[0] = nn.Conv2d(3, 4, 3, padding="same")  # pyright: ignore[reportArgumentType, reportIndexIssue]
    with pytest.raises(NotExportableError, match="got Conv2d in stem"):
        export_network(network, 16)


class _Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, x: torch.Tensor) -> Any:
        return x + self.norm(self.conv(x))


class _Branching(nn.Module):
    """A way around residual blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, stride=2)
        self.blocks = nn.Sequential(_Residual(), _Residual(), _Residual())
        self.last = _Residual()
        self.fc = nn.Linear(4, 10)

    def forward(self, x: torch.Tensor) -> Any:
        x = self.stem(x)
        return self.fc(self.last(self.blocks(x) * x).mean((2, 3)))


def test_a_branch_around_blocks_is_refused() -> None:
    network = recursify(_Branching(), loops=3, name="branching").eval()
    with pytest.raises(NotAChainError, match="expected a chain of blocks"):
        export_network(network, 64)
