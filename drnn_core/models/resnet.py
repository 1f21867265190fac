"""The CIFAR residual networks of table 1, plain and dynamic recursive (paper, section 4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from drnn_core.models.bodies import BasicBody, PadShortcut, PlainBlock
from drnn_core.models.gate import Gate
from drnn_core.models.recursive import BlockOutput, RecursiveBlock
from drnn_core.recipes import NetworkRecipe
from drnn_core.trace import BlockLayout, Output, join_traces


@dataclass(frozen=True)
class StageFeatures:
    """Features of one stage: (B, C, H, W), and the stride of the stage against the input."""

    name: str
    stride: int
    features: Tensor


class CifarResNet(nn.Module):
    """3x3 stem, three stages of basic blocks, global average pool, linear classifier.

    The first stage is plain. In the others, where the recipe's ``loops`` is above 1, the first
    block (which downsamples) is plain and the rest are recursive.

    Args:
        recipe: blocks, loops, widths, norm and gate of every stage.
        num_classes: width of the logits.
    """

    def __init__(self, recipe: NetworkRecipe, num_classes: int = 10) -> None:
        super().__init__()
        self.recipe = recipe
        self.num_classes = num_classes
        width = recipe.widths[0]
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        self.stages = nn.ModuleList()
        channels = width
        for index in range(len(recipe.blocks)):
            self.stages.append(_stage(recipe, index, channels))
            channels = recipe.widths[index]
        self.classifier = nn.Linear(channels, num_classes)
        _initialise(self)

    @property
    def layout(self) -> tuple[BlockLayout, ...]:
        """The recursive blocks in network order; the trace's steps are their loops."""
        return tuple(
            BlockLayout(name, block.loops, block.gate is not None)
            for name, block in self.recursive_blocks()
        )

    def recursive_blocks(self) -> list[tuple[str, RecursiveBlock]]:
        """(name, block) of every recursive block, named ``stage.block`` counted from 1."""
        return [
            (f"{stage}.{place}", block)
            for stage, blocks in enumerate(self.stages, 1)
            for place, block in enumerate(cast(nn.Sequential, blocks), 1)
            if isinstance(block, RecursiveBlock)
        ]

    def forward(self, x: Tensor) -> Output:
        """Classify (B, 3, H, W) images."""
        traces: list[BlockOutput] = []
        x = self.stem(x)
        for blocks in self.stages:
            for block in cast(nn.Sequential, blocks):
                out: BlockOutput = block(x)
                x = out.features
                traces.append(out)
        logits = self.classifier(x.mean(dim=(2, 3)))
        trace = join_traces((out.trace for out in traces), x.shape[0], x.device)
        return Output(logits, trace)

    def features(self, x: Tensor) -> list[StageFeatures]:
        """Features of (B, 3, H, W) by stage, for use as a backbone."""
        x = self.stem(x)
        stages: list[StageFeatures] = []
        for index, blocks in enumerate(self.stages):
            for block in cast(nn.Sequential, blocks):
                out: BlockOutput = block(x)
                x = out.features
            stages.append(StageFeatures(f"stage{index + 1}", 2**index, x))
        return stages


def _stage(recipe: NetworkRecipe, index: int, in_channels: int) -> nn.Sequential:
    """Stage ``index`` (0-based): the first block downsamples, but for the first stage."""
    width, loops = recipe.widths[index], recipe.loops[index]
    stride = 1 if index == 0 else 2
    shortcut = nn.Identity() if index == 0 else PadShortcut(stride, width - in_channels)
    blocks: list[nn.Module] = [PlainBlock(BasicBody(in_channels, width, stride), shortcut)]
    for _ in range(1, recipe.blocks[index]):
        if loops == 1:
            blocks.append(PlainBlock(BasicBody(width, width), nn.Identity()))
        else:
            blocks.append(_recursive(recipe, width, loops))
    return nn.Sequential(*blocks)


def _recursive(recipe: NetworkRecipe, width: int, loops: int) -> RecursiveBlock:
    body = BasicBody(width, width, loops=loops, norm=recipe.norm)
    gate = Gate(width, recipe.gate_hidden, recipe.gate_initial_rate) if recipe.gated else None
    return RecursiveBlock(body, loops, gate, recipe.first_loop)


def _initialise(network: nn.Module) -> None:
    """He initialisation of the convolutions, as the networks' authors prescribe."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
