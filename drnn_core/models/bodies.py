"""Residual bodies F: what a block adds to its input. One body serves plain and recursive blocks.

A body's convolutions are shared by all loops; its norms are LoopNorms, one BatchNorm a loop.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import relu6

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
        self.groups_apart = norm == "ilvbn"
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, padding=1, bias=False)
        self.norm1 = LoopNorm(channels, loops, norm)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = LoopNorm(channels, loops, norm)

    def forward(self, x: Tensor, loop: int = 0, executed: int | Tensor | None = None) -> Tensor:
        """F_loop(x), see ``LoopedBody``."""
        x = torch.relu(self.norm1(self.conv1(x), loop, executed))
        return self.norm2(self.conv2(x), loop, executed)


class BottleneckBody(nn.Module):
    """1x1, 3x3, 1x1 convolutions with a narrow middle (ResNet-50 and deeper, table 2).

    Args:
        in_channels, channels: of input and output; the middle has a quarter of ``channels``.
        stride: of the whole body.
        loops: sets of norms.
        norm: their kind.
        stride_on: which convolution has the stride: the first 1x1, as the paper's ResNets, or
            the 3x3, as "v1.5" (torchvision's).
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int = 1,
        loops: int = 1,
        norm: NormKind = "ilvbn",
        stride_on: Literal["1x1", "3x3"] = "1x1",
    ) -> None:
        super().__init__()
        self.groups_apart = norm == "ilvbn"
        middle = channels // 4
        first, second = (stride, 1) if stride_on == "1x1" else (1, stride)
        self.conv1 = nn.Conv2d(in_channels, middle, 1, first, bias=False)
        self.norm1 = LoopNorm(middle, loops, norm)
        self.conv2 = nn.Conv2d(middle, middle, 3, second, padding=1, bias=False)
        self.norm2 = LoopNorm(middle, loops, norm)
        self.conv3 = nn.Conv2d(middle, channels, 1, bias=False)
        self.norm3 = LoopNorm(channels, loops, norm)

    def forward(self, x: Tensor, loop: int = 0, executed: int | Tensor | None = None) -> Tensor:
        """F_loop(x), see ``LoopedBody``."""
        x = torch.relu(self.norm1(self.conv1(x), loop, executed))
        x = torch.relu(self.norm2(self.conv2(x), loop, executed))
        return self.norm3(self.conv3(x), loop, executed)


class PreActivationBody(nn.Module):
    """norm, relu, conv, norm, relu, conv (pre-activation ResNet, table 1).

    Args:
        in_channels, channels: of input and output.
        stride: of the first convolution.
    """

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.norm1 = LoopNorm(in_channels)
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, padding=1, bias=False)
        self.norm2 = LoopNorm(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)

    def forward(self, x: Tensor, loop: int = 0, executed: int | Tensor | None = None) -> Tensor:
        """F_loop(x), see ``LoopedBody``."""
        x = self.conv1(torch.relu(self.norm1(x, loop, executed)))
        return self.conv2(torch.relu(self.norm2(x, loop, executed)))


class InvertedResidualBody(nn.Module):
    """1x1 expansion, 3x3 depthwise, linear 1x1 projection (MobileNetV2, table 2).

    Args:
        in_channels, channels: of input and output.
        stride: of the depthwise convolution.
        expansion: width of the middle over ``in_channels``; 1 leaves the expansion out.
        loops: sets of norms.
        norm: their kind.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int = 1,
        expansion: int = 6,
        loops: int = 1,
        norm: NormKind = "ilvbn",
    ) -> None:
        super().__init__()
        self.groups_apart = norm == "ilvbn"
        middle = in_channels * expansion
        self.expands = expansion > 1
        if self.expands:
            self.conv1 = nn.Conv2d(in_channels, middle, 1, bias=False)
            self.norm1 = LoopNorm(middle, loops, norm)
        self.conv2 = nn.Conv2d(middle, middle, 3, stride, padding=1, groups=middle, bias=False)
        self.norm2 = LoopNorm(middle, loops, norm)
        self.conv3 = nn.Conv2d(middle, channels, 1, bias=False)
        self.norm3 = LoopNorm(channels, loops, norm)

    def forward(self, x: Tensor, loop: int = 0, executed: int | Tensor | None = None) -> Tensor:
        """F_loop(x), see ``LoopedBody``."""
        if self.expands:
            x = relu6(self.norm1(self.conv1(x), loop, executed))
        x = relu6(self.norm2(self.conv2(x), loop, executed))
        return self.norm3(self.conv3(x), loop, executed)


class PadShortcut(nn.Module):
    """The parameter-free shortcut of the CIFAR ResNets: subsample, then pad with zero channels."""

    def __init__(self, stride: int, extra_channels: int) -> None:
        super().__init__()
        # of single pixels: the gradient of a slice would not lie in memory as channels_last do
        self.subsample = nn.AvgPool2d(1, stride)
        self.extra_channels = extra_channels

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C + extra, H / stride, W / stride)."""
        before = self.extra_channels // 2
        after = self.extra_channels - before
        return nn.functional.pad(self.subsample(x), (0, 0, 0, 0, before, after))


class ProjectionShortcut(nn.Sequential):
    """1x1 convolution and BatchNorm: the shortcut where an ImageNet ResNet changes its shape."""

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
        )


class PlainBlock(nn.Module):
    """An ordinary residual block: relu(shortcut(x) + F(x)); contributes no steps to the trace.

    Args:
        body: F.
        shortcut: what stands beside it; None where there is nothing, as in MobileNetV2's first
            blocks, which are F(x) alone.
        activation: apply relu after the sum.
    """

    def __init__(
        self, body: nn.Module, shortcut: nn.Module | None, activation: bool = True
    ) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut
        self.activation = activation

    def forward(self, x: Tensor) -> BlockOutput:
        """Run the block on (B, C, H, W)."""
        return BlockOutput(self.transform(x), empty_trace(x.shape[0], x.device))

    def transform(self, x: Tensor) -> Tensor:
        """The block as a function of features alone."""
        features = self.body(x)
        if self.shortcut is not None:
            features = self.shortcut(x) + features
        return torch.relu(features) if self.activation else features


class StochasticDepthBlock(PlainBlock):
    """Stochastic depth: training leaves the body out by chance, for the whole batch.

    Training runs relu(shortcut(x) + F(x)) with the chance ``survival``, relu(shortcut(x))
    otherwise; a body left out is not computed. Evaluation runs relu(shortcut(x) + survival F(x)).

    Args:
        body, shortcut: as in ``PlainBlock``.
        survival: chance to run the body.
    """

    def __init__(self, body: nn.Module, shortcut: nn.Module, survival: float) -> None:
        super().__init__(body, shortcut)
        self.survival = survival

    def transform(self, x: Tensor) -> Tensor:
        """The block as a function of features alone; random in training."""
        assert self.shortcut is not None
        features = self.shortcut(x)
        if not self.training:
            features = features + self.survival * self.body(x)
        elif float(torch.rand(())) < self.survival:
            features = features + self.body(x)
        return torch.relu(features)
