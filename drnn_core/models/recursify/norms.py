"""Norms of a foreign block, one for each loop.

A BatchNorm becomes a ``LoopNorm``, as in our own networks. A norm within one image (LayerNorm,
GroupNorm, RMSNorm) has no statistics of a population; its scale and shift are those of the loop.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]

from drnn_core.models.norm import LoopNorm, NormKind
from drnn_core.models.recursify.shapes import modules_of
from drnn_core.models.recursify.tracing import BATCH_NORM, IMAGE_NORMS


class LoopCopies(nn.Module):
    """A norm within one image, with a copy for each loop (``naive``: one for all)."""

    def __init__(self, copies: Sequence[nn.Module]) -> None:
        super().__init__()
        self.copies = nn.ModuleList(copies)

    def forward(self, x: Tensor, loop: int = 0, executed: int | None = None) -> Tensor:  # noqa: ARG002  # it meets each image alone
        """Normalise by the loop's copy."""
        return self.copies[min(loop, len(self.copies) - 1)](x)


def split_norms(model: nn.Module) -> None:
    """Put a BatchNorm2d, a drop and an activation where one module is all three, in place.

    timm's BatchNormAct2d is a BatchNorm2d that does more; whoever looks for norms (a recursive
    block, folding, training in several processes) would take it for a norm alone.
    """
    for path, module in modules_of(model):
        if not (isinstance(module, BATCH_NORM) and module.affine and module.track_running_stats):
            continue
        drop, act = getattr(module, "drop", None), getattr(module, "act", None)
        if isinstance(drop, nn.Module) and isinstance(act, nn.Module):
            parts = OrderedDict[str, nn.Module](norm=_plain(module), drop=drop, act=act)
            model.set_submodule(path, nn.Sequential(parts))


def why_no_loop_norm(block: nn.Module) -> str | None:
    """Why a block's norms could not become one for each loop, or None."""
    for path, norm in modules_of(block):
        if not isinstance(norm, _BatchNorm):
            continue
        kind = f"its norm {path} is a {type(norm).__name__}"
        if type(norm) is not BATCH_NORM:
            return f"{kind}, expected BatchNorm2d or a norm within one image, such as LayerNorm"
        if not (norm.affine and norm.track_running_stats and norm.momentum is not None):
            return f"{kind} without scale and shift, running statistics or a momentum"
    return None


def loop_norm(sources: Sequence[nn.Module], loops: int, kind: NormKind) -> nn.Module:
    """The norm of a block that loops, which begins as ``sources``.

    Args:
        sources: norms of one class; loop k begins as the k-th, or as the last where there are
            fewer.
        loops: of the block.
        kind: of LoopNorm; "naive" makes one norm for all loops.

    Returns:
        A module that is called as ``norm(x, loop, executed)``.
    """
    sets = 1 if kind == "naive" else loops
    chosen = [sources[min(loop, len(sources) - 1)] for loop in range(sets)]
    first = chosen[0]
    if isinstance(first, IMAGE_NORMS):
        return LoopCopies([copy.deepcopy(norm) for norm in chosen])
    assert isinstance(first, BATCH_NORM)
    assert first.momentum is not None
    norm = LoopNorm(first.num_features, loops, kind, first.eps, first.momentum)
    norm.norms = nn.ModuleList(_plain(cast(nn.BatchNorm2d, source)) for source in chosen)
    return norm


def _plain(source: nn.BatchNorm2d) -> nn.BatchNorm2d:
    """A BatchNorm2d and nothing else, with the tensors of another, copied."""
    norm = nn.BatchNorm2d(
        source.num_features,
        source.eps,
        source.momentum,
        device=source.weight.device,
        dtype=source.weight.dtype,
    )
    norm.load_state_dict({name: source.state_dict()[name] for name in norm.state_dict()})
    norm.weight.requires_grad_(source.weight.requires_grad)
    norm.bias.requires_grad_(source.bias.requires_grad)
    return norm
