"""Count a network: its parameters, and multiply-adds from one pass of zeros.

Multiply-adds (MACs) are counted as the paper counts its FLOPs: one per multiply-add of every
convolution and fully connected layer; norms, activations and pooling are not counted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from drnn_core.cost import NetworkCost
from drnn_core.models.bodies import PadShortcut, PlainBlock
from drnn_core.models.gate import Gate
from drnn_core.models.modes import in_mode
from drnn_core.models.network import Network, StagedNetwork
from drnn_core.models.norm import LoopNorm


def network_cost(network: Network, image_size: int | None = None) -> NetworkCost:
    """Count a network by running one image of ``image_size`` pixels through its modules.

    Args:
        network: left as it was (modes, device, hooks).
        image_size: height and width; by default the recipe's.
    """
    calls: dict[nn.Module, int] = {}
    size = image_size or network.recipe.image_size
    handles = [
        module.register_forward_hook(_counter(calls))
        for module in network.modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    ]
    try:
        weight = next(network.parameters())
        image = torch.zeros(1, 3, size, size, device=weight.device, dtype=weight.dtype)
        with in_mode(network, training=False), torch.inference_mode():
            network(image)
    finally:
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
