"""Gates at inference: few, cheap operators, on the images that are still in the block.

A gate stands between two convolutions that have just filled the caches with their own data, and
every library call in between costs several times what it costs when repeated alone: 10 us, 16 times
in a network that needs 42 ms for 64 images. So there are few of them, and of a single image's
hidden layer Python makes the logit.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from drnn_core.models.gate import Gate

Logits = NDArray[np.float32]


class Asking(NamedTuple):
    """A compiled gate; its logits of opening are float32 whatever the features are in.

    Attributes:
        many: (n, C, H, W) -> (n,).
        one: (1, C, H, W) -> the image's.
    """

    many: Callable[[Tensor], Logits]
    one: Callable[[Tensor], float]


def compile_gate(gate: Gate, examples: Sequence[Tensor]) -> Asking:
    """A gate on weights of its own.

    Args:
        gate: is left as it is.
        examples: (1, C, H, W) as it will meet them, in this type, on this device, lying in memory
            like this. Other sizes cost more.
    """
    dense = all(
        example.is_contiguous(memory_format=torch.channels_last)
        and example.dtype == torch.float32
        and example.device.type == "cpu"
        for example in examples
    )
    if type(gate) is Gate and dense:
        layers = gate.fc if isinstance(gate.fc, nn.Sequential) else nn.Sequential(gate.fc)
        linears = [_copied(layer) for layer in layers.children() if isinstance(layer, nn.Linear)]
        return _dense(gate, linears, examples[0])
    return _as_it_is(gate)


def _as_it_is(gate: Gate) -> Asking:
    own = copy.deepcopy(gate).eval().requires_grad_(False)

    def many(x: Tensor) -> Logits:
        return own.logits(x).cpu().numpy()

    def one(x: Tensor) -> float:
        return float(many(x)[0])

    return Asking(many, one)


def _dense(gate: Gate, linears: Sequence[_Layer], example: Tensor) -> Asking:
    """For float32 features on the CPU whose channels lie one beside the other."""
    first, head = linears[0], linears[1] if len(linears) > 1 else None
    general = _as_it_is(gate)
    channels, places = example.shape[1], example.shape[2] * example.shape[3]
    size = channels * places
    mean = torch.full((places,), 1 / places)

    return Asking(
        _dense_linear(general, first, channels, places)
        if head is None
        else _dense_hidden(general, first, head, size),
        _dense_one(general, first, head, mean, channels),
    )


def _dense_linear(
    general: Asking, layer: _Layer, channels: int, places: int
) -> Callable[[Tensor], Logits]:
    """One layer: of every place first, then the mean; two products in all, and those NumPy's.

    PyTorch's sum over places and its product take half as long again between two convolutions.
    """
    row, bias = layer.weight[0].numpy().copy(), np.float32(layer.bias.item())
    share = np.full(places, 1 / places, dtype=np.float32)

    def many(x: Tensor) -> Logits:
        images = len(x)
        if x.numel() != images * places * channels:
            return general.many(x)
        of_places = x.as_strided((images * places, channels), (channels, 1)).numpy() @ row
        return of_places.reshape(images, places) @ share + bias

    return many


def _dense_hidden(
    general: Asking, first: _Layer, head: _Layer, size: int
) -> Callable[[Tensor], Logits]:
    channels = first.weight.shape[1]
    across = first.weight.t().contiguous() / (size // channels)  # of the sum over all places
    row = head.weight[0].clone()

    def many(x: Tensor) -> Logits:
        if x.numel() != len(x) * size:
            return general.many(x)
        hidden = torch.addmm(first.bias, x.sum((2, 3)), across).relu_()
        return torch.addmv(head.bias, hidden, row).numpy()

    return many


def _dense_one(
    general: Asking, first: _Layer, head: _Layer | None, mean: Tensor, channels: int
) -> Callable[[Tensor], float]:
    places = len(mean)
    size = channels * places

    if head is None:
        row, constant = first.weight[0].clone(), float(first.bias)

        def linear(x: Tensor) -> float:
            if x.numel() != size:
                return general.one(x)
            of_places = torch.mv(x.as_strided((places, channels), (channels, 1)), row)
            return torch.dot(of_places, mean).item() + constant

        return linear

    weights, constant = cast("list[float]", head.weight[0].tolist()), float(head.bias)

    def hidden(x: Tensor) -> float:
        if x.numel() != size:
            return general.one(x)
        pooled = torch.mv(x.as_strided((channels, places), (1, channels)), mean)
        values = cast("list[float]", torch.addmv(first.bias, first.weight, pooled).tolist())
        logit = constant
        for value, weight in zip(values, weights, strict=True):
            if not value <= 0.0:  # as relu does, which hands NaN on
                logit += value * weight
        return logit

    return hidden


class _Layer(NamedTuple):
    """Weight (out, in) and bias (out,), float32, of nobody else's."""

    weight: Tensor
    bias: Tensor


def _copied(layer: nn.Linear) -> _Layer:
    weight = layer.weight.detach().float().clone()
    return _Layer(weight, layer.bias.detach().float().clone())
