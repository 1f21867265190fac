"""What a network is and costs, known from run.json or its name alone: no weights are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch

from drnn_core.cost import NetworkCost, network_cost
from drnn_core.inference.predictor import one_thread
from drnn_core.models.network import Network
from drnn_core.models.registry import create_model
from drnn_core.store.runs import RunError, RunInfo
from drnn_core.trace import BlockLayout, StageLayout

# Blocks of a stage, and loops of a block; the deepest network here has 18 and 5.
_MOST_MODULES = 1000


@dataclass(frozen=True)
class NetworkFacts:
    """A run's network in figures.

    Attributes:
        layout: the recursive blocks, in network order; empty for a plain network.
        asks: (S,) whether a gate stands before the step.
        target: t, the opening rate that training aimed at; None without gates.
        expected_rates: (S,) chance of each step to run at the target, t^k.
        cost: parameters and multiply-adds.
    """

    layout: tuple[BlockLayout, ...]
    asks: tuple[bool, ...]
    target: float | None
    expected_rates: tuple[float, ...]
    cost: NetworkCost

    @property
    def loops_max(self) -> int:
        """The most loops that an image can run."""
        return len(self.asks)

    @property
    def expected_loops(self) -> float:
        """Loops of an image whose gates all open with chance t: sum of t^k."""
        return sum(self.expected_rates)

    def block_names(self) -> tuple[str, ...]:
        """Names for people: "stage 2 · block 3" for ``2.3``."""
        return tuple(readable_block(block.name) for block in self.layout)


@dataclass(frozen=True)
class NetworkShape:
    """Where the blocks and loops of a registered network stand, and what they cost.

    Attributes:
        image_size: height and width of its input in pixels.
        classes: that it tells apart.
        stages: with all of their blocks.
        target: t, the opening rate that training aims at; None without gates.
        cost: parameters and multiply-adds.
    """

    image_size: int
    classes: int
    stages: tuple[StageLayout, ...]
    target: float | None
    cost: NetworkCost


def network_shape(name: str) -> NetworkShape:
    """The shape of a network, as ``create_model`` builds it by this name.

    Raises:
        ValueError: no network is called so.
    """
    with one_thread(), torch.device("meta"):
        network = create_model(name)
        cost = network_cost(network)
    recipe, stages = network.recipe, network.stage_layouts
    return NetworkShape(recipe.image_size, network.num_classes, stages, recipe.target, cost)


def run_shape(info: RunInfo) -> NetworkShape:
    """The shape of a run's network, as it was changed for the run.

    Raises:
        RunError: run.json names a network that cannot be built.
    """
    network, cost = _build(info)
    target, size = info.metrics.test.target, info.preprocessing.image_size
    return NetworkShape(size, network.num_classes, network.stage_layouts, target, cost)


def network_facts(info: RunInfo) -> NetworkFacts:
    """Build the network of a run without its weights and count it.

    Raises:
        RunError: run.json names a network that cannot be built.
    """
    _, cost = _build(info)
    target = info.metrics.test.target
    return NetworkFacts(cost.layout, cost.asks, target, cost.expected_rates(target), cost)


def _build(info: RunInfo) -> tuple[Network, NetworkCost]:
    """The network of a run without its weights, counted."""
    _check_size(info)
    try:
        # "meta": shapes alone. However wide run.json says the network is, it takes no memory, and
        # no random number is drawn.
        with one_thread(), torch.device("meta"):
            network = create_model(info.model, num_classes=len(info.classes), **info.model_args)
            return network, network_cost(network, info.preprocessing.image_size)
    except (ValueError, TypeError, LookupError, AttributeError, RuntimeError) as error:
        raise RunError(f"cannot build the network {info.model!r} of the run: {error}") from error


def _check_size(info: RunInfo) -> None:
    """Refuse more blocks and loops than any network has, before modules are made of them."""
    for key in ("blocks", "loops"):
        numbers: Any = info.model_args.get(key)
        listed = cast("list[Any]", numbers) if isinstance(numbers, list | tuple) else [numbers]
        if any(isinstance(number, int) and number > _MOST_MODULES for number in listed):
            raise RunError(
                f"cannot build the network {info.model!r} of the run: expected at most "
                f"{_MOST_MODULES} {key} in a stage, got {numbers}"
            )


def readable_block(name: str) -> str:
    """A block's name, "2.3", as people say it: "stage 2 · block 3"; others as they are."""
    stage, _, block = name.partition(".")
    if not (stage.isdigit() and block.isdigit()):
        return name
    return f"stage {stage} · block {block}"
