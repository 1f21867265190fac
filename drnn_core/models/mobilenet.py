"""MobileNetV2 and DR-MobileNetV2 (paper, table 2)."""

from __future__ import annotations

from torch import nn

from drnn_core.models.bodies import InvertedResidualBody, PlainBlock
from drnn_core.models.network import StagedNetwork, initialise_convolutions
from drnn_core.models.recursive import RecursiveBlock
from drnn_core.models.resnet import make_gate
from drnn_core.recipes import NetworkRecipe

_STEM_WIDTH, _NECK_WIDTH = 32, 1280


class MobileNetV2(StagedNetwork):
    """Seven groups of inverted residual blocks with linear ends.

    A group's first block changes the shape and is plain; where the recipe loops, the others are
    recursive: x = x + F_k(x), without an activation after the sum.

    Args:
        recipe: blocks, loops, widths and strides of every group.
        num_classes: width of the logits.
    """

    def __init__(self, recipe: NetworkRecipe, num_classes: int = 1000) -> None:
        stages: list[list[nn.Module]] = []
        strides: list[int] = []
        channels, stride_so_far = _STEM_WIDTH, 2
        for group, width in enumerate(recipe.widths):
            stages.append(_group(recipe, group, channels))
            stride_so_far *= recipe.strides[group]
            strides.append(stride_so_far)
            channels = width
        stem = _convolution(3, _STEM_WIDTH, 3, stride=2)
        neck = _convolution(channels, _NECK_WIDTH, 1)
        super().__init__(recipe, num_classes, stem, stages, strides, neck, _NECK_WIDTH)
        initialise_convolutions(self)


def _group(recipe: NetworkRecipe, group: int, channels: int) -> list[nn.Module]:
    width, loops, stride = recipe.widths[group], recipe.loops[group], recipe.strides[group]
    expansion = 1 if group == 0 else 6
    first = InvertedResidualBody(channels, width, stride, expansion)
    blocks: list[nn.Module] = [PlainBlock(first, None, activation=False)]
    for place in range(1, recipe.blocks[group]):
        if loops > 1 and place >= recipe.plain[group]:
            body = InvertedResidualBody(width, width, loops=loops, norm=recipe.norm)
            gate = make_gate(recipe, width)
            blocks.append(RecursiveBlock(body, loops, gate, recipe.first_loop, activation=False))
        else:
            body = InvertedResidualBody(width, width)
            blocks.append(PlainBlock(body, nn.Identity(), activation=False))
    return blocks


def _convolution(in_channels: int, channels: int, kernel: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, channels, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU6(),
    )
