"""Gates at inference: few, cheap operators, on the images that are still in the block."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from drnn_core.models.gate import Gate

# Features (n, C, H, W) -> (n,) float32 logits of opening.
Asking = Callable[[Tensor], Tensor]


def compile_gate(gate: Gate) -> Asking:
    """A gate's logits, on weights of its own, in float32 whatever the features are in."""
    if type(gate) is not Gate:
        return copy.deepcopy(gate).eval().requires_grad_(False).logits
    layers = gate.fc if isinstance(gate.fc, nn.Sequential) else nn.Sequential(gate.fc)
    linears = [layer for layer in layers.children() if isinstance(layer, nn.Linear)]
    (w1, b1), *rest = [_weights(layer) for layer in linears]
    if not rest:
        return lambda x: torch.addmm(b1, x.mean((2, 3), dtype=torch.float32), w1).view(-1)
    w2, b2 = rest[0]

    def ask(x: Tensor) -> Tensor:
        hidden = torch.addmm(b1, x.mean((2, 3), dtype=torch.float32), w1).relu_()
        return torch.addmm(b2, hidden, w2).view(-1)

    return ask


def _weights(layer: nn.Linear) -> tuple[Tensor, Tensor]:
    """((in, out), (out,)) float32 copies."""
    return layer.weight.detach().float().t().clone(), layer.bias.detach().float().clone()
