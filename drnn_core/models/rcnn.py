"""RCNN-160: recurrent convolutional layers (table 1; Liang and Hu, CVPR 2015).

    x_0 = norm(relu(u))                 u = W_f * input, computed once
    x_t = norm(relu(u + W_r * x_{t-1})) for t in 1..T

The loops of a layer share W_r and are always all run: recursion without a gate, and without a
norm of its own for each loop (the norm is local response normalisation, which has no weights).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from drnn_core.models.network import StagedNetwork, initialise_convolutions
from drnn_core.models.recursive import BlockOutput, RecursiveBlock
from drnn_core.recipes import NetworkRecipe
from drnn_core.trace import Trace


class RecurrentConvolution(RecursiveBlock):
    """A recurrent convolutional layer of T loops.

    Args:
        channels: of input and output.
        loops: T, the recurrent iterations.
        pool: 3x3 max pooling with stride 2 before the layer.
        dropout: chance to drop a value of the output in training.
    """

    def __init__(self, channels: int, loops: int, pool: bool, dropout: float) -> None:
        recurrent = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        super().__init__(recurrent, loops, gate=None)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1) if pool else nn.Identity()
        self.feed_forward = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm = nn.LocalResponseNorm(channels // 8 + 1, alpha=1e-3, beta=0.75)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, replay: Tensor | None = None) -> BlockOutput:
        """Run the loops of (B, C, H, W); ``replay`` as in ``RecursiveBlock``."""
        driven = self.feed_forward(self.pool(x))
        x = self.norm(torch.relu(driven))
        ran = torch.ones((x.shape[0], self.loops), dtype=torch.bool, device=x.device)
        if replay is not None:
            ran = replay.cumprod(dim=1).bool()
        for loop in range(self.loops):
            after = self.norm(torch.relu(driven + self.body(x)))
            x = after if replay is None else torch.where(ran[:, loop, None, None, None], after, x)
        asked = torch.zeros_like(ran)
        return BlockOutput(
            self.dropout(x), Trace(ran.new_ones(ran.shape, dtype=torch.float32), asked, ran)
        )


class RecurrentNetwork(StagedNetwork):
    """5x5 convolution, pooling, two stages of recurrent layers, global max pooling.

    Args:
        recipe: ``blocks`` recurrent layers of ``loops`` iterations in each stage.
        num_classes: width of the logits.
    """

    def __init__(self, recipe: NetworkRecipe, num_classes: int = 10) -> None:
        width = recipe.widths[0]
        stem = nn.Sequential(
            nn.Conv2d(3, width, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, stride=2, padding=1)
        )
        layers = sum(recipe.blocks)
        stages: list[list[nn.Module]] = []
        number = 0
        for index, blocks in enumerate(recipe.blocks):
            stage: list[nn.Module] = []
            for place in range(blocks):
                number += 1
                # dropped out after every layer but the last
                dropout = 0.5 if number < layers else 0.0
                pool = index > 0 and place == 0
                stage.append(RecurrentConvolution(width, recipe.loops[index], pool, dropout))
            stages.append(stage)
        strides = [2 * 2**index for index in range(len(stages))]
        super().__init__(recipe, num_classes, stem, stages, strides)
        initialise_convolutions(self)

    def pool(self, features: Tensor) -> Tensor:
        """What the classifier sees of (B, C, H, W): (B, C), the largest value of all places."""
        return features.amax(dim=(2, 3))
