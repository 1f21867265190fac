"""LoopNorm: the BatchNorm of a recursive block (paper: LVBN and its improvement I-LVBN, section 3).

The convolutions of a recursive block are shared by its loops, the normalisation is not. With
x of shape (B, C, H, W), loop k, and E the set of images that execute loop k:

==============  ==========================  ============================  ====================
kind            affine and running stats    training normalises           running stats from
==============  ==========================  ============================  ====================
``naive``       one set for all loops       all by statistics of all      all images
``lvbn``        one set per loop            all by statistics of all      all images
``ilvbn``       one set per loop            E by E's, the others by       E only
                                            the others'
``ilvbn_joint`` one set per loop            all by E's                    E only
==============  ==========================  ============================  ====================

In evaluation every kind is plain BatchNorm with the running statistics of its loop.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from drnn_core.models.masked_norm import normalise_masked

NormKind = Literal["naive", "lvbn", "ilvbn", "ilvbn_joint"]
NORM_KINDS: tuple[str, ...] = get_args(NormKind)


class LoopNorm(nn.Module):
    """Batch normalisation of loop k of a recursive block.

    Args:
        channels: C of the (B, C, H, W) input.
        loops: the most loops of the block; the number of BatchNorm sets unless ``naive``.
        kind: see the module's table.
        eps, momentum: as in ``nn.BatchNorm2d``.

    Raises:
        ValueError: unknown kind, or fewer than one loop.
    """

    def __init__(
        self,
        channels: int,
        loops: int = 1,
        kind: NormKind = "ilvbn",
        eps: float = 1e-5,
        momentum: float = 0.1,
    ) -> None:
        super().__init__()
        if kind not in NORM_KINDS:
            raise ValueError(f"expected a norm kind of {NORM_KINDS}, got {kind!r}")
        if loops < 1:
            raise ValueError(f"expected at least 1 loop, got {loops}")
        self.kind: NormKind = kind
        self.loops = loops
        sets = 1 if kind == "naive" else loops
        self.norms = nn.ModuleList(
            nn.BatchNorm2d(channels, eps=eps, momentum=momentum) for _ in range(sets)
        )

    def of_loop(self, loop: int) -> nn.BatchNorm2d:
        """The BatchNorm that normalises loop ``loop`` (0-based)."""
        norm = self.norms[0 if self.kind == "naive" else loop]
        assert isinstance(norm, nn.BatchNorm2d)
        return norm

    def forward(self, x: Tensor, loop: int = 0, executed: int | Tensor | None = None) -> Tensor:
        """Normalise ``x``.

        Args:
            x: (B, C, H, W), the images that execute this loop first.
            loop: which loop of the block this is, 0-based.
            executed: how many of the images, from the first, execute this loop; None where all
                do. Or (B,) bool: which do, in any order, see ``masked_norm.py``. Evaluation pays
                it no heed.

        Returns:
            (B, C, H, W).
        """
        norm = self.of_loop(loop)
        if not self.training:
            return norm(x)
        if executed is None or self.kind in ("naive", "lvbn"):
            return _normalise(norm, x)
        joint = self.kind == "ilvbn_joint"
        if isinstance(executed, Tensor):
            return normalise_masked(norm, x, executed, joint)
        return _normalise_sorted(norm, x, executed, joint)


def _normalise_sorted(norm: nn.BatchNorm2d, x: Tensor, executed: int, joint: bool) -> Tensor:
    """I-LVBN of a batch whose first ``executed`` images execute."""
    if executed == x.shape[0]:
        return _normalise(norm, x)
    # split, not slices: its backward joins the halves without a zero-filled copy of each
    inside, outside = torch.split(x, [executed, x.shape[0] - executed])
    if joint:
        return _normalise_jointly(norm, inside, x)
    if executed == 0:
        return _normalise_apart(norm, outside)
    return torch.cat([_normalise(norm, inside), _normalise_apart(norm, outside)])


def _normalise_jointly(norm: nn.BatchNorm2d, inside: Tensor, x: Tensor) -> Tensor:
    """Second reading of I-LVBN: the moments of ``inside`` for all of ``x``."""
    if not _has_moments(inside):
        return _with_population(norm, x)
    count = inside.numel() // inside.shape[1]
    var, mean = torch.var_mean(inside.float(), dim=(0, 2, 3), correction=0)
    _update_running(norm, mean.detach(), var.detach() * (count / (count - 1)))
    scale = norm.weight * torch.rsqrt(var + norm.eps)
    shift = norm.bias - mean * scale
    return (x.float() * scale[:, None, None] + shift[:, None, None]).to(x.dtype)


def _has_moments(x: Tensor) -> bool:
    """Whether a variance exists: more than one value per channel."""
    return x.numel() // x.shape[1] > 1


def _normalise(norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """Normalise a group by its own statistics and count them into the population's.

    A group too small for a variance is normalised by the population statistics, which it
    leaves as they are.
    """
    return norm(x) if _has_moments(x) else _with_population(norm, x)


def _normalise_apart(norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """Normalise a group by its own statistics; the population statistics never see it."""
    if not _has_moments(x):
        return _with_population(norm, x)
    return F.batch_norm(x, None, None, norm.weight, norm.bias, training=True, eps=norm.eps)


def _with_population(norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    return F.batch_norm(
        x, norm.running_mean, norm.running_var, norm.weight, norm.bias, False, eps=norm.eps
    )


def _update_running(norm: nn.BatchNorm2d, mean: Tensor, unbiased_var: Tensor) -> None:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    assert norm.num_batches_tracked is not None
    assert norm.momentum is not None
    norm.num_batches_tracked.add_(1)
    norm.running_mean.lerp_(mean, norm.momentum)
    norm.running_var.lerp_(unbiased_var, norm.momentum)
