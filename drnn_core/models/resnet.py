"""The residual networks of tables 1 to 3, plain and dynamic recursive (paper, section 4).

One family: a plain ResNet loops nowhere; a DR-ResNet loops its identity blocks; an R-ResNet does
so without gates; ConvNet-AIG has a gate and one loop on every block; stochastic depth drops
bodies while it trains.
"""

from __future__ import annotations

from torch import nn

from drnn_core.models.bodies import (
    BasicBody,
    BottleneckBody,
    PadShortcut,
    PlainBlock,
    PreActivationBody,
    ProjectionShortcut,
    StochasticDepthBlock,
)
from drnn_core.models.gate import Gate
from drnn_core.models.network import StagedNetwork, initialise_convolutions
from drnn_core.models.recursive import RecursiveBlock
from drnn_core.recipes import NetworkRecipe


class CifarResNet(StagedNetwork):
    """3x3 stem, three stages of basic blocks, zero-padded shortcuts (table 1).

    Args:
        recipe: blocks, loops, widths, norm and gate of every stage.
        num_classes: width of the logits.
    """

    def __init__(self, recipe: NetworkRecipe, num_classes: int = 10) -> None:
        width = recipe.widths[0]
        stem = nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        super().__init__(recipe, num_classes, stem, _stages(recipe, width), _strides(recipe, 1))
        initialise_convolutions(self)


class PreActivationResNet(StagedNetwork):
    """The pre-activation form of the CIFAR ResNets (table 1): no relu after the sum.

    Args:
        recipe: of a plain network.
        num_classes: width of the logits.
    """

    def __init__(self, recipe: NetworkRecipe, num_classes: int = 10) -> None:
        width = recipe.widths[0]
        stages: list[list[nn.Module]] = []
        channels = width
        for index, width in enumerate(recipe.widths):
            blocks: list[nn.Module] = []
            for _ in range(recipe.blocks[index]):
                stride = recipe.strides[index] if not blocks else 1
                shortcut = _cifar_shortcut(channels, width, stride)
                body = PreActivationBody(channels, width, stride)
                blocks.append(PlainBlock(body, shortcut, activation=False))
                channels = width
            stages.append(blocks)
        stem = nn.Conv2d(3, recipe.widths[0], 3, padding=1, bias=False)
        neck = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU())
        super().__init__(recipe, num_classes, stem, stages, _strides(recipe, 1), neck)
        initialise_convolutions(self)


class ImageNetResNet(StagedNetwork):
    """7x7 stem with pooling, four stages of bottleneck blocks, projections (tables 2 and 3).

    The stride of a stage is on the first 1x1 convolution, the original form, unless the recipe's
    ``stride_on`` is "3x3" ("v1.5").

    Args:
        recipe: blocks, loops, widths, norm and gate of every stage.
        num_classes: width of the logits.
    """

    def __init__(self, recipe: NetworkRecipe, num_classes: int = 1000) -> None:
        stem = nn.Sequential(
            nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        super().__init__(recipe, num_classes, stem, _stages(recipe, 64), _strides(recipe, 4))
        initialise_convolutions(self)


def _stages(recipe: NetworkRecipe, channels: int) -> list[list[nn.Module]]:
    """The blocks of every stage; ``channels`` come out of the stem."""
    bodies = sum(recipe.blocks)
    stages: list[list[nn.Module]] = []
    number = 0
    for index, width in enumerate(recipe.widths):
        blocks: list[nn.Module] = []
        for place in range(recipe.blocks[index]):
            number += 1
            stride = recipe.strides[index] if place == 0 else 1
            if recipe.loops[index] > 1 and place >= recipe.plain[index]:
                _check_shape(recipe, index, channels, stride)
                blocks.append(_recursive(recipe, width, recipe.loops[index]))
            elif recipe.gate_every_block:
                blocks.append(_gated(recipe, channels, width, stride))
            else:
                # stochastic depth: the chance falls linearly from 1 to the recipe's
                survival = 1 - number / bodies * (1 - recipe.survival)
                blocks.append(_plain(recipe, channels, width, stride, survival))
            channels = width
        stages.append(blocks)
    return stages


def _plain(
    recipe: NetworkRecipe, channels: int, width: int, stride: int, survival: float
) -> nn.Module:
    body = _body(recipe, channels, width, stride)
    shortcut = _shortcut(recipe, channels, width, stride)
    if survival < 1:
        return StochasticDepthBlock(body, shortcut, survival)
    return PlainBlock(body, shortcut)


def _recursive(recipe: NetworkRecipe, width: int, loops: int) -> RecursiveBlock:
    body = _body(recipe, width, width, 1, loops)
    return RecursiveBlock(body, loops, make_gate(recipe, width), recipe.first_loop)


def _gated(recipe: NetworkRecipe, channels: int, width: int, stride: int) -> RecursiveBlock:
    """A block of ConvNet-AIG: one loop, asked for; a shortcut where the shape changes."""
    same = channels == width and stride == 1
    shortcut = None if same else _shortcut(recipe, channels, width, stride)
    body = _body(recipe, channels, width, stride)
    return RecursiveBlock(body, 1, make_gate(recipe, channels), shortcut=shortcut)


def _check_shape(recipe: NetworkRecipe, stage: int, channels: int, stride: int) -> None:
    """Refuse to loop a block of a stage, 0-based, whose output is of another shape than its input.

    Raises:
        ValueError: it has a stride, or ``channels`` other than the stage's come in.
    """
    if channels != recipe.widths[stage] or stride != 1:
        raise ValueError(
            f"expected plain of at least 1 in stage {stage + 1}, whose first block changes the "
            f"shape of the features and so cannot loop, got {recipe.plain[stage]}"
        )


def make_gate(recipe: NetworkRecipe, channels: int) -> Gate | None:
    """The gate that a recipe wants on a block of so many input channels."""
    if not recipe.gated:
        return None
    return Gate(channels, recipe.gate_hidden, recipe.gate_initial_rate)


def _body(
    recipe: NetworkRecipe, channels: int, width: int, stride: int, loops: int = 1
) -> nn.Module:
    if recipe.form == "resnet":
        return BottleneckBody(channels, width, stride, loops, recipe.norm, recipe.stride_on)
    return BasicBody(channels, width, stride, loops, recipe.norm)


def _shortcut(recipe: NetworkRecipe, channels: int, width: int, stride: int) -> nn.Module:
    if recipe.form == "resnet" and (channels != width or stride != 1):
        return ProjectionShortcut(channels, width, stride)
    return _cifar_shortcut(channels, width, stride)


def _cifar_shortcut(channels: int, width: int, stride: int) -> nn.Module:
    if channels == width and stride == 1:
        return nn.Identity()
    return PadShortcut(stride, width - channels)


def _strides(recipe: NetworkRecipe, stem: int) -> list[int]:
    """Stride of each stage's features against the input."""
    found: list[int] = []
    for stride in recipe.strides:
        stem *= stride
        found.append(stem)
    return found
