"""The operations of traced modules, each as nodes of the ONNX standard.

Convolutions, BatchNorms, activations and sums behind them come fused and are written by
``translating.py``; this is for the rest. Whoever needs another operation adds a function here and
its line in ``_OPERATIONS``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from drnn_core.inference.export import layers
from drnn_core.inference.export.calls import Call
from drnn_core.inference.export.graph import Graph
from drnn_core.inference.skipping.convolution import Activation

_TO_THE_END = np.iinfo(np.int64).max


def write(call: Call) -> str:
    """Append the nodes of a call; returns the name of its result.

    Raises:
        NotExportableError: it has no form here.
    """
    node = call.node
    if node.op == "get_attr":
        return call.weight(_attribute(call.modules[""], str(node.target)))
    key: Any = node.target if node.op != "call_module" else call.module.__class__
    known = _OPERATIONS.get(key)
    if known is None:
        raise call.refused()
    return known(call)


def activate(graph: Graph, activation: Activation, x: str) -> str:
    """Append an activation."""
    if activation == "relu6":
        limits = (np.float32(0), np.float32(6))
        return graph.add("Clip", x, *(graph.constant(np.asarray(limit)) for limit in limits))
    if activation == "silu":
        return graph.add("Mul", x, graph.add("Sigmoid", x))
    return graph.add({"relu": "Relu", "hardswish": "HardSwish"}[activation], x)


def _attribute(module: Any, path: str) -> Tensor:
    for name in path.split("."):
        module = getattr(module, name)
    return module


def _same(call: Call) -> str:
    """What changes nothing of the values: a copy, a layout in memory, a type among floats."""
    return call.x


def _flatten(call: Call) -> str:
    start, end = call.setting(1, "start_dim", 0), call.setting(2, "end_dim", -1)
    if start != 1 or end not in (-1, len(call.shape) - 1):
        raise call.refused(f"from dimension {start} to {end}")
    return call.add("Flatten", call.x, axis=1)


def _reduce(operation: str) -> Callable[[Call], str]:
    def write_reduction(call: Call) -> str:
        axes = call.setting(1, "dim")
        if axes is None:
            raise call.refused("over all dimensions")
        return call.add(
            operation,
            call.x,
            axes=layers.pair(axes) if not isinstance(axes, int) else [axes],
            keepdims=int(call.setting(2, "keepdim", False)),
        )

    return write_reduction


def _permute(call: Call) -> str:
    order = call.node.args[1:]
    if len(order) == 1 and isinstance(order[0], Sequence):
        order = cast("tuple[Any, ...]", order[0])
    return call.add("Transpose", call.x, perm=list(order))


def _pad(call: Call) -> str:
    """Zeros (or another number) around the last dimensions."""
    if call.setting(2, "mode", "constant") != "constant":
        raise call.refused("in another mode than 'constant'")
    pads = list(call.setting(1, "pad"))
    dimensions = len(call.shape)
    before, after = [0] * dimensions, [0] * dimensions
    for place in range(len(pads) // 2):
        before[-1 - place], after[-1 - place] = pads[2 * place : 2 * place + 2]
    value = np.float32(call.setting(3, "value", None) or 0)
    pads_name = call.graph.integers(*before, *after)
    return call.add("Pad", call.x, pads_name, call.graph.constant(np.asarray(value)))


def _slice(call: Call) -> str:
    """``x[:, :, ::2, a:b]``."""
    keys = call.node.args[1]
    keys = keys if isinstance(keys, tuple) else (keys,)
    if not all(isinstance(key, slice) for key in keys):
        raise call.refused(f"with {keys}")
    cuts = [
        (axis, key.start or 0, _TO_THE_END if key.stop is None else key.stop, key.step or 1)
        for axis, key in enumerate(cast("tuple[slice, ...]", keys))
        if key != slice(None)
    ]
    if any(axis == 0 for axis, *_ in cuts):
        raise call.refused("of some images only")
    if not cuts:
        return call.x
    axes, starts, ends, steps = (call.graph.integers(*part) for part in zip(*cuts, strict=True))
    return call.add("Slice", call.x, starts, ends, axes, steps)


def _arithmetic(operation: str) -> Callable[[Call], str]:
    """A sum or a product of two tensors, or of one and a number."""

    def write_arithmetic(call: Call) -> str:
        if len(call.node.args) != 2 or call.node.kwargs:
            raise call.refused("of other than two terms")
        terms = [
            call.names[term]
            if isinstance(term, fx.Node)
            else call.graph.constant(np.asarray(term, dtype=np.float32))
            for term in call.node.args
        ]
        return call.add(operation, *terms)

    return write_arithmetic


def _elementwise(operation: str, **attributes: Any) -> Callable[[Call], str]:
    return lambda call: call.add(operation, call.x, **attributes)


_HARD_SIGMOID = _elementwise("HardSigmoid", alpha=1 / 6, beta=0.5)

_SUMS = cast("tuple[Any, ...]", (operator.add, operator.iadd, torch.add, "add"))
_PRODUCTS = cast("tuple[Any, ...]", (operator.mul, operator.imul, torch.mul, "mul"))
_DIFFERENCES = cast("tuple[Any, ...]", (operator.sub, torch.sub, "sub"))
_QUOTIENTS = cast("tuple[Any, ...]", (operator.truediv, torch.div, "div"))
# By class of module, function, or name of method.
_OPERATIONS: dict[Any, Callable[[Call], str]] = {
    **dict.fromkeys((nn.MaxPool2d, F.max_pool2d), layers.max_pool),
    **dict.fromkeys((nn.AvgPool2d, F.avg_pool2d), layers.average_pool),
    **dict.fromkeys((nn.AdaptiveAvgPool2d, F.adaptive_avg_pool2d), layers.pool_to_one),
    nn.Linear: layers.linear,
    **dict.fromkeys((nn.LayerNorm, F.layer_norm), layers.layer_norm),
    nn.LocalResponseNorm: layers.local_response_norm,
    **dict.fromkeys((nn.GELU, F.gelu), layers.gelu),
    **dict.fromkeys((nn.Sigmoid, torch.sigmoid, "sigmoid"), _elementwise("Sigmoid")),
    **dict.fromkeys((nn.Hardsigmoid, F.hardsigmoid), _HARD_SIGMOID),
    **dict.fromkeys((nn.Flatten, torch.flatten, "flatten"), _flatten),
    **dict.fromkeys((torch.mean, "mean"), _reduce("ReduceMean")),
    **dict.fromkeys((torch.amax, "amax"), _reduce("ReduceMax")),
    **dict.fromkeys((torch.permute, "permute"), _permute),
    F.pad: _pad,
    operator.getitem: _slice,
    **dict.fromkeys(_SUMS, _arithmetic("Add")),
    **dict.fromkeys(_PRODUCTS, _arithmetic("Mul")),
    **dict.fromkeys(_DIFFERENCES, _arithmetic("Sub")),
    **dict.fromkeys(_QUOTIENTS, _arithmetic("Div")),
    **dict.fromkeys(("clone", "contiguous", "float", "detach"), _same),
}
