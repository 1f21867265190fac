"""What a network costs: parameters, and multiply-adds at most, expected, and of one trace.

Multiply-adds (MACs) are counted as the paper counts its FLOPs: one per multiply-add of every
convolution and fully connected layer; norms, activations and pooling are not counted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from drnn_core.models.bodies import PadShortcut, PlainBlock
from drnn_core.models.gate import Gate
from drnn_core.models.network import Network, StagedNetwork
from drnn_core.models.norm import LoopNorm
from drnn_core.trace import BlockLayout


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


def network_cost(network: Network, image_size: int | None = None) -> NetworkCost:
    """Count a network by running one image of ``image_size`` pixels through its modules.

    Args:
        network: left as it was (mode, device, hooks).
        image_size: height and width; by default the recipe's.
    """
    calls: dict[nn.Module, int] = {}
    size = image_size or network.recipe.image_size
    handles = [
        module.register_forward_hook(_counter(calls))
        for module in network.modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    ]
    was_training = network.training
    try:
        device = next(network.parameters()).device
        with torch.inference_mode():
            network.eval()(torch.zeros(1, 3, size, size, device=device))
    finally:
        network.train(was_training)
        for handle in handles:
            handle.remove()
    return _split(network, calls)


def _counter(
    calls: dict[nn.Module, int],
) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
    def count(module: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        weights = cast(Tensor, module.weight).numel()
        # A convolution applies its weights once per output pixel and group-wise fan-in is
        # already in the weight's shape; a linear layer once, or where it stands in for a 1x1
        # convolution on (B, H, W, C), as in ConvNeXt, once per pixel. The batch is one image.
        places = output.numel() // cast(Tensor, module.weight).shape[0]
        calls[module] = calls.get(module, 0) + weights * places

    return count


def _split(network: Network, calls: dict[nn.Module, int]) -> NetworkCost:
    step_macs: list[int] = []
    gate_macs: list[int] = []
    inside = 0
    for _, block in network.recursive_blocks():
        body = _sum_under(block.body, calls)
        gate = _sum_under(block.gate, calls)
        gated = [block.is_gated(loop) for loop in range(block.loops)]
        step_macs += [body // block.loops] * block.loops
        gate_macs += [gate // sum(gated) if asks else 0 for asks in gated]
        inside += body + gate
    fixed = sum(calls.values()) - inside
    return NetworkCost(
        count_params(network), fixed, tuple(step_macs), tuple(gate_macs), network.layout
    )


def _sum_under(module: nn.Module | None, calls: dict[nn.Module, int]) -> int:
    if module is None:
        return 0
    return sum(calls.get(child, 0) for child in module.modules())


def paper_params(network: Network) -> int:
    """Parameters as the paper counts them: its printed digits come out for every DR-ResNet.

    Our own count, and what we do not allocate because nothing would use it: a gate on every
    residual block of a gated network, l sets of norms on the downsampling block of a recursive
    group, and 1x1 projections in place of the CIFAR networks' zero-padded shortcuts.
    """
    recipe = network.recipe
    total = count_params(network)
    if not isinstance(network, StagedNetwork) or max(recipe.loops) == 1:
        return total
    for loops, blocks in zip(recipe.loops, network.stages, strict=True):
        for place, block in enumerate(blocks.children()):
            if not isinstance(block, PlainBlock):
                continue
            convolutions = [m for m in block.body.modules() if isinstance(m, nn.Conv2d)]
            before, after = convolutions[0].in_channels, convolutions[-1].out_channels
            if recipe.gated:
                total += count_params(Gate(before, recipe.gate_hidden))
            if place == 0 and recipe.norm != "naive":
                norms = [m for m in block.body.modules() if isinstance(m, LoopNorm)]
                total += (loops - 1) * sum(count_params(norm) for norm in norms)
            if isinstance(block.shortcut, PadShortcut):
                total += before * after
    return total


def count_params(module: nn.Module) -> int:
    """Trainable parameters."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)
