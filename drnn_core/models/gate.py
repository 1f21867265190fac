"""The gate: per image and loop, whether a recursive block runs once more (paper, section 3).

    z = FC(relu(FC(global average pool(x))))        one logit per image
    training:    open where z + logistic noise > 0  (the Gumbel-max trick for two classes)
    evaluation:  open where z > 0                   (deterministic)

The difference of two Gumbel samples is one logistic sample, so the two-class Gumbel-max trick
on a logit difference z needs a single draw, and P(open) = sigmoid(z).

A training may cut by the batch instead (ours; docs/paper.md, "The loss"): then a gate opens for a
given share of the batch, those whose noisy logits are highest, and z only says who they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn


class Decision(NamedTuple):
    """What a gate says of each image.

    Attributes:
        open: (B,) float32, exactly 0 or 1; its gradient is the relaxed sample's
            (straight-through).
        prob: (B,) float32, sigmoid of the logit; differentiable.
        cut: () float32, what the noisy logits had to exceed where the batch was cut; None: 0.
    """

    open: Tensor
    prob: Tensor
    cut: Tensor | None = None


class Gate(nn.Module):
    """The reusable gate unit of one recursive block.

    Args:
        channels: C of the block's (B, C, H, W) input.
        hidden: d, the hidden width (16 in the paper); None for a single fully connected layer
            (DR-MobileNetV2).
        initial_rate: the opening rate at initialisation (.85 in the paper).
        temperature: of the relaxed sample whose gradient the hard decision takes.

    Attributes:
        noise: scale of the logistic noise in training; 1 is the Gumbel-max trick, 0 decides as
            evaluation does. The training loop lowers it where the recipe says so. A number, or a
            tensor () on the gate's device.
        share: in training, of the images of a batch that are let in, a number or a tensor (); None
            opens above 0. The training loop sets it where the recipe says so.
        draw: logits (B,) -> (B,) uniform numbers, the source of the noise; by default torch's
            own generator. A training that is captured hands in numbers drawn ahead.

    Raises:
        ValueError: a rate outside (0, 1) or a temperature that is not positive.
    """

    def __init__(
        self,
        channels: int,
        hidden: int | None = 16,
        initial_rate: float = 0.85,
        temperature: float = 1.0,
    ) -> None:
        super().__init__()
        if not 0 < initial_rate < 1:
            raise ValueError(f"expected an initial rate between 0 and 1, got {initial_rate}")
        if temperature <= 0:
            raise ValueError(f"expected a positive temperature, got {temperature}")
        self.temperature = temperature
        self.noise: float | Tensor = 1.0
        self.share: float | Tensor | None = None
        self.draw: Callable[[Tensor], Tensor] = torch.rand_like
        self.initial_rate = initial_rate
        head = nn.Linear(hidden or channels, 1)
        # Small weights and a bias at the logit of the rate: every image starts near that rate.
        nn.init.normal_(head.weight, std=0.01)
        nn.init.constant_(head.bias, math.log(initial_rate / (1 - initial_rate)))
        self.fc = (
            head if hidden is None else nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), head)
        )

    def logits(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B,) float32 logits of opening, also under mixed precision."""
        with _without_autocast(x.device.type):
            return self.fc(pooled(x.float())).squeeze(1)

    def forward(self, x: Tensor, cut: Tensor | None = None) -> Decision:
        """Decide for each image of (B, C, H, W) whether the loop runs.

        Args:
            x: the features.
            cut: of this gate's decision on the same batch before an earlier loop. One cut for all
                loops of a block: in evaluation its gate has one bias for all.
        """
        return decide(
            self.logits(x), self.training, self.temperature, self.noise, self.draw, self.share, cut
        )


def pooled(features: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C): the mean over all places.

    Permuted, so that the gradient lies in memory as channels_last features do: one that does not
    makes every operator that it comes to up to four times as slow.
    """
    return features.permute(0, 2, 3, 1).mean(dim=(1, 2))


def gate_bias(gate: Gate) -> Tensor:
    """The bias of a gate's decision: a view of one value, which may be changed in place."""
    head = cast(nn.Linear, gate.fc[-1] if isinstance(gate.fc, nn.Sequential) else gate.fc)
    return head.bias.detach()


def _without_autocast(device: str) -> AbstractContextManager[Any]:
    """Full precision; "meta", which has shapes and no values, knows no autocast to switch off."""
    return nullcontext() if device == "meta" else torch.autocast(device, enabled=False)


def decide(
    logits: Tensor,
    training: bool,
    temperature: float = 1.0,
    noise: float | Tensor = 1.0,
    draw: Callable[[Tensor], Tensor] = torch.rand_like,
    share: float | Tensor | None = None,
    cut: Tensor | None = None,
) -> Decision:
    """Turn gate logits (B,) into decisions; random in training, deterministic in evaluation.

    Args:
        logits, training, temperature, noise, draw: of a gate, see there.
        share: of the batch that is let in, in training; None opens above 0.
        cut: of an earlier decision on the batch, in place of the one that ``share`` makes.
    """
    prob = torch.sigmoid(logits)
    if not training:
        return Decision((logits > 0).to(logits.dtype), prob)
    uniform = draw(logits).clamp(1e-7, 1 - 1e-7)
    noisy = logits + noise * torch.logit(uniform)
    if share is not None:
        cut = batch_cut(logits, noisy, share) if cut is None else cut
        noisy = noisy - cut
    soft = torch.sigmoid(noisy / temperature)
    hard = (soft > 0.5).to(soft.dtype)
    # (soft - soft) is 0 to the bit; (hard + soft) - soft is not always hard: rounding leaves
    # every fourth open decision at 1 - 2^-24, and a loop's result would be blended, not selected.
    return Decision(hard + (soft - soft.detach()), prob, cut if share is not None else None)


def batch_cut(logits: Tensor, noisy: Tensor, share: float | Tensor) -> Tensor:
    """What a noisy logit has to exceed for ``share`` of the batch to do so, to the nearest image.

    Its gradient is that of the mean logit: who is above a cut that moves with the mean does not
    change when all logits do, so they learn who gains from the loop and not that all do.

    Args:
        logits: (B,), without noise.
        noisy: (B,), by which the images are ranked. Equal ones are on one side together.
        share: 0..1, a number or a tensor () on their device; nothing waits for its value.

    Returns:
        () of their type, halfway between two images.
    """
    mean = logits.mean()
    with torch.no_grad():
        rising = noisy.sort().values
        ends = torch.cat([rising[:1] - 1, rising, rising[-1:] + 1])
        between = (ends[:-1] + ends[1:]) / 2  # above number k of them are B - k images
        count = torch.as_tensor(share, device=noisy.device).mul(len(noisy)).round().long()
        apart = between.gather(0, (len(noisy) - count).view(1))[0] - mean
    return mean + apart
