"""A network compiled for inference: folded, packed, and skipping what its images do not run."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from drnn_core.inference.skipping.building import Asks, Pieces, Segment, build
from drnn_core.inference.skipping.cutting import NotAChainError
from drnn_core.inference.skipping.finite import NotFiniteError, check_finite_weights
from drnn_core.inference.skipping.lowering import Target
from drnn_core.inference.skipping.path import Path, Steps, overruling
from drnn_core.layout import BlockLayout
from drnn_core.models.modes import in_mode
from drnn_core.models.network import Network
from drnn_core.recipes import NetworkRecipe
from drnn_core.trace import Output

# Just below the size, 32 MiB, from which on glibc takes every tensor from the system.
_KEPT = 31 << 20


class InferenceNetwork:
    """A frozen network: a function of images, with weights of its own, in evaluation mode.

    It keeps nothing between calls, so threads may share it. What becomes of the network that it was
    compiled from does not reach it.

    Args:
        network: that it was compiled from.
        pieces: its parts.
        steps: of its traces.
        target: what it was compiled for.

    Attributes:
        recipe, num_classes, layout: as the network's.
        device: where its weights are, and the images must be.
        dtype: of features and weights; logits and decisions are always float32.
    """

    def __init__(self, network: Network, pieces: Pieces, steps: Steps, target: Target) -> None:
        self.recipe: NetworkRecipe = network.recipe
        self.num_classes = network.num_classes
        self.layout: tuple[BlockLayout, ...] = network.layout
        self.device = steps.device
        self.dtype = target.dtype
        self._pieces = pieces
        self._steps = steps

    def __call__(self, x: Tensor, decisions: Tensor | None = None) -> Output:
        """Classify, see ``forward``."""
        return self.forward(x, decisions)

    def forward(self, x: Tensor, decisions: Tensor | None = None) -> Output:
        """Classify normalised images (B, 3, H, W), which are left as they are.

        Args:
            x: the images; finite, since the fused operators do not hand NaN on.
            decisions: (B, S) bool, for measurements: which loops to run. The gates are asked and
                cost what they cost, but what they say is not heeded; the trace says ``decisions``.

        Returns:
            Logits (B, classes) and the trace, as the network's own forward in evaluation.

        Raises:
            ValueError: ``decisions`` is not of the shape (B, S).
        """
        batch, count = x.shape[0], self._steps.count
        if decisions is not None and decisions.shape != (batch, count):
            raise ValueError(
                f"expected decisions of shape {(batch, count)}, images by steps, "
                f"got {tuple(decisions.shape)}"
            )
        with torch.inference_mode():
            x = x.to(self.dtype, memory_format=torch.channels_last)
            told = None if decisions is None else overruling(decisions.cpu().numpy())
            if batch == 1:
                return self._one(x, told)
            return self._many(x, told)

    def _one(self, x: Tensor, told: list[list[float]] | None) -> Output:
        said: list[float] = []
        overruled = None if told is None else [logits[0] for logits in told]
        for segment in self._pieces.segments:
            for block in segment.blocks:
                x = block.one(x, said, overruled)
        logits = self._pieces.classify(x)
        return Output(logits, self._steps.trace(np.asarray(said, dtype=np.float32)[:, None]))

    def _many(self, x: Tensor, told: list[list[float]] | None) -> Output:
        batch = len(x)
        path = Path(list(range(batch)), told, [])
        if batch:
            x = self._pieces.classify(_run(self._pieces.segments, x, path))
            logits = torch.empty_like(x)
            logits[torch.tensor(path.who, device=self.device)] = x
        else:
            logits = x.new_zeros((0, self.num_classes), dtype=torch.float32)
        return Output(logits, self._steps.trace(self._steps.logits(batch, path.notes)))


def _run(segments: Sequence[Segment], x: Tensor, path: Path) -> Tensor:
    """Segments one inside of the other, each with so many images at a time as it can hold.

    The last segment holds the most images. It takes its share, and the segments before it work on
    the share in smaller ones: no features of the whole batch are ever laid down between them.
    """
    *before, last = segments
    batch = len(x)
    parts = -(-batch // last.images)
    bounds = [batch * part // parts for part in range(parts + 1)]
    done: list[Tensor] = []
    for start, stop in pairwise(bounds):
        piece, its_path = (x, path) if parts == 1 else (x[start:stop], path.part(start, stop))
        if before:
            piece = _run(before, piece, its_path)
        for block in last.blocks:
            piece = block.many(piece, its_path)
        done.append(piece)
        path.who[start:stop] = its_path.who
    return done[0] if parts == 1 else torch.cat(done)


def compile_for_inference(
    network: Network, image_size: int | None = None, dtype: torch.dtype = torch.float32
) -> InferenceNetwork:
    """A network that computes what its images run, and nothing else.

    It takes the decisions of the reference forward in evaluation, whose logits it meets to rounding
    (1e-4 of their size in float32): BatchNorms are folded into the convolutions, every loop's into
    a copy of its own.

    Args:
        network: is left as it is; what happens to it later does not reach the copy.
        image_size: height and width that it is packed for, by default the recipe's; others work.
        dtype: of features and weights. ``torch.bfloat16`` is meant for GPUs and for processors
            with instructions for it, see docs/engine.md; decisions stay in float32.

    Raises:
        NotAChainError: branches lead around its recursive blocks, see ``fast_forward``.
        NotFiniteError: some of its weights are not finite, see there.
        TypeError: it is of a kind that is not known here.
    """
    return _compile(network, "each image", image_size, Target(dtype))


def fast_forward(network: Network, image_size: int | None = None) -> Callable[[Tensor], Output]:
    """The fastest function there is of normalised images that computes what the network does.

    The network compiled for inference; the network itself where it cannot be compiled, because
    branches lead around its recursive blocks or a training that diverged left weights that are
    not finite.
    """
    try:
        return compile_for_inference(network, image_size)
    except (NotAChainError, NotFiniteError):
        return network


def static_execution(
    network: Network, image_size: int | None = None, dtype: torch.dtype = torch.float32
) -> InferenceNetwork:
    """The same network in the same form, with every loop run for every image and no gate asked.

    Args: as of ``compile_for_inference``.
    """
    return _compile(network, "nobody", image_size, Target(dtype))


def masked_execution(
    network: Network, image_size: int | None = None, dtype: torch.dtype = torch.float32
) -> InferenceNetwork:
    """The same network in the same form, with every loop computed and selected by the gates.

    Args: as of ``compile_for_inference``.
    """
    return _compile(network, "and selects", image_size, Target(dtype))


def _compile(
    network: Network, asks: Asks, image_size: int | None, target: Target
) -> InferenceNetwork:
    check_finite_weights(network)
    if next(network.parameters()).dtype != torch.float32:
        network = copy.deepcopy(network).float()  # is folded in float32, whatever it ends in
    _keep_freed_memory()
    device = next(network.parameters()).device
    blocks = [block for _, block in network.recursive_blocks()]
    steps = Steps(blocks, asks != "nobody", device)
    with in_mode(network, training=False):
        pieces = build(network, asks, image_size or network.recipe.image_size, target)
    return InferenceNetwork(network, pieces, steps, target)


def _keep_freed_memory() -> None:
    """Let the C library keep the features' memory for the next features.

    glibc gives freed memory back to the system, to fetch it again page by page a moment later: 6 %
    of the time of a CIFAR network at batch 64. Once it has seen so large a tensor come and go, it
    keeps as much.
    """
    torch.empty(_KEPT, dtype=torch.uint8)
