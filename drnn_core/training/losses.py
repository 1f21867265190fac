"""The loss: cross-entropy and what holds the gates at their target rate (paper, section 3).

    loss = cross-entropy + lambda * mean over gates of (t - opening rate)^2

The opening rate of a gate is taken among the images that asked it. Evaluation decides without
noise, and a gate that gives every image the probability t is at its target while it samples,
yet always open once it does not. So there is more than one reading of the opening rate:

``sampled``        of the decisions that training draws (ConvNet-AIG's and the paper's)
``deterministic``  of the decisions that evaluation would take, prob > 1/2
``both``           the mean of the two losses
``network``        of the sampled decisions, as their mean over all gates: (t - mean rate)^2, which
                   leaves each gate free as long as the network as a whole holds the target
``batch``          as ``sampled``, and the first loop that a gate decides on runs for the target's
                   share of every batch (``batch_cut.py``): only later loops are left to the loss
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from drnn_core.models.world import ALONE, World
from drnn_core.recipes import TrainingRecipe
from drnn_core.recipes.schema import RateLoss
from drnn_core.trace import Output, Trace


def training_loss(
    output: Output,
    labels: Tensor,
    recipe: TrainingRecipe,
    target: float | Tensor | None,
    world: World = ALONE,
) -> Tensor:
    """What training minimises, see the module's text.

    Args:
        output: of a training forward on this process's B images.
        labels: (B,) int64.
        recipe: its weight and form of the rate loss.
        target: of the rate loss in this update; None without gates.
        world: as of ``rate_loss``.

    Returns:
        A float32 scalar; its mean over the processes is the whole batch's.
    """
    loss = F.cross_entropy(output.logits.float(), labels)
    if target is None:
        return loss
    return loss + recipe.rate_weight * rate_loss(output.trace, target, recipe.rate_loss, world)


def rate_loss(
    trace: Trace, target: float | Tensor, kind: RateLoss = "both", world: World = ALONE
) -> Tensor:
    """Mean over gates of the squared distance of the opening rate to ``target``.

    Args:
        trace: of a training forward; ``prob`` carries the gradient.
        target: t, the conditional opening rate; a number, or a tensor () on the trace's device.
        kind: which decisions count, see the module's text.
        world: the processes whose traces make the rates, all together; collective.

    Returns:
        A float32 scalar; 0 where no image asked any gate. The hard rates are its value, the
        probabilities its gradient (straight-through).
    """
    if kind == "network":
        rates, asked = _opening_rates(trace, trace.ran, world)
        mean = (rates * asked).sum() / asked.sum().clamp(min=1)
        return (target - mean).square() * asked.any()
    kinds = {"both": ("sampled", "deterministic"), "batch": ("sampled",)}.get(kind, (kind,))
    decisions = {"sampled": trace.ran, "deterministic": trace.prob > 0.5}
    losses: list[Tensor] = []
    for name in kinds:
        rates, asked = _opening_rates(trace, decisions[name], world)
        distances = (target - rates).square() * asked
        losses.append(distances.sum() / asked.sum().clamp(min=1))
    return torch.stack(losses).mean()


def _opening_rates(trace: Trace, opened: Tensor, world: World) -> tuple[Tensor, Tensor]:
    """(gates,) float32 rates among the images that asked, and (gates,) bool: whether any did."""
    asked = trace.asked.float()
    prob = trace.prob.float()
    straight_through = opened.float() + prob - prob.detach()
    sums = torch.stack([asked.sum(dim=0), (asked * straight_through).sum(dim=0)])
    images, ran = world.total(sums).unbind()
    return ran / images.clamp(min=1), images > 0
