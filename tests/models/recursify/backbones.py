"""Backbones for the tests, without weights from anywhere, and gates that do as they are told."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from drnn_core._torchvision import torchvision
from drnn_core.models.network import Network

BACKBONES = (
    *("resnet18", "resnet34", "resnet50", "resnext50_32x4d", "wide_resnet50_2"),
    *("mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large"),
    *("regnet_x_400mf", "regnet_y_400mf", "regnet_x_800mf", "regnet_y_800mf"),
    *("efficientnet_b0", "efficientnet_b1", "efficientnet_v2_s"),
    *("convnext_tiny", "mnasnet0_5", "mnasnet0_75", "mnasnet1_0", "mnasnet1_3"),
)


def backbone(name: str, classes: int = 10) -> nn.Module:
    """One of torchvision's classifiers with random weights, in training mode."""
    return torchvision.models.get_model(name, weights=None, num_classes=classes)


def skeleton(name: str, classes: int = 10) -> nn.Module:
    """The same without values: for what shapes alone tell."""
    with torch.device("meta"):
        return backbone(name, classes)


def images(batch: int = 2, side: int = 64, seed: int = 1) -> torch.Tensor:
    return torch.randn(batch, 3, side, side, generator=torch.Generator().manual_seed(seed))


def set_gates(network: Network, logit: float) -> None:
    """Every gate says the same of every image: open above 0, certainly so from 50 on."""
    with torch.no_grad():
        for _, block in network.recursive_blocks():
            assert block.gate is not None
            *_, weight, bias = block.gate.parameters()
            weight.zero_()
            bias.fill_(logit)


def scatter_gates(network: Network) -> None:
    """Gates that open for some images and loops and not for others."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for _, block in network.recursive_blocks():
            assert block.gate is not None
            *weights, bias = block.gate.parameters()
            for weight in weights:
                weight.normal_(std=2.0, generator=generator)
            bias.zero_()


def without_chance(model: nn.Module) -> nn.Module:
    """Dropout and stochastic depth that never drop."""
    parts: list[Any] = list(model.modules())
    for part in parts:
        if isinstance(part, nn.Dropout) or type(part).__name__ == "StochasticDepth":
            part.p = 0.0
    return model


def randomise_norms(model: nn.Module) -> None:
    """Norms that all differ, in what they learn and in their running statistics.

    ConvNeXt's scales begin at 1e-6, where no fault of a block could be seen: they are 1 here.
    """
    generator = torch.Generator().manual_seed(7)
    parts: list[Any] = list(model.modules())
    with torch.no_grad():
        for part in parts:
            if isinstance(part, nn.BatchNorm2d | nn.LayerNorm):
                part.weight.uniform_(0.5, 1.5, generator=generator)
                part.bias.uniform_(-0.5, 0.5, generator=generator)
            if isinstance(part, nn.BatchNorm2d):
                statistics: Any = part
                statistics.running_mean.uniform_(-0.5, 0.5, generator=generator)
                statistics.running_var.uniform_(0.5, 1.5, generator=generator)
        for name, parameter in model.named_parameters():
            if name.endswith("layer_scale"):
                parameter.fill_(1.0)
