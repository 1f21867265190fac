"""The rate loss "batch": gates that let the same share of every batch in (ours; docs/paper.md).

A rate loss corrects a gate by its last batch's rate, an update later. Once gates decide without
noise, a gate whose logits lie close together is then open for nearly all of one batch and shut for
nearly all of the next, and what it learns is to follow its own threshold. Cut by the batch
(``models/gate.py``), the rate is the target from the first update on and the logits only rank the
images.

Evaluation sees one image and knows no batch: there the gate's bias is the threshold, and training
does not depend on it. It is set on training images before each evaluation (``calibration.py``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from torch import Tensor

from drnn_core.models.gate import Gate
from drnn_core.recipes import TrainingRecipe

Target = TypeVar("Target", float, Tensor)

# Images on which biases are set at an epoch's end: a rate of .7 is known to .01 from 2,000.
IMAGES_AT_EPOCHS = 2_000


def batch_share(recipe: TrainingRecipe, target: Target | None) -> Target | None:
    """What ``Gate.share`` is in an update whose rate loss aims at ``target``."""
    return target if recipe.rate_loss == "batch" else None


def set_shares(gates: Iterable[Gate], share: float | Tensor | None) -> None:
    """Let each gate cut its batches at ``share``, or not."""
    for gate in gates:
        gate.share = share
