"""What a run's network is and costs, known from run.json alone: no weights are read."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from drnn_core.analysis.loops import expected_rates
from drnn_core.cost import NetworkCost, network_cost
from drnn_core.models.registry import create_model
from drnn_core.store.runs import RunError, RunInfo
from drnn_core.trace import BlockLayout


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


def network_facts(info: RunInfo) -> NetworkFacts:
    """Build the network of a run without its weights and count it.

    Raises:
        RunError: run.json names a network that cannot be built.
    """
    threads = torch.get_num_threads()
    try:
        # A hundred tiny operators: on a busy machine several threads take a hundred times longer.
        torch.set_num_threads(1)
        # Fresh weights are drawn and thrown away: keep the random state as it was.
        with torch.random.fork_rng(devices=[]):
            network = create_model(info.model, num_classes=len(info.classes), **info.model_args)
            cost = network_cost(network, info.preprocessing.image_size)
    except (ValueError, TypeError, IndexError, RuntimeError) as error:
        raise RunError(f"cannot build the network {info.model!r} of the run: {error}") from error
    finally:
        torch.set_num_threads(threads)
    asks = tuple(macs > 0 for macs in cost.gate_macs)
    target = info.metrics.test.target
    rates = expected_rates(cost.layout, target, asks)
    return NetworkFacts(cost.layout, asks, target, rates, cost)


def readable_block(name: str) -> str:
    """A block's name, "2.3", as people say it: "stage 2 · block 3"; others as they are."""
    stage, _, block = name.partition(".")
    if not (stage.isdigit() and block.isdigit()):
        return name
    return f"stage {stage} · block {block}"
