"""Networks whose batch is spread over processes: what the single process computes, to rounding.

Batch statistics and the random numbers of a training step belong to the whole batch. Here each
module that has either is replaced by one that shares its parameters and

- takes its moments from the images of all processes (``SyncedLoopNorm``, ``SyncedBatchNorm``),
- draws for the whole batch and keeps its own slice (``SyncedGate``, ``SyncedDrop``).
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]

from drnn_core.models.gate import Cut, Decision, Gate, decide
from drnn_core.models.norm import LoopNorm
from drnn_core.models.synced_norm import SyncedBatchNorm, SyncedLoopNorm
from drnn_core.models.world import World

# By name: torchvision's and timm's are among them, which need not be installed.
_DROPPING = frozenset({"Dropout", "Dropout2d"})
_DROPPING_IMAGES = frozenset({"StochasticDepth", "DropPath"})


class SyncedGate(Gate):
    """A gate whose noise is its slice of what the whole batch would have drawn."""

    def __init__(self, gate: Gate, world: World) -> None:
        super().__init__(1, None, gate.initial_rate, gate.temperature)
        self.fc = gate.fc
        self.noise, self.share = gate.noise, gate.share
        self.world = world

    def forward(self, x: Tensor, cut: Cut | None = None) -> Decision:
        """Decide for each image of this process's (B, C, H, W)."""
        if not self.training:
            return super().forward(x)
        # padded to the whole batch, so that every process draws the same numbers
        whole = x.shape[0] * self.world.size
        own = self.world.part(whole)
        logits = F.pad(self.logits(x), (own.start, whole - own.stop))
        if self.share is not None:  # the cut is the whole batch's
            logits = self.world.total(logits)
        decision = decide(logits, True, self.temperature, self.noise, share=self.share, cut=cut)
        return Decision(decision.open[own], decision.prob[own], decision.cut)


class SyncedDrop(nn.Module):
    """A dropout or stochastic depth that drops its slice of what the whole batch would drop."""

    def __init__(self, drop: nn.Module, world: World) -> None:
        super().__init__()
        self.drop = drop
        self.world = world

    def forward(self, x: Tensor) -> Tensor:
        """Drop values, or whole images, of this process's (B, ...)."""
        if not self.training:
            return x
        # one number for each image where images are dropped whole
        by_image = type(self.drop).__name__ in _DROPPING_IMAGES
        shape = (1,) * (x.ndim - 1) if by_image else x.shape[1:]
        ones = x.new_ones((x.shape[0] * self.world.size, *shape))
        return x * self.drop(ones)[self.world.part(len(ones))]


def synchronise(network: nn.Module, world: World) -> None:
    """Replace, in place, every module that would see only this process's images.

    Parameters, buffers and the names of both stay; in evaluation nothing changes.

    Raises:
        ValueError: a norm over the batch of a kind that there is no such module for.
    """
    for name, module in list(network.named_children()):
        replaced = _replacement(module, world)
        if replaced is None:
            synchronise(module, world)
        else:
            setattr(network, name, replaced.train(module.training))


def _replacement(module: nn.Module, world: World) -> nn.Module | None:
    if isinstance(module, LoopNorm):
        return SyncedLoopNorm(module, world)
    if isinstance(module, Gate):
        return SyncedGate(module, world)
    if type(module).__name__ in _DROPPING | _DROPPING_IMAGES:
        return SyncedDrop(module, world)
    if not isinstance(module, _BatchNorm):
        return None
    complete = module.affine and module.track_running_stats and module.momentum is not None
    if type(module) is not nn.BatchNorm2d or not complete:
        raise ValueError(
            f"expected plain BatchNorm2d as the only norm over a batch, got {module}; "
            "train this network in one process"
        )
    return SyncedBatchNorm(module, world)
