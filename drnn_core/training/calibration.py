"""The last step of a training: each gate's bias, set so that it opens at its target rate.

The rate loss holds a gate's rate on batches of cropped, padded and mirrored images whose norms
use the batch's own statistics; evaluation shows whole images under the population's. What the
loss holds within a few hundredths can therefore be off by a tenth once evaluated. A gate decides
by a threshold, and moving its bias moves its rate and nothing else of the block, so the threshold
is set as evaluation will use it: on training images, without noise, block by block in network
order (a block's features depend on the gates before it). The test set plays no part.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from drnn_core.data.sets import ImageSet
from drnn_core.data.transforms import Preprocessing
from drnn_core.models.gate import Gate, gate_bias
from drnn_core.models.network import Network
from drnn_core.models.recursive import RecursiveBlock

# Halvings of the interval in which a bias is sought; the rate moves in steps of one image.
_HALVINGS = 14


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
    # A gate is shared by its loops: closing it a little changes who asks the later loops too.
    # The mean rate need not be monotone in the bias, so the best of all tries is kept.
    low, high = start - 10.0, start + 10.0
    best, best_distance = start, abs(_mean_rate(block, features) - target)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        bias.fill_(middle)
        rate = _mean_rate(block, features)
        if abs(rate - target) < best_distance:
            best, best_distance = middle, abs(rate - target)
        low, high = (middle, high) if rate < target else (low, middle)
    bias.fill_(best)
    return best - start


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
