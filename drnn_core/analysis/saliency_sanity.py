"""Whether an attribution method looks at the network: its maps against those of random weights.

Adebayo et al., "Sanity Checks for Saliency Maps" (2018): a map that explains a trained network
has to change when the weights do. A method that draws nearly the same map for random weights
shows the picture's edges, not what the network has learned.

The weights are given up from the classifier down to the stem (*cascading*): first the classifier
is as before training, then the last stage too, and at the end everything. The maps of every such
network are compared with the trained one's, image by image, as ``map_similarity.py`` does.

What the caller hands in (``explain``) holds the gates' decisions at the trained network's: a
random gate would take another path, and the maps would differ for that reason alone.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from drnn_core.analysis.bootstrap import Estimate, mean_estimate
from drnn_core.analysis.map_similarity import Maps, rank_similarity, structural_similarity

if TYPE_CHECKING:  # who only looks at the results needs no torch
    from torch import nn

    from drnn_core.models.network import Network

Floats = NDArray[np.float64]
Explain: TypeAlias = "Callable[[Network], Maps]"
Verdict = Literal["depends on the weights", "ignores the weights", "unclear"]

# A convention of ours, the source gives none: maps of random weights that agree with the trained
# network's in more than half of the way from no relation to the same order of pixels.
LIKE = 0.5

# Modules whose children are the network's stages; of all others the whole is one part.
_CONTAINERS = ("stages", "body")


@dataclass(frozen=True)
class SanityLevel:
    """How like the trained network's maps those of a partly random one are.

    Attributes:
        part: what became random at this level; everything after it is random already. "" of the
            first level: the trained network.
        rank, ssim: mean over images, 1 is the same map; NaN where no map has any evidence.
        maps: (B, H, W) of the first draw.
    """

    part: str
    rank: Estimate
    ssim: Estimate
    maps: Maps


@dataclass(frozen=True)
class SanityCheck:
    """The levels from the trained network to one that is random throughout.

    Attributes:
        levels: the trained network first.
        strangers: ``rank`` of each image's map and the next image's, both of the trained
            network: what maps have in common that are not of one image.
        draws: of random weights, averaged for each image.
    """

    levels: tuple[SanityLevel, ...]
    strangers: Estimate
    draws: int

    @property
    def verdict(self) -> Verdict:
        """By the interval of ``rank`` with all weights random, against ``LIKE``."""
        found = self.levels[-1].rank
        if found.low > LIKE:
            return "ignores the weights"
        return "depends on the weights" if found.high < LIKE else "unclear"


def sanity_check(
    network: Network,
    explain: Explain,
    draws: int = 3,
    seed: int = 0,
    levels: Literal["cascade", "whole"] = "cascade",
    progress: Callable[[int, int], None] | None = None,
) -> SanityCheck:
    """Compare a method's maps for a trained network with those for random weights.

    Args:
        network: in evaluation mode; copied, not changed.
        explain: network -> evidence (B, H, W) of the same B images for the same classes on the
            same path, such as ``attribute`` of the frozen network.
        draws: of random weights.
        seed: of the draws.
        levels: "cascade" makes the parts random one after another, "whole" all at once.
        progress: called with (done, total) calls of ``explain``.

    Raises:
        ValueError: fewer than one draw, or maps of other shapes than (B, H, W) with B of 2 or more.
    """
    import torch

    if draws < 1:
        raise ValueError(f"expected at least 1 draw of random weights, got {draws}")
    parts = weight_parts(network)
    steps = [[part] for part in parts] if levels == "cascade" else [parts]
    total, done = 1 + draws * len(steps), 0

    def explained(of: Network) -> Maps:
        nonlocal done
        maps = explain(of)
        done += 1
        if progress:
            progress(done, total)
        return maps

    trained = explained(network)
    if trained.ndim != 3 or len(trained) < 2:
        raise ValueError(f"expected maps (B, H, W) of at least 2 images, got {trained.shape}")
    found: list[list[Maps]] = [[] for _ in steps]
    for draw in range(draws):
        random = copy.deepcopy(network)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed((seed << 16) + draw)
            for place, step in enumerate(steps):
                for part in step:
                    randomise(random, part)
                found[place].append(explained(random))
    names = ["", *(step[-1] if levels == "cascade" else "all" for step in steps)]
    compared = [
        _level(n, trained, maps) for n, maps in zip(names, [[trained], *found], strict=True)
    ]
    strangers = mean_estimate(_known(rank_similarity(trained, np.roll(trained, 1, axis=0))))
    return SanityCheck(tuple(compared), strangers, draws)


def weight_parts(network: nn.Module) -> list[str]:
    """Paths of the network's parts with weights, from the output to the input.

    Weights that belong to no part, such as those of the network itself, are left out.
    """
    from drnn_core.models.recursify.shapes import modules_of

    parts: dict[str, None] = {}
    for path, module in modules_of(network):
        steps = path.split(".")
        if next(module.parameters(recurse=False), None) is None or path in ("", *_CONTAINERS):
            continue
        parts[".".join(steps[: 2 if steps[0] in _CONTAINERS else 1])] = None
    return list(reversed(parts))


def randomise(network: nn.Module, part: str) -> None:
    """Give a part of a network weights and statistics as before training, in place.

    Convolutions are drawn as He et al. do, every other module as PyTorch initialises it; weights
    of no such module are shuffled. Chance is PyTorch's.
    """
    import torch
    from torch import nn

    with torch.no_grad():
        for module in network.get_submodule(part).modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif callable(reset := getattr(module, "reset_parameters", None)):
                reset()
            else:
                for weight in module.parameters(recurse=False):
                    weight.copy_(weight.flatten()[torch.randperm(weight.numel())].view_as(weight))


def _level(part: str, trained: Maps, draws: Sequence[Maps]) -> SanityLevel:
    def mean(similarity: Callable[[Maps, Maps], Floats]) -> Estimate:
        values = np.stack([similarity(trained, maps) for maps in draws])
        known = ~np.isnan(values)
        count, total = known.sum(axis=0), np.where(known, values, 0).sum(axis=0)
        none = np.full(len(trained), math.nan)
        return mean_estimate(_known(np.divide(total, count, out=none, where=count > 0)))

    return SanityLevel(part, mean(rank_similarity), mean(structural_similarity), draws[0])


def _known(values: Floats) -> Floats:
    return values[~np.isnan(values)]
