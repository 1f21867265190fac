"""Norms by the batch statistics of all processes, not of this process's images alone.

The groups of a ``LoopNorm`` differ in size between processes, down to no image at all on one of
them or on all. So the group sizes only ever enter as values: every process takes the same steps
and the same collectives, forward and backward, whatever its gates decided. torch's SyncBatchNorm
refuses CPUs and empty groups, and knows no groups.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from drnn_core.models.norm import LoopNorm
from drnn_core.models.world import World


class Moments(NamedTuple):
    """Of a group of images over all processes.

    Attributes:
        number: () float64, values of each channel.
        mean, var: (C,), the biased variance; zeros where the group is empty.
    """

    number: Tensor
    mean: Tensor
    var: Tensor


def world_moments(world: World, *groups: Tensor) -> list[Moments]:
    """Moments of each (B, C, H, W) group over all processes; collective, also backward.

    A process may hold any share of a group, and none of it. The processes' own moments are
    joined exactly (Chan, Golub and LeVeque, 1983) and in rank order: equal bits everywhere.
    """
    joined = cast("tuple[Tensor, Tensor, Tensor]", _WorldMoments.apply(world, *groups))
    return [Moments(*parts) for parts in zip(*(each.unbind() for each in joined), strict=True)]


class _WorldMoments(torch.autograd.Function):
    """Groups -> numbers (G,), means (G, C), biased variances (G, C).

    Saves the groups as they come, so that mixed precision keeps its half of the memory.
    """

    @staticmethod
    def forward(ctx: Any, world: World, *groups: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # (processes, groups, 1 + 2 C): number, means, sums of squared distances
        every = world.gathered(torch.stack([_own_moments(group) for group in groups]))
        channels = groups[0].shape[1]
        number, mean, square = every[..., :1], every[..., 1 : 1 + channels], every[..., -channels:]
        numbers = number.sum(dim=0)
        means = (number * mean).sum(dim=0) / numbers.clamp(min=1)
        squares = (square + number * (mean - means).square()).sum(dim=0)
        dtype = torch.promote_types(groups[0].dtype, torch.float32)
        variances = (squares / numbers.clamp(min=1)).to(dtype)
        means, numbers = means.to(dtype), numbers.squeeze(1)
        ctx.world = world
        ctx.save_for_backward(numbers, means, *groups)
        ctx.mark_non_differentiable(numbers)
        return numbers, means, variances

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor | None, ...]:
        numbers, means, *groups = cast("tuple[Tensor, ...]", ctx.saved_tensors)
        world = cast(World, ctx.world)
        both = world.total(torch.stack([grads[1], grads[2]]))
        both = both / numbers.clamp(min=1).to(both.dtype)[:, None]
        found: list[Tensor | None] = [None]
        for group, mean, by_mean, by_var in zip(groups, means, both[0], both[1], strict=True):
            distance = group - _planes(mean)
            found.append((_planes(by_mean) + _planes(2 * by_var) * distance).to(group.dtype))
        return tuple(found)


def _own_moments(group: Tensor) -> Tensor:
    """(1 + 2 C,) float64: number, mean and sum of squared distances of this process's images."""
    channels = group.shape[1]
    number = group.numel() // channels
    found = torch.zeros(1 + 2 * channels, dtype=torch.float64, device=group.device)
    if number:
        values = group.to(torch.promote_types(group.dtype, torch.float32))
        var, mean = torch.var_mean(values, dim=(0, 2, 3), correction=0)
        found[0] = number
        found[1 : 1 + channels] = mean
        found[1 + channels :] = var.double() * number
    return found


def _planes(values: Tensor) -> Tensor:
    """(C,) -> (C, 1, 1): one value for each plane."""
    return values[:, None, None]


def _normalised(norm: nn.BatchNorm2d, x: Tensor, moments: Moments) -> Tensor:
    """``x`` by these moments, or by the population's where they are of one value or of none."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    enough = moments.number > 1
    mean = torch.where(enough, moments.mean, norm.running_mean)
    var = torch.where(enough, moments.var, norm.running_var)
    scale = norm.weight * torch.rsqrt(var + norm.eps)
    shift = norm.bias - mean * scale
    return (x * _planes(scale) + _planes(shift)).to(x.dtype)


@torch.no_grad()
def _update_running(norm: nn.BatchNorm2d, moments: Moments) -> None:
    """Count a group into the population; one of a single value or of none changes nothing."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    assert norm.num_batches_tracked is not None
    assert norm.momentum is not None
    number, mean, var = moments
    enough = number > 1
    unbiased = var * (number / (number - 1).clamp(min=1)).to(var.dtype)
    weight = norm.momentum * enough.to(mean.dtype)
    norm.num_batches_tracked.add_(enough.to(torch.int64))
    norm.running_mean.lerp_(mean, weight)
    norm.running_var.lerp_(unbiased, weight)


class SyncedLoopNorm(LoopNorm):
    """A ``LoopNorm`` by the moments of all processes; the same parameters and statistics.

    Args:
        norm: the norm that it stands for.
        world: the processes.
    """

    def __init__(self, norm: LoopNorm, world: World) -> None:
        super().__init__(norm.of_loop(0).num_features, norm.loops, norm.kind)
        self.norms = norm.norms
        self.world = world

    def forward(self, x: Tensor, loop: int = 0, executed: int | Tensor | None = None) -> Tensor:
        """Normalise this process's (B, C, H, W), see ``LoopNorm``; collective in training."""
        norm = self.of_loop(loop)
        if not self.training:
            return norm(x)
        if executed is None or self.kind in ("naive", "lvbn"):
            return _by_batch(norm, x, self.world)
        assert isinstance(executed, int), "a mask is for a batch that one process holds"
        if self.kind == "ilvbn_joint":
            # a part of x even where it is empty: every process meets the others going backward
            (moments,) = world_moments(self.world, x[:executed])
            _update_running(norm, moments)
            return _normalised(norm, x, moments)
        inside, outside = _groups(x, executed)
        of_inside, of_outside = world_moments(self.world, inside, outside)
        _update_running(norm, of_inside)
        if not len(outside):
            return _normalised(norm, inside, of_inside)
        if not len(inside):
            return _normalised(norm, outside, of_outside)
        return torch.cat(
            [_normalised(norm, inside, of_inside), _normalised(norm, outside, of_outside)]
        )


def _groups(x: Tensor, executed: int) -> tuple[Tensor, Tensor]:
    """The images of ``x`` that execute, its first ones, and the others.

    An empty group is no part of ``x``: joined with its gradient, which has no layout, the other
    group's would lose its own, channels_last.
    """
    if executed == len(x):
        return x, x.new_empty((0, *x.shape[1:]))
    if executed == 0:
        return x.new_empty((0, *x.shape[1:])), x
    inside, outside = torch.split(x, [executed, len(x) - executed])
    return inside, outside


class SyncedBatchNorm(nn.BatchNorm2d):
    """A BatchNorm by the moments of all processes; the same parameters and statistics."""

    def __init__(self, norm: nn.BatchNorm2d, world: World) -> None:
        super().__init__(norm.num_features, norm.eps, norm.momentum)
        self.weight, self.bias = norm.weight, norm.bias
        self.running_mean, self.running_var = norm.running_mean, norm.running_var
        self.num_batches_tracked = norm.num_batches_tracked
        self.world = world

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - BatchNorm2d's name for it
        """Normalise this process's (B, C, H, W); collective in training."""
        if not self.training:
            return super().forward(input)
        return _by_batch(self, input, self.world)


def _by_batch(norm: nn.BatchNorm2d, x: Tensor, world: World) -> Tensor:
    (moments,) = world_moments(world, x)
    _update_running(norm, moments)
    return _normalised(norm, x, moments)
