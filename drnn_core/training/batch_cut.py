"""The rate loss "batch": gates that let the same share of every batch in (ours; docs/paper.md).

A rate loss corrects a gate by its last batch's rate, an update later. Once gates decide without
noise, a gate whose logits lie close together is then open for nearly all of one batch and shut for
nearly all of the next, and what it learns is to follow its own threshold. Cut by the batch, the
rate is the target from the first update on and the logits only rank the images.

Evaluation sees one image and knows no batch: there the gate's bias is the threshold. It follows the
batches' cuts during the training and is set by ``calibration.py`` at the end.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from drnn_core.models.gate import Gate, batch_cut, gate_bias
from drnn_core.models.network import Network
from drnn_core.models.world import ALONE, World
from drnn_core.recipes import TrainingRecipe
from drnn_core.trace import Trace

# Of the way to a batch's cut that the bias goes in an update.
_PACE = 0.1


def batch_share(recipe: TrainingRecipe, target: float | Tensor | None) -> float | Tensor | None:
    """What ``Gate.share`` is in an update whose rate loss aims at ``target``."""
    return target if recipe.rate_loss == "batch" else None


def set_shares(gates: Iterable[Gate], share: float | Tensor | None) -> None:
    """Let each gate cut its batches at ``share``, or not."""
    for gate in gates:
        gate.share = share


@torch.no_grad()
def follow_batches(
    network: Network, trace: Trace, share: float | Tensor, world: World = ALONE
) -> None:
    """Move each gate's bias towards where evaluation would open for ``share`` of the batch.

    Args:
        network: whose update is done.
        trace: of its training forward.
        share: of the batch that each gate was to let in.
        world: the processes that share the batch; collective.
    """
    first = 0
    for _, block in network.recursive_blocks():
        asks = [loop for loop in range(block.loops) if block.is_gated(loop)]
        if block.gate is not None and asks:
            prob = trace.prob[:, first + asks[0]].float()
            logits = torch.logit(world.gathered(prob).flatten().clamp(1e-7, 1 - 1e-7))
            gate_bias(block.gate).sub_(_PACE * batch_cut(logits, logits, share))
        first += block.loops
