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
from drnn_core.trace import BlockLayout, Output, Trace, join_traces


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

    def forward(self, x: Tensor, replay: Tensor | None = None) -> Output:
        """Classify (B, 3, H, W) images.

        Args:
            x: normalised images.
            replay: (B, S) bool, which loops to run instead of asking the gates: the ``ran`` of
                an earlier trace, see ``drnn_core/inference/frozen.py``.

        Raises:
            ValueError: ``replay`` is not of the shape (B, S).
        """
        stages, trace = self._run(x, replay)
        return Output(self.classify(stages[-1].features), trace)

    def features(self, x: Tensor, replay: Tensor | None = None) -> list[StageFeatures]:
        """Features of (B, 3, H, W) by stage, for use as a backbone; ``replay`` as in forward."""
        return self._run(x, replay)[0]

    def classify(self, features: Tensor) -> Tensor:
        """Features of the last stage (B, C, H, W) -> logits (B, classes)."""
        return self.classifier(features.mean(dim=(2, 3)))

    def _run(self, x: Tensor, replay: Tensor | None) -> tuple[list[StageFeatures], Trace]:
        self._check_replay(x, replay)
        x = self.stem(x)
        stages: list[StageFeatures] = []
        traces: list[Trace] = []
        step = 0
        for index, blocks in enumerate(self.stages):
            for block in cast(nn.Sequential, blocks):
                out: BlockOutput
                if replay is not None and isinstance(block, RecursiveBlock):
                    out = block(x, replay[:, step : step + block.loops])
                    step += block.loops
                else:
                    out = block(x)
                x = out.features
                traces.append(out.trace)
            stages.append(StageFeatures(f"stage{index + 1}", 2**index, x))
        return stages, join_traces(traces, x.shape[0], x.device)

    def _check_replay(self, x: Tensor, replay: Tensor | None) -> None:
        steps = sum(block.loops for block in self.layout)
        if replay is not None and replay.shape != (x.shape[0], steps):
            raise ValueError(
                f"expected decisions of shape {(x.shape[0], steps)}, images by steps, to replay; "
                f"got {tuple(replay.shape)}: pass the trace that this network made of these images"
            )


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
