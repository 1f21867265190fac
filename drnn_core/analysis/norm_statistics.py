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
shuffled among the images of each batch: differences of that size mean nothing. How sure a
measurement is, the scatter of its parts says (``drnn_core/analysis/moments.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from drnn_core.analysis.moments import Moments, NormStatistics, Parts
from drnn_core.models.modes import in_mode
from drnn_core.models.network import Network
from drnn_core.models.norm import LoopNorm

PARTS = 10
Computing = Callable[[], AbstractContextManager[object]]


class _Place(NamedTuple):
    """A norm of a block in a loop."""

    block: str
    norm: str
    loop: int


def norm_statistics(
    network: Network,
    batches: Iterable[Tensor],
    seed: int = 0,
    parts: int = PARTS,
    computing: Computing = nullcontext,
) -> list[NormStatistics]:
    """Collect the moments while the network classifies.

    The network is run in evaluation mode with hooks on its LoopNorms; modes and hooks are
    afterwards as before.

    Args:
        network: with recursive blocks; without, there is nothing to collect.
        batches: normalised images, (B, 3, H, W) each, on the network's device.
        seed: of the shuffled decisions.
        parts: into which the images are dealt out one by one, so that neighbours, which may be
            of one class, fall into different ones.
        computing: a context in which the network computes a batch.

    Returns:
        One entry for each norm and loop of each recursive block, in the order of execution.
    """
    seen: dict[_Place, _ImageMoments] = {}
    groups: dict[_Place, _Groups] = {}
    generator = torch.Generator().manual_seed(seed)
    steps = _steps(network)
    images = 0
    with ExitStack() as stack:
        stack.enter_context(in_mode(network, training=False))
        for name, norm, module in _loop_norms(network):
            handle = module.register_forward_pre_hook(_watch(seen, name, norm), with_kwargs=True)
            stack.callback(handle.remove)
        for batch in batches:
            with computing(), torch.inference_mode():
                ran = network(batch).trace.ran.cpu()
            order = torch.randperm(len(ran), generator=generator)
            dealt = torch.arange(images, images + len(ran)) % parts == torch.arange(parts)[:, None]
            for place, moments in seen.items():
                executed = ran[:, steps[place.block] + place.loop]
                masks = (executed, ~executed, executed[order], ~executed[order])
                rows = [dealt & mask for mask in masks[:2]] + [mask[None] for mask in masks[2:]]
                groups.setdefault(place, _Groups()).add(moments, torch.cat(rows).double())
            seen.clear()
            images += len(ran)
    modules = {(name, norm): module for name, norm, module in _loop_norms(network)}
    return [
        _collected(place, depth, modules[place.block, place.norm], found, parts)
        for depth, (place, found) in enumerate(groups.items())
    ]


def has_loop_norms(network: Network) -> bool:
    """Whether there is anything to collect: a recursive block with a LoopNorm."""
    return bool(_loop_norms(network))


@dataclass(frozen=True)
class _ImageMoments:
    """(B, C) mean and sum of squared deviations of each image, over its pixels."""

    mean: Tensor
    squares: Tensor
    pixels: int


class _Groups:
    """Moments of G growing groups: means and squared deviations merge without large sums.

    Attributes:
        images: (G,) in each.
        mean, squares: (G, C), squares around the mean, summed over images and pixels.
        pixels: of an image.
    """

    def __init__(self) -> None:
        self.pixels = 0
        self.images: Tensor = torch.zeros(0)
        self.mean: Tensor = torch.zeros(0)
        self.squares: Tensor = torch.zeros(0)

    def add(self, batch: _ImageMoments, member: Tensor) -> None:
        """Add images; ``member`` is (G, B), 1 where an image is in a group and 0 where not."""
        if not self.pixels:
            self.pixels = batch.pixels
            self.images = torch.zeros(len(member), dtype=torch.float64)
            self.mean = torch.zeros(len(member), batch.mean.shape[1], dtype=torch.float64)
            self.squares = torch.zeros_like(self.mean)
        count = member.sum(dim=1)
        centre = batch.mean.mean(dim=0)
        gaps = batch.mean - centre
        shift = member @ gaps / count.clamp(min=1)[:, None]
        spread = member @ gaps**2 - count[:, None] * shift**2
        total = (self.images + count).clamp(min=1)
        gap = centre + shift - self.mean
        between = gap**2 * (self.images * count / total)[:, None]
        self.squares += member @ batch.squares + (spread + between) * self.pixels
        self.mean += gap * (count / total)[:, None]
        self.images += count

    def parts(self, first: int, last: int) -> Parts:
        """Groups ``first`` to ``last`` (exclusive) as parts of one."""
        images, there = self.images[first:last], slice(first, last)
        values = (images * self.pixels)[:, None]
        nothing = torch.tensor(float("nan"), dtype=torch.float64)
        mean = torch.where(values > 0, self.mean[there], nothing)
        var = torch.where(values > 1, self.squares[there] / (values - 1).clamp(min=1), nothing)
        return Parts(images.long().numpy(), mean.numpy(), var.numpy(), self.pixels)


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
    seen: dict[_Place, _ImageMoments], block: str, norm: str
) -> Callable[[nn.Module, tuple[Any, ...], dict[str, Any]], None]:
    def hook(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        named = {**dict(zip(("x", "loop", "executed"), args, strict=False)), **kwargs}
        x: Tensor = named["x"].detach().float().flatten(2)
        # Welford's way, so float32 is exact enough within an image.
        var, mean = torch.var_mean(x, dim=2, correction=0)
        squares = var.double().cpu() * x.shape[2]
        place = _Place(block, norm, named.get("loop", 0))
        seen[place] = _ImageMoments(mean.double().cpu(), squares, x.shape[2])

    return hook


def _collected(
    place: _Place, depth: int, module: LoopNorm, found: _Groups, parts: int
) -> NormStatistics:
    batch_norm = module.of_loop(place.loop)
    assert batch_norm.running_mean is not None
    assert batch_norm.running_var is not None
    mean, var = (
        buffer.double().cpu().numpy().copy()
        for buffer in (batch_norm.running_mean, batch_norm.running_var)
    )
    ran, rest = (found.parts(2 * parts + group, 2 * parts + group + 1) for group in (0, 1))
    return NormStatistics(
        *place,
        kind=module.kind,
        depth=depth,
        executed_parts=found.parts(0, parts),
        skipped_parts=found.parts(parts, 2 * parts),
        population=Moments(0, mean, var),
        shuffled=(ran.merged(), rest.merged()),
    )
