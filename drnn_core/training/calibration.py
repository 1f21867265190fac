"""The last step of a training: each gate's bias, set so that it opens at its target rate.

A training that cuts its batches (``batch_cut.py``) takes it at every epoch's end, too: its gates
have no other threshold. The last time it also divides their logits by the unit of training.

The rate loss holds a gate's rate on batches of cropped, padded and mirrored images whose norms
use the batch's own statistics; evaluation shows whole images under the population's. What the
loss holds within a few hundredths can therefore be off by a tenth once evaluated. A gate decides
by a threshold, and moving its bias moves its rate and nothing else of the block, so the threshold
is set as evaluation will use it: on training images, without noise, block by block in network
order (a block's features depend on the gates before it). The test set plays no part.

What an image is before loop k does not depend on this block's gate, only whether it gets there
does. So one pass with the gate held open gives the logits z_1 .. z_l of every image, and with them
the rate at every bias: at a shift s the image executes loop k where min(z_1 .. z_k) + s > 0.

A gate whose hidden units are all off for many images gives these one logit and cannot divide them.
What it misses of the target, the later gates make up, so that the mean rate, and with it the cost,
is the target's.

Where the rate loss holds the network's rate and leaves each gate free (``network``), setting each
gate to the target would undo what they learned. There one shift for all gates is looked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn

from drnn_core.data.sets import ImageSet
from drnn_core.data.transforms import Preprocessing
from drnn_core.models.gate import Gate, gate_bias, gate_head, logit_unit
from drnn_core.models.modes import in_mode
from drnn_core.models.network import Network
from drnn_core.models.recursive import RecursiveBlock

_BATCH = 250
# Thresholds that are compared, and how many on either side of one must hold the target as well.
_TRIED = 2001
_AROUND = 20
# Of one shift for all: how close the rate must come, in how many passes, and the widest shift.
_CLOSE = 1e-3
_PASSES = 24
_WIDEST = 64.0


def calibrate_gates(
    network: Network,
    images: ImageSet,
    preprocessing: Preprocessing,
    target: float,
    most: int = 10_000,
    unit: bool = False,
) -> list[float]:
    """Shift each gate's bias until its mean opening rate over its loops is the target.

    Args:
        network: its gates' biases are changed; its modules' modes are restored.
        images: training images; ``most`` of them, at even distances, are used.
        preprocessing: of the network.
        target: t, the conditional opening rate.
        most: images to calibrate on. A rate of .7 is known to .005 from 10,000.
        unit: first divide each gate's logits by their unit at its first loop, by which training
            divided them where it cut its batches: chances become those of training, no decision
            changes, and a flat gate stays flat.

    Returns:
        The shift of each gated block, in logits, in network order.
    """
    pixels = images.images(_chosen(images, most))
    shifts: list[float] = []
    owed = 0.0  # rates of single loops, summed: what the gates so far are below the target
    with in_mode(network, training=False):
        for _, block in network.recursive_blocks():
            if (gate := block.gate) is None:
                continue
            logits = _logits(network, block, gate, preprocessing, pixels)
            if unit:
                logits = logits / _made_unit(gate, logits[:, 0])
            loops = logits.shape[1]
            lowest, highest = target / 2, (1 + target) / 2
            shift = best_shift(logits, min(max(target + owed / loops, lowest), highest))
            owed += loops * (target - rate_at(logits, shift))
            gate_bias(gate).add_(shift)
            shifts.append(shift)
    return shifts


def calibrate_together(
    network: Network,
    images: ImageSet,
    preprocessing: Preprocessing,
    target: float,
    most: int = 10_000,
) -> float:
    """Shift all gates' biases by one value, until their mean opening rate is the target.

    Each try is a pass over the images, since a gate's shift changes what the later ones see. The
    closest try is kept; where no shift comes near, as with gates of one logit for all, that is far.

    Args:
        network, images, preprocessing, target, most: as of ``calibrate_gates``.

    Returns:
        The shift in logits; 0 without gates.
    """
    gates = [block.gate for _, block in network.recursive_blocks() if block.gate is not None]
    if not gates:
        return 0.0
    biases = [gate_bias(gate) for gate in gates]
    before = [bias.clone() for bias in biases]
    pixels = images.images(_chosen(images, most))

    def shift_all(shift: float) -> None:
        for bias, value in zip(biases, before, strict=True):
            bias.copy_(value + shift)

    def miss(shift: float) -> float:
        shift_all(shift)
        return network_rate(network, preprocessing, pixels) - target

    with in_mode(network, training=False):
        shift = closest_to_zero(miss)
    shift_all(shift)
    return shift


def closest_to_zero(miss: Callable[[float], float]) -> float:
    """Where a rising function comes closest to 0 of all that was tried, 0 first.

    The function is bracketed by widening, then narrowed by interpolation, held off the ends. It
    may have jumps and need not rise everywhere.
    """
    tried = {0.0: miss(0.0)}
    low = high = 0.0
    step = 0.25
    while tried[low] > _CLOSE and step <= _WIDEST:
        high, low, step = low, -step, 2 * step
        tried[low] = miss(low)
    step = 0.25
    while tried[high] < -_CLOSE and step <= _WIDEST:
        low, high, step = high, step, 2 * step
        tried[high] = miss(high)
    while len(tried) < _PASSES and min(map(abs, tried.values())) > _CLOSE:
        if tried[low] >= 0 or tried[high] <= 0:
            break
        share = -tried[low] / (tried[high] - tried[low])
        middle = low + min(max(share, 0.2), 0.8) * (high - low)
        tried[middle] = miss(middle)
        low, high = (middle, high) if tried[middle] < 0 else (low, middle)
    return min(tried, key=lambda shift: abs(tried[shift]))


def network_rate(network: Network, preprocessing: Preprocessing, pixels: Tensor) -> float:
    """Mean over gates and loops of the opening rate among the images that asked, as evaluated.

    Args:
        network: in evaluation mode.
        pixels: (N, 3, H, W) uint8.
    """
    device = next(network.parameters()).device
    with torch.inference_mode():
        traces = [
            network(preprocessing.normalise(part.to(device))).trace
            for part in torch.split(pixels, _BATCH)
        ]
    asked = torch.cat([trace.asked for trace in traces])
    opened = torch.cat([trace.ran for trace in traces]) & asked
    return float((opened.sum(dim=0).double() / asked.sum(dim=0)).nanmean())


def _made_unit(gate: Gate, logits: Tensor) -> float:
    """Divide a gate's logits by the unit that training told them apart in, which is returned."""
    scale = float(logit_unit(logits))
    head = gate_head(gate)
    for value in (head.weight.detach(), head.bias.detach()):
        value.div_(scale)
    return scale


def _chosen(images: ImageSet, most: int) -> Tensor:
    """Rows at even distances."""
    return torch.linspace(0, len(images) - 1, min(most, len(images))).long()


def best_shift(logits: Tensor, target: float) -> float:
    """What to add to the logits of a gate for a mean rate of ``target``.

    A gate is shared by its loops: closing it a little changes who asks the later loops too, so the
    mean rate need not be monotone, and may cross the target more than once. Of the thresholds one
    is taken around which the rate stays closest, since other images will be asked.

    Args:
        logits: (N, K) of N images before each of the K loops that ask, with all loops executed.
        target: t, the conditional opening rate.
    """
    alive = logits.double().cummin(dim=1).values  # executes loop k where alive[:, k] + shift > 0
    values = cast(Tensor, alive.flatten().unique())  # sorted
    values = values[torch.linspace(0, len(values) - 1, min(len(values), _TRIED)).long()]
    ends = torch.cat([values[:1] - 1, values, values[-1:] + 1])
    shifts = -(ends[:-1] + ends[1:]) / 2  # never at a logit, where rounding would decide
    rates = mean_rates(alive, shifts)
    off = torch.where(rates.isnan(), torch.inf, (rates - target).abs())
    around = min(_AROUND, (len(off) - 1) // 2)
    padded = nn.functional.pad(off[None], (around, around), value=-torch.inf)
    worst = nn.functional.max_pool1d(padded, 2 * around + 1, stride=1)[0]
    middle = int(worst.argmin())
    first = max(0, middle - around)
    return float(shifts[first + int(off[first : middle + around + 1].argmin())])


def rate_at(logits: Tensor, shift: float) -> float:
    """The mean rate of a gate over its loops, from logits as in ``best_shift``."""
    alive = logits.double().cummin(dim=1).values
    return float(mean_rates(alive, torch.tensor([shift], dtype=torch.float64)))


def mean_rates(alive: Tensor, shifts: Tensor) -> Tensor:
    """Mean over the loops of the opening rate among the images that asked, at each shift.

    Args:
        alive: (N, K) float64, min(z_1 .. z_k) of each image before loop k.
        shifts: (S,) float64.

    Returns:
        (S,) float64; a loop that nobody asks does not count, NaN where none is asked.
    """
    rising = alive.T.contiguous().sort(dim=1).values
    count = alive.shape[0]
    thresholds = (-shifts).expand(len(rising), -1).contiguous()
    opened = (count - torch.searchsorted(rising, thresholds, right=True)).double()  # (K, S)
    asked = torch.cat([torch.full_like(opened[:1], count), opened[:-1]])
    return (opened / asked).nanmean(dim=0)


class _ReachedError(Exception):
    """The block is reached; what the network would do after it is not needed."""


def _logits(
    network: Network,
    block: RecursiveBlock,
    gate: Gate,
    preprocessing: Preprocessing,
    pixels: Tensor,
) -> Tensor:
    """(N, K) float32, on the CPU: of ``pixels`` (N, 3, H, W) before the K loops that ask."""
    found: list[Tensor] = []

    def ask(_: nn.Module, inputs: tuple[Any, ...]) -> None:
        found.append(_logits_of_loops(block, gate, cast(Tensor, inputs[0])).cpu())
        raise _ReachedError

    handle = block.register_forward_pre_hook(ask)
    device = next(network.parameters()).device
    try:
        with torch.inference_mode():
            for part in torch.split(pixels, _BATCH):
                try:
                    network(preprocessing.normalise(part.to(device)))
                except _ReachedError:
                    continue
    finally:
        handle.remove()
    return torch.cat(found)


def _logits_of_loops(block: RecursiveBlock, gate: Gate, x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, K): the gate's logits before each loop that asks, all executed."""
    everybody = torch.ones(x.shape[0], device=x.device)
    asked: list[Tensor] = []
    for loop in range(block.loops):
        if block.is_gated(loop):
            asked.append(gate.logits(x))
        x = block.loop_once(x, loop, everybody, everybody > 0.5, True)
    return torch.stack(asked, dim=1)
