"""A backbone made recursive, as a network like our own: features and trace, then logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, fx

from drnn_core.layout import StageLayout
from drnn_core.models.network import Network, StageFeatures
from drnn_core.models.recursive import RecursiveBlock
from drnn_core.recipes import NetworkRecipe
from drnn_core.trace import Trace, join_traces


class RecursifiedNetwork(Network):
    """What ``recursify`` makes of a backbone.

    Args:
        recipe, num_classes: see ``Network``.
        body: called as ``body(x, replay of the first recursive block, of the second, ...)``, each
            (B, loops) bool or None; returns the features of every stage and the trace of every
            recursive block.
        head: features of the last stage -> logits.
        stages: channels, stride and blocks of each stage.
        blocks: path in ``body`` of each recursive block by its name, in network order.
    """

    def __init__(
        self,
        recipe: NetworkRecipe,
        num_classes: int,
        body: fx.GraphModule,
        head: fx.GraphModule,
        stages: Sequence[StageLayout],
        blocks: Mapping[str, str],
    ) -> None:
        super().__init__(recipe, num_classes)
        self.body = body
        self.head = head
        self._stage_layouts = tuple(stages)
        self._paths = dict(blocks)

    @property
    def stage_layouts(self) -> tuple[StageLayout, ...]:
        """Channels, stride and blocks of each stage, in network order."""
        return self._stage_layouts

    def recursive_blocks(self) -> list[tuple[str, RecursiveBlock]]:
        """(name, block) of every recursive block in network order."""
        return [
            (name, cast(RecursiveBlock, self.body.get_submodule(path)))
            for name, path in self._paths.items()
        ]

    def run_stages(
        self, x: Tensor, replay: Tensor | None = None
    ) -> tuple[list[StageFeatures], Trace]:
        """Features of (B, 3, H, W) by stage, and the decisions on the way."""
        self.check_replay(x, replay)
        decisions: Sequence[Tensor | None] = [None] * len(self._paths)
        if replay is not None:
            decisions = torch.split(replay, [block.loops for block in self.layout], dim=1)
        features, traces = self.body(x, *decisions)
        stages = [
            StageFeatures(layout.name, layout.stride, found)
            for layout, found in zip(self._stage_layouts, features, strict=True)
        ]
        return stages, join_traces(traces, x.shape[0], x.device)

    def classify(self, features: Tensor) -> Tensor:
        """Features of the last stage (B, C, H, W) -> logits (B, classes)."""
        return self.head(features)
