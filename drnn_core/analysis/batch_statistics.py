"""The population statistics of recursive blocks against those of batches (paper, section 3).

Training normalises a loop by the statistics of the batch in this very loop; evaluation by running
statistics, which with naive recursion are one set for all loops. Here a network is evaluated with
the batch's statistics in its recursive blocks, as training has them, everything else as in
evaluation (gates without noise, other norms by their running statistics). What the error gains by
it is what the running statistics cost, and each loop's batch statistics say where they are wrong.

``drnn_core/analysis/norm_bias.py`` asks another question: whether the running statistics are those
of the features that evaluation itself computes with them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.func import functional_call  # pyright: ignore[reportUnknownVariableType]

from drnn_core.analysis.moments import channel_mean
from drnn_core.analysis.sampling import spread_sample
from drnn_core.data.sets import ImageSet, LazySet
from drnn_core.evaluation import Forward
from drnn_core.models.modes import in_mode
from drnn_core.models.network import Network
from drnn_core.models.norm import LoopNorm
from drnn_core.trace import Output

PLACE = ("block", "norm", "loop")
BIASES = ("mean_bias", "variance_bias", "variance_shift")


def batch_normalised(network: Network) -> Forward:
    """A forward for ``evaluation.outputs`` that normalises recursive blocks by the batch.

    A norm of the kind "ilvbn" takes the two groups apart, as in training. The network is left as it
    is, running statistics included. Images of a batch have to be of mixed classes, see ``mixed``.
    """

    def forward(images: Tensor) -> Output:
        with _by_batch(network):
            buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
            return functional_call(network, buffers, (images,))

    return forward


def batch_statistics(network: Network, batches: Iterable[Tensor]) -> pd.DataFrame:
    """Each norm and loop of a recursive block: its running statistics against the batches'.

    Columns: ``block``, ``norm``, ``loop`` (0-based); means over channels of

    - ``mean_bias``: |running mean - batches' mean|, in running standard deviations;
    - ``variance_bias``: |ln(running variance / batches' variance)|;
    - ``variance_shift``: the same with its sign: positive where the running variance is too large.

    Batches' moments are those by which training would normalise and which it would count into the
    running statistics (of the executed images for I-LVBN), averaged over the batches.

    Args:
        network: whose mode and running statistics are left as they are.
        batches: normalised images of mixed classes, (B, 3, H, W), on the network's device.
    """
    found: dict[_Place, _Sums] = {}
    norms = {
        (name, path): norm
        for name, block in network.recursive_blocks()
        for path, norm in _loop_norms(block.body)
    }
    handles = [
        norm.register_forward_pre_hook(_watch(found, *place), with_kwargs=True)
        for place, norm in norms.items()
    ]
    forward = batch_normalised(network)
    try:
        for images in batches:
            with torch.inference_mode():
                forward(images)
    finally:
        for handle in handles:
            handle.remove()
    rows = [
        [*place, *_biases(norms[place.block, place.norm].of_loop(place.loop), sums)]
        for place, sums in found.items()
    ]
    return pd.DataFrame(rows, columns=[*PLACE, *BIASES])


def mixed(images: ImageSet, limit: int = 0, seed: int = 0) -> LazySet:
    """The same images in random order: batches of a folder in the order of its classes are odd.

    Args:
        images: of any source.
        limit: so many of them, at even distances; 0 for all.
        seed: of the order.
    """
    keep = spread_sample(len(images), limit or None)
    order = np.random.default_rng(seed).permutation(keep)
    return LazySet(
        images.name,
        images.classes,
        [images.ids[int(place)] for place in order],
        images.labels[order],
        images.fingerprint,
        lambda place: images.arrays([int(order[place])])[0],
    )


class _Place(NamedTuple):
    block: str
    norm: str
    loop: int


class _Sums:
    """(C,) float64 sums of batches' means and variances, on the device."""

    def __init__(self, channels: int, device: torch.device) -> None:
        self.batches = 0
        self.mean = torch.zeros(channels, dtype=torch.float64, device=device)
        self.var = torch.zeros_like(self.mean)

    def add(self, x: Tensor) -> None:
        """Count in (B, C, H, W), where it has a variance."""
        if x.numel() > x.shape[1]:
            var, mean = torch.var_mean(x.float(), dim=(0, 2, 3))
            self.mean += mean.double()
            self.var += var.double()
            self.batches += 1


def _watch(
    found: dict[_Place, _Sums], block: str, name: str
) -> Callable[[nn.Module, tuple[Any, ...], dict[str, Any]], None]:
    def hook(norm: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        assert isinstance(norm, LoopNorm)
        named = {**dict(zip(("x", "loop", "executed"), args, strict=False)), **kwargs}
        x: Tensor = named["x"].detach()
        executed: int | None = named.get("executed")
        if executed is not None and norm.kind in ("ilvbn", "ilvbn_joint"):
            x = x[:executed]
        place = _Place(block, name, named.get("loop", 0))
        if place not in found:
            found[place] = _Sums(x.shape[1], x.device)
        found[place].add(x)

    return hook


def _biases(norm: nn.BatchNorm2d, sums: _Sums) -> tuple[float, float, float]:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    if not sums.batches:
        return np.nan, np.nan, np.nan
    mean, var = ((each / sums.batches).cpu().numpy() for each in (sums.mean, sums.var))
    running_mean, running_var = (
        each.double().cpu().numpy() for each in (norm.running_mean, norm.running_var)
    )
    variance = np.where(running_var > 0, running_var, np.nan)
    ratio = np.log(variance / np.where(var > 0, var, np.nan))
    gap = np.abs(running_mean - mean) / np.sqrt(variance)
    return float(channel_mean(gap)), float(channel_mean(np.abs(ratio))), float(channel_mean(ratio))


def _loop_norms(body: Any) -> list[tuple[str, LoopNorm]]:
    modules: list[tuple[str, nn.Module]] = list(body.named_modules())
    return [(name, each) for name, each in modules if isinstance(each, LoopNorm)]


@contextmanager
def _by_batch(network: Network) -> Generator[None]:
    """Recursive blocks tell executed images apart, and their norms normalise, as in training."""
    blocks = [block for _, block in network.recursive_blocks()]
    norms = [norm for block in blocks for _, norm in _loop_norms(block.body)]
    shapes = [(block, block.fixed_shapes) for block in blocks]
    try:
        with in_mode(network, training=False):
            for block in blocks:
                block.training, block.fixed_shapes = True, False
            for norm in norms:
                norm.train()
            yield
    finally:
        for block, fixed_shapes in shapes:
            block.fixed_shapes = fixed_shapes
