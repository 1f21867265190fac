"""SGD, its learning rate and its guard, as pure functions of a training recipe and the step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor, nn

from drnn_core.models.gate import Gate
from drnn_core.recipes import TrainingRecipe
from drnn_core.training.settings import TrainingError


def build_optimizer(
    network: nn.Module, recipe: TrainingRecipe, lr: Tensor | None = None
) -> torch.optim.SGD:
    """SGD with momentum; norms, biases and gates go without weight decay if the recipe says so.

    Args:
        network: whose parameters it updates.
        recipe: its numbers.
        lr: () float32 on the network's device: read in every update, in place of numbers set
            from outside; the update is then one kernel that may be captured.
    """
    spared = _spared(network) if not recipe.decay_everything else set[str]()
    named = list(network.named_parameters())
    groups = [
        {"params": [p for n, p in named if n not in spared], "weight_decay": recipe.weight_decay},
        {"params": [p for n, p in named if n in spared], "weight_decay": 0.0},
    ]
    return torch.optim.SGD(
        [group for group in groups if group["params"]],
        lr=recipe.lr if lr is None else lr,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        fused=None if lr is None else True,
    )


def _spared(network: nn.Module) -> set[str]:
    """Names of norm, bias and gate parameters."""
    modules = cast("Iterator[tuple[str, nn.Module]]", network.named_modules())
    gates = [name for name, module in modules if isinstance(module, Gate)]
    return {
        name
        for name, parameter in network.named_parameters()
        if parameter.ndim <= 1 or any(name.startswith(f"{gate}.") for gate in gates)
    }


def learning_rate(recipe: TrainingRecipe, step: int, steps_per_epoch: int, epochs: int) -> float:
    """The rate of update ``step`` (0-based, over the whole training).

    Args:
        recipe: its schedule.
        step: updates made before this one.
        steps_per_epoch, epochs: of this training; steps of "steps" recipes move in proportion
            where a training is shorter than its recipe.
    """
    if recipe.schedule == "steps":
        epoch = step / steps_per_epoch * recipe.epochs / epochs
        return recipe.lr * 0.1 ** sum(epoch >= at for at in recipe.lr_steps)
    done = (step + 1) / (steps_per_epoch * epochs + 1)
    if done < recipe.warmup:
        return recipe.lr * done / recipe.warmup
    return recipe.lr * (1 - done) / (1 - recipe.warmup)


def check_finite(network: nn.Module, loss: float, step: int, epoch: int) -> None:
    """Refuse an update by a loss or gradients that are not finite numbers.

    Args:
        network: after its backward pass.
        loss: of the batch.
        step, epoch: for the message.

    Raises:
        TrainingError: they are not.
    """
    gradients: list[Tensor] = [p.grad for p in network.parameters() if p.grad is not None]
    norm = float(torch.nn.utils.get_total_norm(gradients))
    if loss - loss == 0 and norm - norm == 0:
        return
    raise TrainingError(
        f"the loss became {loss} with a gradient norm of {norm} at step {step} "
        f"(epoch {epoch}); no update was made: "
        "try a lower learning rate, or float32 in place of bfloat16"
    )


def rate_target(recipe: TrainingRecipe, target: float, step: float, steps: float) -> float:
    """The opening rate that the rate loss aims at, at update ``step`` (0-based) of ``steps``.

    Args:
        recipe: its ``target_falls``.
        target: t of the network, the aim at the end.
        step, steps: updates made before this one, and of the whole training; or epochs of both.

    Returns:
        ``target``, or on the way down to it: a block learns to run all its loops before its gate
        learns for whom they can be left out.
    """
    if recipe.target_falls is None:
        return target
    start, end = recipe.target_falls
    fallen = (step / steps - start) / (end - start)
    return 1 - (1 - target) * min(1.0, max(0.0, fallen))


def gate_noise(recipe: TrainingRecipe, step: int, steps: int) -> float:
    """Scale of the gates' noise at update ``step`` (0-based) of ``steps``; 1 is Gumbel-max.

    A gate that gives every image the same chance holds its target while it draws, and is always
    open or always shut once it does not. Fading the noise leaves it time to tell images apart.
    """
    if recipe.noise_until is None:
        return 1.0
    return max(0.0, 1 - step / (steps * recipe.noise_until))
