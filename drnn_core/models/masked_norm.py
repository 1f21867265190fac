"""I-LVBN by a mask: what ``LoopNorm`` computes of a sorted batch, in shapes that never change.

``LoopNorm`` takes a batch whose executed images stand first, and their number; both depend on
what the gates said, so the host has to wait for them in every loop. On a GPU that wait costs more
than the arithmetic. Here the groups are told apart by a mask, and a training step can be captured
as a CUDA graph. With moments m_b, v_b of each image b over its H x W places and shares s_gb of the
group g (1 / images of g where b belongs to it, 0 elsewhere):

    mean_g = sum_b s_gb m_b          var_g = sum_b s_gb (v_b + (m_b - mean_g)^2)

``LoopNorm`` hands a mask on to this file; ``tests/models/test_masked_norm.py`` holds both equal.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn


class Normalised(NamedTuple):
    """What becomes of a batch and of the population statistics.

    Attributes:
        y: (B, C, H, W), normalised.
        mean, var: (C,) float32, the executed images' mean and unbiased variance.
        counts: () bool, whether they have a variance: more than one value per channel.
    """

    y: Tensor
    mean: Tensor
    var: Tensor
    counts: Tensor


def normalise_masked(norm: nn.BatchNorm2d, x: Tensor, executed: Tensor, joint: bool) -> Tensor:
    """Normalise each image by its group, and count the executed ones into the population.

    A group too small for a variance is normalised by the population statistics.

    Args:
        norm: of the loop; its running statistics are updated.
        x: (B, C, H, W).
        executed: (B,) bool, who executes the loop, in any order.
        joint: all images by the executed ones' statistics (the second reading, "ilvbn_joint").
    """
    assert norm.running_mean is not None
    assert norm.running_var is not None
    assert norm.num_batches_tracked is not None
    assert norm.momentum is not None
    # copies: the running statistics change below, before the backward pass would read them
    population = norm.running_mean.clone(), norm.running_var.clone()
    alone = x.is_cuda and not torch.compiler.is_compiling() and find_spec("triton") is not None
    function = _fused() if alone else by_group
    done = function(x, executed, norm.weight, norm.bias, *population, norm.eps, joint)
    with torch.no_grad():
        share = norm.momentum * done.counts.to(torch.float32)
        norm.num_batches_tracked.add_(done.counts.to(torch.int64))
        norm.running_mean.add_(share * (done.mean.detach() - norm.running_mean))
        norm.running_var.add_(share * (done.var.detach() - norm.running_var))
    return done.y


@cache
def _fused() -> Callable[..., Normalised]:
    """The same in a few kernels: one pass over x for the moments, one for the result."""
    return cast("Callable[..., Normalised]", torch.compile(by_group, dynamic=False))


def by_group(
    x: Tensor,
    executed: Tensor,
    weight: Tensor,
    bias: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    eps: float,
    joint: bool,
) -> Normalised:
    """The normalisation as a function of tensors; nothing is updated.

    Args:
        x: (B, C, H, W).
        executed: (B,) bool.
        weight, bias, running_mean, running_var: (C,) of the loop's BatchNorm.
        eps: of the BatchNorm.
        joint: as in ``normalise_masked``.
    """
    places = x.shape[2] * x.shape[3]
    values = x.float()
    v, m = torch.var_mean(values, dim=(2, 3), correction=0)
    inside = executed.to(torch.float32)
    groups = torch.stack([inside, 1 - inside])
    images = groups.sum(dim=1)
    share = (groups / images.clamp(min=1)[:, None])[:, :, None]
    mean = (share * m).sum(dim=1)
    var = (share * (v + (m - mean[:, None]).square())).sum(dim=1)
    known = (images * places > 1)[:, None]
    scale = weight * torch.rsqrt(torch.where(known, var, running_var) + eps)
    shift = bias - torch.where(known, mean, running_mean) * scale
    # x * scale + shift rather than (x - mean) * scale: one multiply-add for each value
    own = torch.ones_like(executed) if joint else executed
    factor = torch.where(own[:, None], scale[0], scale[1])[:, :, None, None]
    offset = torch.where(own[:, None], shift[0], shift[1])[:, :, None, None]
    y = (values * factor + offset).to(x.dtype)
    count = images[0] * places
    return Normalised(y, mean[0], var[0] * (count / (count - 1).clamp(min=1)), known[0, 0])
