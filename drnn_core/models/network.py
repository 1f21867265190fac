"""What every network is to the rest of the project, and the form that most of them have.

``forward`` hands out logits and the gates' decisions; ``features`` the stages, so that a network
serves as a backbone for detection and segmentation; ``layout`` and ``stage_layouts`` say where
its loops are without running it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from drnn_core.layout import BlockLayout, StageLayout
from drnn_core.models.gate import pooled
from drnn_core.models.recursive import BlockOutput, RecursiveBlock
from drnn_core.recipes import NetworkRecipe
from drnn_core.trace import Output, Trace, join_traces


@dataclass(frozen=True)
class StageFeatures:
    """Features of one stage: (B, C, H, W), and the stride of the stage against the input."""

    name: str
    stride: int
    features: Tensor


class Network(nn.Module, ABC):
    """A classifier whose recursive blocks report what they did.

    Args:
        recipe: what the network is.
        num_classes: width of the logits.
    """

    def __init__(self, recipe: NetworkRecipe, num_classes: int) -> None:
        super().__init__()
        self.recipe = recipe
        self.num_classes = num_classes

    @property
    @abstractmethod
    def stage_layouts(self) -> tuple[StageLayout, ...]:
        """Channels, stride and blocks of each stage, in network order."""

    @abstractmethod
    def recursive_blocks(self) -> list[tuple[str, RecursiveBlock]]:
        """(name, block) of every recursive block in network order, named as in the layout."""

    @abstractmethod
    def run_stages(
        self, x: Tensor, replay: Tensor | None = None
    ) -> tuple[list[StageFeatures], Trace]:
        """Features of (B, 3, H, W) by stage, and the decisions on the way; see ``forward``."""

    @abstractmethod
    def classify(self, features: Tensor) -> Tensor:
        """Features of the last stage (B, C, H, W) -> logits (B, classes)."""

    @property
    def layout(self) -> tuple[BlockLayout, ...]:
        """The recursive blocks in network order; the trace's steps are their loops."""
        return tuple(
            BlockLayout(name, block.loops, block.gate is not None)
            for name, block in self.recursive_blocks()
        )

    def forward(self, x: Tensor, replay: Tensor | None = None) -> Output:
        """Classify (B, 3, H, W) images.

        Args:
            x: normalised images.
            replay: (B, S) bool, which loops to run instead of asking the gates: the ``ran`` of
                an earlier trace, see ``drnn_core/inference/frozen.py``.

        Raises:
            ValueError: ``replay`` is not of the shape (B, S), or not of decisions.
        """
        stages, trace = self.run_stages(x, replay)
        return Output(self.classify(stages[-1].features), trace)

    def features(self, x: Tensor, replay: Tensor | None = None) -> list[StageFeatures]:
        """Features of (B, 3, H, W) by stage, for use as a backbone; ``replay`` as in forward."""
        return self.run_stages(x, replay)[0]

    def check_replay(self, x: Tensor, replay: Tensor | None) -> None:
        """Refuse decisions to replay that are not of this batch and network."""
        if replay is not None and replay.dtype != torch.bool:
            raise ValueError(
                f"expected bool decisions to replay, got {replay.dtype}: pass the ``ran`` of a "
                "trace, not its ``prob``; a loop runs or does not"
            )
        steps = sum(block.loops for block in self.layout)
        if replay is not None and replay.shape != (x.shape[0], steps):
            raise ValueError(
                f"expected decisions of shape {(x.shape[0], steps)}, images by steps, to replay; "
                f"got {tuple(replay.shape)}: pass the trace that this network made of these images"
            )


class StagedNetwork(Network):
    """A stem, stages of residual blocks, a neck, global average pooling, a linear classifier.

    Args:
        recipe, num_classes: see ``Network``.
        stem: (B, 3, H, W) -> features of the first stage's input.
        stages: the blocks of each stage; each returns a ``BlockOutput``.
        strides: of each stage's features against the input.
        neck: what follows the last stage's features; nothing in most networks.
        classifier_width: channels that reach the classifier; by default the last stage's.
    """

    def __init__(
        self,
        recipe: NetworkRecipe,
        num_classes: int,
        stem: nn.Module,
        stages: Sequence[Sequence[nn.Module]],
        strides: Sequence[int],
        neck: nn.Module | None = None,
        classifier_width: int | None = None,
    ) -> None:
        super().__init__(recipe, num_classes)
        self.strides = tuple(strides)
        self.stem = stem
        self.stages = nn.ModuleList(nn.Sequential(*blocks) for blocks in stages)
        self.neck = nn.Identity() if neck is None else neck
        self.classifier = nn.Linear(classifier_width or recipe.widths[-1], num_classes)

    def _blocks(self) -> list[list[tuple[str, nn.Module]]]:
        """(name, block) of every block by stage, named ``stage.block`` counted from 1."""
        return [
            [(f"{stage}.{place}", block) for place, block in enumerate(blocks, 1)]
            for stage, blocks in enumerate(cast("list[nn.Sequential]", list(self.stages)), 1)
        ]

    @property
    def stage_layouts(self) -> tuple[StageLayout, ...]:
        """Channels, stride and blocks of each stage, in network order."""
        stages = zip(self.recipe.widths, self.strides, self._blocks(), strict=True)
        return tuple(
            StageLayout(f"stage{number}", channels, stride, tuple(_layout(*b) for b in blocks))
            for number, (channels, stride, blocks) in enumerate(stages, 1)
        )

    def recursive_blocks(self) -> list[tuple[str, RecursiveBlock]]:
        """(name, block) of every recursive block in network order."""
        return [
            (name, block)
            for blocks in self._blocks()
            for name, block in blocks
            if isinstance(block, RecursiveBlock)
        ]

    def classify(self, features: Tensor) -> Tensor:
        """Features of the last stage (B, C, H, W) -> logits (B, classes)."""
        return self.classifier(self.pool(self.neck(features)))

    def pool(self, features: Tensor) -> Tensor:
        """What the classifier sees of (B, C, H, W): (B, C), the mean over all places."""
        return pooled(features)

    def run_stages(
        self, x: Tensor, replay: Tensor | None = None
    ) -> tuple[list[StageFeatures], Trace]:
        """Features of (B, 3, H, W) by stage, and the decisions on the way."""
        self.check_replay(x, replay)
        x = self.stem(x)
        stages: list[StageFeatures] = []
        traces: list[Trace] = []
        step = 0
        for number, (stride, blocks) in enumerate(zip(self.strides, self.stages, strict=True), 1):
            for block in cast(nn.Sequential, blocks):
                out: BlockOutput
                if replay is not None and isinstance(block, RecursiveBlock):
                    out = block(x, replay[:, step : step + block.loops])
                    step += block.loops
                else:
                    out = block(x)
                x = out.features
                traces.append(out.trace)
            stages.append(StageFeatures(f"stage{number}", stride, x))
        return stages, join_traces(traces, x.shape[0], x.device)


def _layout(name: str, block: nn.Module) -> BlockLayout:
    if isinstance(block, RecursiveBlock):
        return BlockLayout(name, block.loops, block.gate is not None)
    return BlockLayout(name, 0, False)


def initialise_convolutions(network: nn.Module) -> None:
    """He initialisation of the convolutions, as the residual networks' authors prescribe."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                torch.nn.init.zeros_(module.bias)
