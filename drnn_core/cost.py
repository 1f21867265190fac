"""What a network costs: parameters, and multiply-adds at most, expected, and of one trace.

Plain numbers, which ``drnn_core/counting.py`` counts; nothing here needs torch but ``macs_of``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drnn_core.layout import BlockLayout

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class NetworkCost:
    """Cost of one image, in MACs, split into what is always paid and what the gates decide.

    Attributes:
        params: trainable parameters.
        fixed_macs: everything outside the recursive blocks.
        step_macs: (S,) the body of each step, paid where the step ran.
        gate_macs: (S,) the gate of each step, paid where it was asked; 0 where there is none.
        layout: the recursive blocks.
    """

    params: int
    fixed_macs: int
    step_macs: tuple[int, ...]
    gate_macs: tuple[int, ...]
    layout: tuple[BlockLayout, ...]

    @property
    def macs_max(self) -> int:
        """Every gate asked, every loop run."""
        return self.fixed_macs + sum(self.step_macs) + sum(self.gate_macs)

    @property
    def loops_max(self) -> int:
        """S, the most loops an image can run."""
        return len(self.step_macs)

    @property
    def asks(self) -> tuple[bool, ...]:
        """(S,) whether a gate stands before the step."""
        return tuple(macs > 0 for macs in self.gate_macs)

    def macs_of(self, asked: Tensor, ran: Tensor) -> Tensor:
        """(B,) int64: MACs that each image of a trace, (B, S) bool each, cost."""
        import torch

        step = torch.tensor(self.step_macs, dtype=torch.int64, device=ran.device)
        gate = torch.tensor(self.gate_macs, dtype=torch.int64, device=ran.device)
        return self.fixed_macs + (ran * step).sum(dim=1) + (asked * gate).sum(dim=1)

    def expected_macs(self, target: float | None) -> float:
        """MACs(t) = fixed + sum over blocks of body * sum over loops k of t^k (and the gates')."""
        ran, reached = _step_chances(self.layout, target, self.asks)
        bodies = sum(m * p for m, p in zip(self.step_macs, ran, strict=True))
        gates = sum(m * p for m, p in zip(self.gate_macs, reached, strict=True))
        return self.fixed_macs + bodies + gates

    def rate_that_costs(self, macs: float) -> float | None:
        """The rate of all gates at which ``macs`` are expected; None if no rate costs as much."""
        low, high = 0.0, 1.0
        if not any(self.asks) or not self.expected_macs(low) <= macs <= self.expected_macs(high):
            return None
        for _ in range(50):  # expected_macs rises with the rate
            middle = (low + high) / 2
            low, high = (middle, high) if self.expected_macs(middle) < macs else (low, middle)
        return high

    def expected_rates(self, target: float | None) -> tuple[float, ...]:
        """(S,) chance of each step to run at target t, see the function of this name."""
        return expected_rates(self.layout, target, self.asks)

    def expected_loops(self, target: float | None) -> float:
        """Sum over blocks and loops k of t^k, 11.921 for DR-ResNet 53 at t = .7 (figure 8)."""
        return expected_loops(self.layout, target, self.asks)


def expected_rates(
    layout: Sequence[BlockLayout], target: float | None, asks: Sequence[bool] | None = None
) -> tuple[float, ...]:
    """Chance of each step to run when every gate opens with chance t: t^k for loop k.

    Args:
        layout: the recursive blocks.
        target: t; None for a network without gates, whose loops all run.
        asks: (S,) whether a gate stands before the step; by default before every step of a
            gated block.

    Raises:
        ValueError: ``asks`` is not of the layout's steps.
    """
    return tuple(_step_chances(layout, target, asks)[0])


def expected_loops(
    layout: Sequence[BlockLayout], target: float | None, asks: Sequence[bool] | None = None
) -> float:
    """E[loops] = sum over blocks and loops k of t^k: 11.921 for DR-ResNet 53 at t = .7."""
    return math.fsum(expected_rates(layout, target, asks))


def _step_chances(
    layout: Sequence[BlockLayout], target: float | None, asks: Sequence[bool] | None
) -> tuple[list[float], list[float]]:
    """(S,) chance of each step to run, and (S,) chance to come to it."""
    rate = 1.0 if target is None else target
    steps = [(loop == 0, block.gated) for block in layout for loop in range(block.loops)]
    gated = [gate for _, gate in steps] if asks is None else asks
    ran: list[float] = []
    reached: list[float] = []
    for (is_first, _), gate in zip(steps, gated, strict=True):
        reached.append(1.0 if is_first else ran[-1])
        ran.append(reached[-1] * (rate if gate else 1.0))
    return ran, reached
