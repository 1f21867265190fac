"""Modules beyond this project's own: what may be fused in them, and what may not."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def norm(channels: int) -> nn.BatchNorm2d:
    layer = nn.BatchNorm2d(channels)
    for tensor in (layer.running_mean, layer.running_var, layer.weight, layer.bias):
        assert tensor is not None
        nn.init.uniform_(tensor, 0.3, 1.4)
    return layer


class Block(nn.Module):
    """Two convolutions and a norm; the subclasses put them together."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.other = nn.Conv2d(4, 4, 1, groups=2)
        self.norm = norm(4)
        self.act = nn.ReLU(inplace=True)


class Residual(Block):
    def forward(self, x: Tensor) -> Tensor:
        return self.act(x + self.norm(self.conv(x)))


class SumOfConvolutions(Block):
    def forward(self, x: Tensor) -> Tensor:
        return F.relu6(self.norm(self.conv(x)) + self.other(x))


class NormReadTwice(Block):
    """Folding the norm into the convolution would change what the second reader gets."""

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return self.norm(y) * y


class ActivationReadTwice(Block):
    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return torch.relu(y) - y


class SumIsReadLater(Block):
    """The sum may not be written into x."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.conv(x)) * x


class ConvolutionReadsLater(Block):
    """Nor where a convolution reads x later."""

    def forward(self, x: Tensor) -> Tensor:
        y = x + self.conv(torch.relu(self.norm(self.conv(x))))
        return torch.relu(y) + self.other(x)


class ViewIsReadLater(Block):
    """Nor where a view of what stands beside is read later."""

    def forward(self, x: Tensor) -> Tensor:
        beside = self.other(x)
        view = beside[:, :2]
        total = beside + self.conv(x)
        return total[:, :2] + view


class BroadcastingSum(Block):
    """A convolution's own sum does not broadcast."""

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x) + self.other(x).mean((2, 3), keepdim=True)


class Doubled(Block):
    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return y + y


class Weighted(Block):
    def forward(self, x: Tensor) -> Tensor:
        return x + 0.3 * self.norm(self.conv(x)).mul(2.0)


class PreActivated(Block):
    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(torch.relu(self.norm(x)))


class NormAfterActivation(Block):
    def forward(self, x: Tensor) -> Tensor:
        return self.norm(torch.relu(self.conv(x)))


class NormAfterSum(Block):
    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x) + x)


class TwoActivations(Block):
    def forward(self, x: Tensor) -> Tensor:
        return F.hardswish(F.silu(self.conv(x)))


class Squeezing(Block):
    def forward(self, x: Tensor) -> Tensor:
        y = F.silu(self.conv(x))
        return x + y * torch.sigmoid(self.other(F.adaptive_avg_pool2d(y, 1)))


class OddConvolutions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.same = nn.Conv2d(4, 4, 3, padding="same")
        self.mirrored = nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect")
        self.wide = nn.Conv2d(4, 4, 3, padding=2, dilation=2)
        self.norm = norm(4)
        self.batch = nn.BatchNorm2d(4, track_running_stats=False)
        self.bare = nn.BatchNorm2d(4, affine=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.same(x))
        x = self.bare(self.wide(self.mirrored(x)))
        return self.batch(x)


class Scaled(Block):
    """A parameter of its own, and a module that branches on values."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.rand(4, 1, 1))
        self.branching = _Branching()

    def forward(self, x: Tensor) -> Any:
        return (self.branching(self.conv(x)) * self.scale).to(x.dtype)


class _Branching(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + 1 if float(x.sum()) > 0 else x - 1


# As a foreign module: those of the project are taken to be traceable.
_Branching.__module__ = "foreign"

KINDS: list[type[nn.Module]] = [
    *(
        Residual,
        SumOfConvolutions,
        NormReadTwice,
        ActivationReadTwice,
        SumIsReadLater,
        ConvolutionReadsLater,
    ),
    *(ViewIsReadLater, BroadcastingSum, Doubled, Weighted, PreActivated, NormAfterActivation),
    *(NormAfterSum, TwoActivations, Squeezing, OddConvolutions, Scaled),
]
