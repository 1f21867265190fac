"""The training step of a network against that of its plain counterpart."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from drnn_core.benchmarking.interleaving import Call, interleave, ratio, typical
from drnn_core.counting import network_cost
from drnn_core.models.network import Network
from drnn_core.models.registry import create_model
from drnn_core.recipes import training_of
from drnn_core.training.losses import training_loss
from drnn_core.training.optim import build_optimizer


@dataclass(frozen=True)
class StepRow:
    """A training step against the plain counterpart's.

    Attributes:
        net, against, batch, device: what is compared.
        time_ratio: median of the rounds.
        macs_ratio: of the forward passes, all loops of all images, as training computes them.
        low, high: quartiles of the rounds' time ratios.
        milliseconds, their_milliseconds: of a step, median of the rounds.
        rounds: that were measured.
    """

    net: str
    against: str
    batch: int
    device: str
    time_ratio: float
    macs_ratio: float
    low: float
    high: float
    milliseconds: float
    their_milliseconds: float
    rounds: int


def compare_steps(
    name: str, batch: int, device: str = "cpu", seconds: float = 20.0, least: int = 3
) -> StepRow:
    """Measure forward, losses, backward and update, in float32 and channels_last.

    Args:
        name: of a registered network.
        batch: images of a step.
        device: to compute on.
        seconds, least: see ``interleave``.

    Raises:
        ValueError: the network has no counterpart.
    """
    torch.manual_seed(0)
    network = create_model(name)
    other = counterpart_of(network)
    plain = create_model(other)
    macs_ratio = network_cost(network).macs_max / network_cost(plain).macs_max
    calls = {"ours": [_step(network, batch, device)], "theirs": [_step(plain, batch, device)]}
    times = interleave(calls, seconds, device, least)
    compared = ratio(times["ours"], times["theirs"])
    return StepRow(
        name,
        other,
        batch,
        device,
        compared.value,
        macs_ratio,
        compared.low,
        compared.high,
        1e3 * typical(times["ours"]),
        1e3 * typical(times["theirs"]),
        len(times["ours"]),
    )


def counterpart_of(network: Network) -> str:
    """The name of the plain network that a network's training step is compared with.

    Raises:
        ValueError: there is none.
    """
    recipe = network.recipe
    if recipe.counterpart is None:
        raise ValueError(f"expected a network with a plain counterpart, {recipe.name} has none")
    return recipe.counterpart


def _step(network: Network, batch: int, device: str) -> Call:
    """One update on random images, as ``training/loop.py`` does it."""
    recipe = network.recipe
    training = training_of(recipe, "paper")
    network.to(torch.device(device), memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    network.train()
    optimizer = build_optimizer(network, training)
    size = recipe.image_size
    images = torch.randn(batch, 3, size, size).contiguous(memory_format=torch.channels_last)
    images = images.to(device)
    labels = torch.randint(0, recipe.num_classes, (batch,)).to(device)

    def step() -> None:
        loss = training_loss(network(images), labels, training, recipe.target)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return step
