"""The gate: per image and loop, whether a recursive block runs once more (paper, section 3).

    z = FC(relu(FC(global average pool(x))))        one logit per image
    training:    open where z + logistic noise > 0  (the Gumbel-max trick for two classes)
    evaluation:  open where z > 0                   (deterministic)

The difference of two Gumbel samples is one logistic sample, so the two-class Gumbel-max trick
on a logit difference z needs a single draw, and P(open) = sigmoid(z).

A training may cut by the batch instead (ours; docs/paper.md, "The loss"): then logits are
standardised by the batch, and a gate opens for a given share of it, those whose noisy logits are
highest. There z only says who they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

# Added to the variance of a batch's logits, as a BatchNorm's epsilon: logits that differ by much
# less than a tenth are not blown up until they seem to differ.
_LEAST_VARIANCE = 0.01


class Cut(NamedTuple):
    """Where a batch was cut.

    Attributes:
        at: () float32, what a logit without noise has to exceed.
        scale: () float32, the unit in which logits are told apart there, and noise is drawn.
    """

    at: Tensor
    scale: Tensor


class Decision(NamedTuple):
    """What a gate says of each image.

    Attributes:
        open: (B,) float32, exactly 0 or 1; its gradient is the relaxed sample's
            (straight-through).
        prob: (B,) float32, sigmoid of the logit, or of its distance to the cut; differentiable.
        cut: of the batch; None where it was not cut.
    """

    open: Tensor
    prob: Tensor
    cut: Cut | None = None


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
        """(B, C, H, W) -> (B,) logits of opening.

        Pooling is in float32, under mixed precision and of a network of less, too, and so are the
        logits; of a float64 network in float64.
        """
        full = torch.promote_types(x.dtype, torch.float32)
        with _without_autocast(x.device.type):
            means = pooled(x.to(full)).to(gate_head(self).weight.dtype)
            return self.fc(means).to(full).squeeze(1)

    def forward(self, x: Tensor, cut: Cut | None = None) -> Decision:
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


def gate_head(gate: Gate) -> nn.Linear:
    """The last layer of a gate, of one output."""
    return cast(nn.Linear, gate.fc[-1] if isinstance(gate.fc, nn.Sequential) else gate.fc)


def gate_bias(gate: Gate) -> Tensor:
    """The bias of a gate's decision: a view of one value, which may be changed in place."""
    return gate_head(gate).bias.detach()


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
    cut: Cut | None = None,
) -> Decision:
    """Turn gate logits (B,) into decisions; random in training, deterministic in evaluation.

    Args:
        logits, training, temperature, noise, draw: of a gate, see there.
        share: of the batch that is let in, in training; None opens above 0.
        cut: of an earlier decision on the batch, in place of the one that ``share`` makes.
    """
    if not training:
        return Decision((logits > 0).to(logits.dtype), torch.sigmoid(logits))
    uniform = draw(logits).clamp(1e-7, 1 - 1e-7)
    drawn = noise * torch.logit(uniform)
    if cut is None and share is not None:
        cut = batch_cut(logits, drawn, share)
    if cut is not None:
        logits = (logits - cut.at) / cut.scale
    prob = torch.sigmoid(logits)
    soft = torch.sigmoid((logits + drawn) / temperature)
    hard = (soft > 0.5).to(soft.dtype)
    # (soft - soft) is 0 to the bit; (hard + soft) - soft is not always hard: rounding leaves
    # every fourth open decision at 1 - 2^-24, and a loop's result would be blended, not selected.
    return Decision(hard + (soft - soft.detach()), prob, cut)


def batch_cut(logits: Tensor, drawn: Tensor, share: float | Tensor) -> Cut:
    """Where to cut a batch so that ``share`` of it is let in, to the nearest image.

    Logits are told apart in units of their standard deviation, as a BatchNorm would. So, once that
    is well above a tenth, neither their mean nor their scale can be learned, only their order: who
    gains from the loop, not that all do; and noise hides the order as much in every gate.

    Args:
        logits: (B,), without noise.
        drawn: (B,), the noise. Images that are equal with it are on one side together.
        share: 0..1, a number or a tensor () on their device; nothing waits for its value.

    Returns:
        Halfway between two images, with the gradient of the batch's mean and deviation.
    """
    mean, scale = logits.mean(), logit_unit(logits)
    with torch.no_grad():
        rising = ((logits - mean) / scale + drawn).sort().values
        ends = torch.cat([rising[:1] - 1, rising, rising[-1:] + 1])
        between = (ends[:-1] + ends[1:]) / 2  # above number k of them are B - k images
        if isinstance(share, Tensor):
            left = len(logits) - (share * len(logits)).round().long()
            level = between.gather(0, left.view(1))[0]
        else:
            level = between[len(logits) - round(share * len(logits))]
    return Cut(mean + scale * level, scale)


def logit_unit(logits: Tensor) -> Tensor:
    """(B,) -> (): the unit in which a batch's logits are told apart, about their deviation."""
    return (logits.var(correction=0) + _LEAST_VARIANCE).sqrt()
