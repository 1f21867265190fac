"""What a network is and costs, known from run.json or its name alone: no weights are read.

Nothing is built where the counts are stored: in the runs of this version, and of the registered
networks in ``registered.json``.
"""

from __future__ import annotations

from dataclasses import dataclass

from drnn_core.cost import NetworkCost
from drnn_core.inference.registered import registered_network
from drnn_core.layout import BlockLayout, StageLayout
from drnn_core.store.building import counted_network
from drnn_core.store.runinfo import RunInfo


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
    found = registered_network(name)
    recipe, counted = found.recipe, found.counted
    return NetworkShape(
        recipe.image_size, recipe.num_classes, counted.stages, recipe.target, counted.cost
    )


def run_shape(info: RunInfo) -> NetworkShape:
    """The shape of a run's network, as it was changed for the run.

    Raises:
        RunError: run.json names a network that cannot be built.
    """
    found = counted_network(info)
    target, size = info.metrics.test.target, info.preprocessing.image_size
    return NetworkShape(size, len(info.classes), found.stages, target, found.cost)


def network_facts(info: RunInfo) -> NetworkFacts:
    """The network of a run in figures.

    Raises:
        RunError: run.json names a network that cannot be built.
    """
    cost, target = counted_network(info).cost, info.metrics.test.target
    return NetworkFacts(cost.layout, cost.asks, target, cost.expected_rates(target), cost)


def readable_block(name: str) -> str:
    """A block's name, "2.3", as people say it: "stage 2 · block 3"; others as they are."""
    stage, _, block = name.partition(".")
    if not (stage.isdigit() and block.isdigit()):
        return name
    return f"stage {stage} · block {block}"
