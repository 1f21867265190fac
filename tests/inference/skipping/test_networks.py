"""Every registered network, and backbones of every family, compiled and beside its reference."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from drnn_core.inference.skipping import NotAChainError, compile_for_inference, fast_forward
from drnn_core.models.network import Network
from drnn_core.models.recursify import recursify
from drnn_core.models.registry import list_models
from drnn_core.recipes import NETWORKS
from tests.inference.skipping.checks import assert_same, reference
from tests.inference.skipping.lively import enliven, lively
from tests.models.recursify.backbones import backbone

# One of each family: residual, grouped, squeezing, with other activations, without BatchNorm.
FAMILIES = (
    *("resnet18", "resnext50_32x4d", "mobilenet_v2", "mobilenet_v3_small", "regnet_y_400mf"),
    *("efficientnet_b0", "convnext_tiny", "mnasnet0_5"),
)


def compare(network: Network, images: torch.Tensor, size: int) -> None:
    compiled = compile_for_inference(network, size)
    assert_same(compiled(images), reference(network, images))
    assert_same(compiled(images[2:3]), reference(network, images[2:3]))


@pytest.mark.parametrize("name", list_models())
def test_a_registered_network_is_met(name: str) -> None:
    size = 32 if NETWORKS[name].image_size == 32 else 64
    network, images = lively(name, size, 5)
    compare(network, images, size)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_recursified_backbone_is_met(name: str) -> None:
    torch.manual_seed(0)
    network = recursify(backbone(name), loops=3, name=f"torchvision/{name}").eval()
    images = enliven(network, 64, 5)
    compare(network, images, 64)


def test_a_block_beside_a_branch_is_refused() -> None:
    """The order of the images is not kept inside a chain; a branch would see another one."""
    network = recursify(_Branching(), loops=3, name="branching").eval()
    with pytest.raises(NotAChainError, match="expected a chain of blocks"):
        compile_for_inference(network, 64)
    images = torch.randn(2, 3, 64, 64)
    assert_same(fast_forward(network, 64)(images), reference(network, images))


class _Residual(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(4, 4, 3, padding=1)
        self.norm = torch.nn.BatchNorm2d(4)

    def forward(self, x: torch.Tensor) -> Any:
        return x + self.norm(self.conv(x))


class _Branching(torch.nn.Module):
    """A long way around two residual blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = torch.nn.Conv2d(3, 4, 3, stride=2)
        self.blocks = torch.nn.Sequential(_Residual(), _Residual(), _Residual())
        self.last = _Residual()
        self.fc = torch.nn.Linear(4, 10)

    def forward(self, x: torch.Tensor) -> Any:
        x = self.stem(x)
        x = self.last(self.blocks(x) * x)
        return self.fc(x.mean((2, 3)))
