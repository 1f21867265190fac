"""What the norms of a recursive block see of images that run a loop and of those that do not.

Figure 7 of the paper plots, channel by channel, mean and variance of the feature maps that a gate
lets pass and of those that it forbids, in a shallow and in a deep block, and finds that they
differ more in the deep one. It does not say which feature maps. Here they are the tensors that
enter each LoopNorm: the outputs of the block's shared convolutions, before the norm of the loop,
all pixels of all images of a group together. That is where I-LVBN tells the two groups apart.

The reference forward computes every image in every loop (``drnn_core/models/recursive.py``), so
that a skipped image has features in loops that it did not run; "skipped" are all images that do
not execute the loop, whether they leave the block here or left it before, as in I-LVBN.

Two groups of a few images differ by chance. So each measurement is repeated with the decisions
shuffled among the images of each batch: differences of that size mean nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from drnn_core.models.network import Network
from drnn_core.models.norm import LoopNorm

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """Of one group of images in one norm.

    Attributes:
        images: how many.
        mean: (C,), NaN without images.
        var: (C,), unbiased as BatchNorm's running variance; NaN of fewer than two values.
    """

    images: int
    mean: Floats
    var: Floats


@dataclass(frozen=True)
class NormStatistics:
    """One norm of a recursive block in one of its loops.

    Attributes:
        block: name, as in the layout.
        norm: name within the body, "norm1" the first.
        loop: 0-based.
        depth: 0-based position of this norm and loop among all, in the order of execution.
        executed, skipped: moments of the images that run the loop, and of the others.
        population: the running statistics by which evaluation normalises this loop; ``images``
            is 0, for nobody counted them.
        shuffled: as ``executed`` and ``skipped``, with decisions dealt out at random.
    """

    block: str
    norm: str
    loop: int
    depth: int
    executed: Moments
    skipped: Moments
    population: Moments
    shuffled: tuple[Moments, Moments]


def norm_statistics(
    network: Network, batches: Iterable[Tensor], seed: int = 0
) -> list[NormStatistics]:
    """Collect the moments while the network classifies.

    The network is run in evaluation mode with hooks on its LoopNorms; mode and hooks are
    afterwards as before.

    Args:
        network: with recursive blocks; without, there is nothing to collect.
        batches: normalised images, (B, 3, H, W) each, on the network's device.
        seed: of the shuffled decisions.

    Returns:
        One entry for each norm and loop of each recursive block, in the order of execution.
    """
    seen: dict[tuple[str, str, int], _ImageMoments] = {}
    groups: dict[tuple[str, str, int], list[_Group]] = {}
    generator = torch.Generator().manual_seed(seed)
    steps = _steps(network)
    was_training = network.training
    with ExitStack() as stack:
        stack.callback(network.train, was_training)
        for name, norm, module in _loop_norms(network):
            handle = module.register_forward_pre_hook(_watch(seen, name, norm), with_kwargs=True)
            stack.callback(handle.remove)
        network.eval()
        for images in batches:
            with torch.inference_mode():
                ran = network(images).trace.ran.cpu()
            order = torch.randperm(len(ran), generator=generator)
            for key, moments in seen.items():
                executed = ran[:, steps[key[0]] + key[2]]
                masks = (executed, ~executed, executed[order], ~executed[order])
                own = groups.setdefault(key, [_Group() for _ in masks])
                for group, mask in zip(own, masks, strict=True):
                    group.add(moments, mask)
            seen.clear()
    return _collected(network, groups)


@dataclass(frozen=True)
class _ImageMoments:
    """(B, C) mean and sum of squared deviations of each image, over its pixels."""

    mean: Tensor
    squares: Tensor
    pixels: int


class _Group:
    """Moments of a growing group: means and squared deviations merge without large sums."""

    def __init__(self) -> None:
        self.images = 0
        self.values = 0
        self.mean: Tensor = torch.zeros(0)
        self.squares: Tensor = torch.zeros(0)

    def add(self, moments: _ImageMoments, mask: Tensor) -> None:
        means = moments.mean[mask]
        count = len(means)
        if not self.values:
            self.mean = torch.zeros(moments.mean.shape[1], dtype=torch.float64)
            self.squares = torch.zeros_like(self.mean)
        if not count:
            return
        mean = means.mean(dim=0)
        spread = ((means - mean) ** 2).sum(dim=0) * moments.pixels
        added = count * moments.pixels
        gap, total = mean - self.mean, self.values + added
        self.squares += moments.squares[mask].sum(dim=0) + spread
        self.squares += gap**2 * (self.values * added / total)
        self.mean += gap * (added / total)
        self.values, self.images = total, self.images + count

    def moments(self) -> Moments:
        nothing = np.full(len(self.mean), np.nan)
        mean = self.mean.numpy() if self.values else nothing
        var = self.squares.numpy() / (self.values - 1) if self.values > 1 else nothing
        return Moments(self.images, mean, var)


def _loop_norms(network: Network) -> list[tuple[str, str, LoopNorm]]:
    """(block, norm, module) of every LoopNorm in a recursive block's body."""
    found: list[tuple[str, str, LoopNorm]] = []
    for name, block in network.recursive_blocks():
        body: Any = block.body
        modules: list[tuple[str, nn.Module]] = list(body.named_modules())
        found += [(name, norm, each) for norm, each in modules if isinstance(each, LoopNorm)]
    return found


def _steps(network: Network) -> dict[str, int]:
    """Name of a block -> its first step in the trace."""
    sizes = [block.loops for block in network.layout]
    starts = np.cumsum([0, *sizes])[: len(sizes)].tolist()
    return {block.name: start for block, start in zip(network.layout, starts, strict=True)}


def _watch(
    seen: dict[tuple[str, str, int], _ImageMoments], block: str, norm: str
) -> Callable[[nn.Module, tuple[Any, ...], dict[str, Any]], None]:
    def hook(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        named = {**dict(zip(("x", "loop", "executed"), args, strict=False)), **kwargs}
        x: Tensor = named["x"].detach().double().flatten(2).cpu()
        mean = x.mean(dim=2)
        squares = ((x - mean[:, :, None]) ** 2).sum(dim=2)
        seen[block, norm, named.get("loop", 0)] = _ImageMoments(mean, squares, x.shape[2])

    return hook


def _collected(
    network: Network, groups: dict[tuple[str, str, int], list[_Group]]
) -> list[NormStatistics]:
    modules: dict[tuple[str, str], LoopNorm] = {
        (name, norm): module for name, norm, module in _loop_norms(network)
    }
    found: list[NormStatistics] = []
    for depth, ((block, norm, loop), parts) in enumerate(groups.items()):
        batch_norm = modules[block, norm].of_loop(loop)
        assert batch_norm.running_mean is not None
        assert batch_norm.running_var is not None
        population = [
            buffer.double().cpu().numpy().copy()
            for buffer in (batch_norm.running_mean, batch_norm.running_var)
        ]
        executed, skipped, *shuffled = [part.moments() for part in parts]
        found.append(
            NormStatistics(
                block,
                norm,
                loop,
                depth,
                executed,
                skipped,
                Moments(0, population[0], population[1]),
                (shuffled[0], shuffled[1]),
            )
        )
    return found
