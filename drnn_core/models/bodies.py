"""Residual bodies F: what a block adds to its input. One body serves plain and recursive blocks.

A body's convolutions are shared by all loops; its norms are LoopNorms, one BatchNorm a loop.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from drnn_core.models.norm import LoopNorm, NormKind
from drnn_core.models.recursive import BlockOutput
from drnn_core.trace import empty_trace


class BasicBody(nn.Module):
    """Two 3x3 convolutions: conv, norm, relu, conv, norm (the CIFAR networks of table 1).

    Args:
        in_channels, channels: of input and output.
        stride: of the first convolution.
        loops: sets of norms.
        norm: their kind.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int = 1,
        loops: int = 1,
        norm: NormKind = "ilvbn",
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, padding=1, bias=False)
        self.norm1 = LoopNorm(channels, loops, norm)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = LoopNorm(channels, loops, norm)

    def forward(self, x: Tensor, loop: int = 0, executed: int | None = None) -> Tensor:
        """F_loop(x), see ``LoopedBody``."""
        x = torch.relu(self.norm1(self.conv1(x), loop, executed))
        return self.norm2(self.conv2(x), loop, executed)


class PadShortcut(nn.Module):
    """The parameter-free shortcut of the CIFAR ResNets: subsample, then pad with zero channels."""

    def __init__(self, stride: int, extra_channels: int) -> None:
        super().__init__()
        self.stride = stride
        self.extra_channels = extra_channels

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C + extra, H / stride, W / stride)."""
        x = x[:, :, :: self.stride, :: self.stride]
        before = self.extra_channels // 2
        after = self.extra_channels - before
        return nn.functional.pad(x, (0, 0, 0, 0, before, after))


class PlainBlock(nn.Module):
    """An ordinary residual block: relu(shortcut(x) + F(x)); contributes no steps to the trace."""

    def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> BlockOutput:
        """Run the block on (B, C, H, W)."""
        features = torch.relu(self.shortcut(x) + self.body(x))
        return BlockOutput(features, empty_trace(x.shape[0], x.device))
