"""The last step of a training: each gate's bias, set so that it opens at its target rate.

The rate loss holds a gate's rate on batches of cropped, padded and mirrored images whose norms
use the batch's own statistics; evaluation shows whole images under the population's. What the
loss holds within a few hundredths can therefore be off by a tenth once evaluated. A gate decides
by a threshold, and moving its bias moves its rate and nothing else of the block, so the threshold
is set as evaluation will use it: on training images, without noise, block by block in network
order (a block's features depend on the gates before it). The test set plays no part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from drnn_core.data.sets import ImageSet
from drnn_core.data.transforms import Preprocessing
from drnn_core.models.gate import Gate, gate_bias
from drnn_core.models.network import Network
from drnn_core.models.recursive import RecursiveBlock

# Shares of the images for which the first loop opens, of the biases that are tried first.
_SHARES = (0.3, 0.995)
_TRIED = 24
# Halvings of the interval in which the rate crosses the target; it moves in steps of one image.
_HALVINGS = 10


def calibrate_gates(
    network: Network,
    images: ImageSet,
    preprocessing: Preprocessing,
    target: float,
    most: int = 2000,
) -> list[float]:
    """Shift each gate's bias until its mean opening rate over its loops is the target.

    Args:
        network: its gates' biases are changed; its mode is restored.
        images: training images; ``most`` of them, at even distances, are used.
        preprocessing: of the network.
        target: t, the conditional opening rate.
        most: images to calibrate on.

    Returns:
        The shift of each gated block, in logits, in network order.
    """
    chosen = torch.linspace(0, len(images) - 1, min(most, len(images))).long()
    pixels = images.images(chosen)
    was_training = network.training
    network.eval()
    shifts = [
        _calibrate(network, block, gate, preprocessing, pixels, target)
        for _, block in network.recursive_blocks()
        if (gate := block.gate) is not None
    ]
    network.train(was_training)
    return shifts


def _calibrate(
    network: Network,
    block: RecursiveBlock,
    gate: Gate,
    preprocessing: Preprocessing,
    pixels: Tensor,
    target: float,
) -> float:
    features = _inputs_of(network, block, preprocessing, pixels)
    bias = gate_bias(gate)
    start = float(bias)

    def rate(at: float) -> float:
        bias.fill_(at)
        return _mean_rate(block, features)

    best = closest(rate, [start, *_candidates(gate, features, start)], target)
    bias.fill_(best)
    return best - start


def closest(rate: Callable[[float], float], tried: Sequence[float], target: float) -> float:
    """Where ``rate`` comes closest to ``target``, as far as a search finds it.

    A gate is shared by its loops: closing it a little changes who asks the later loops too, so the
    mean rate need not be monotone in the bias, and may cross the target more than once. Between
    the two neighbours of ``tried`` where it crosses least steeply, the interval is halved.

    Args:
        rate: of a bias.
        tried: biases to begin with, in any order.
        target: t.
    """
    known = {at: rate(at) for at in tried}
    pairs = list(pairwise(sorted(known)))
    crossing = [(a, b) for a, b in pairs if (known[a] < target) != (known[b] < target)]
    if crossing:
        low, high = min(crossing, key=lambda pair: abs(known[pair[0]] - known[pair[1]]))
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            known[middle] = rate(middle)
            same_side = (known[middle] < target) == (known[low] < target)
            low, high = (middle, high) if same_side else (low, middle)
    return min(known, key=lambda at: abs(known[at] - target))


def _candidates(gate: Gate, features: list[Tensor], start: float) -> list[float]:
    """Biases that open the first loop for even shares of the images, from few to nearly all."""
    with torch.inference_mode():
        logits = torch.cat([gate.logits(part) for part in features])
    shares = torch.linspace(*_SHARES, _TRIED, device=logits.device)
    return cast("list[float]", (start - torch.quantile(logits, 1 - shares)).tolist())


def _inputs_of(
    network: Network, block: RecursiveBlock, preprocessing: Preprocessing, pixels: Tensor
) -> list[Tensor]:
    """Features (B, C, H, W) that reach a block, batch by batch."""
    found: list[Tensor] = []

    def keep(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        found.append(inputs[0])

    handle = block.register_forward_pre_hook(keep)
    device = next(network.parameters()).device
    try:
        with torch.inference_mode():
            for part in torch.split(pixels, 250):
                network(preprocessing.normalise(part.to(device)))
    finally:
        handle.remove()
    return found


def _mean_rate(block: RecursiveBlock, features: list[Tensor]) -> float:
    """Mean over the block's gated loops of the opening rate among the images that asked."""
    opened = torch.zeros(block.loops, dtype=torch.int64)
    asked = torch.zeros(block.loops, dtype=torch.int64)
    with torch.inference_mode():
        for part in features:
            trace = block(part).trace
            opened += (trace.ran & trace.asked).sum(dim=0).cpu()
            asked += trace.asked.sum(dim=0).cpu()
    rates = opened.double() / asked.double()
    return float(rates.nanmean())
