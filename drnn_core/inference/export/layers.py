"""Layers of torch.nn beside convolutions, BatchNorms and activations, as nodes of the standard.

Every function appends the nodes of one call and returns the name of its result. It raises
NotExportableError for settings that have no form here.
"""

from __future__ import annotations

from typing import Any

from torch import fx, nn

from drnn_core.inference.export.calls import Call


def pair(value: Any) -> list[int]:
    """A number for both sides, or one for each."""
    return [value, value] if isinstance(value, int) else list(value)


def max_pool(call: Call) -> str:
    """``nn.MaxPool2d`` and its function."""
    kernel = call.setting(1, "kernel_size")
    return call.add(
        "MaxPool",
        call.x,
        kernel_shape=pair(kernel),
        strides=pair(call.setting(2, "stride") or kernel),
        pads=pair(call.setting(3, "padding", 0)) * 2,
        dilations=pair(call.setting(4, "dilation", 1)),
        ceil_mode=int(call.setting(5, "ceil_mode", False)),
    )


def average_pool(call: Call) -> str:
    """``nn.AvgPool2d`` and its function."""
    kernel = call.setting(1, "kernel_size")
    if call.setting(4, "ceil_mode", False) or call.setting(6, "divisor_override"):
        raise call.refused("with a divisor of its own or ceil_mode")
    return call.add(
        "AveragePool",
        call.x,
        kernel_shape=pair(kernel),
        strides=pair(call.setting(2, "stride") or kernel),
        pads=pair(call.setting(3, "padding", 0)) * 2,
        count_include_pad=int(call.setting(5, "count_include_pad", True)),
    )


def pool_to_one(call: Call) -> str:
    """Adaptive pooling to a single place."""
    size = call.setting(1, "output_size")
    if pair(size) != [1, 1]:
        raise call.refused(f"to {size} places")
    return call.add("GlobalAveragePool", call.x)


def linear(call: Call) -> str:
    """``nn.Linear``, on (N, C) or on the last dimension of others."""
    layer: nn.Linear = call.module
    if len(call.shape) == 2:
        tensors = [layer.weight] if layer.bias is None else [layer.weight, layer.bias]  # pyright: ignore[reportUnnecessaryComparison]
        return call.add("Gemm", call.x, *map(call.weight, tensors), transB=1)
    result = call.add("MatMul", call.x, call.weight(layer.weight.t()))
    if layer.bias is None:  # pyright: ignore[reportUnnecessaryComparison]
        return result
    return call.add("Add", result, call.weight(layer.bias))


def layer_norm(call: Call) -> str:
    """``nn.LayerNorm`` and its function."""
    shape = call.setting(1, "normalized_shape")
    tensors = (call.setting(2, "weight"), call.setting(3, "bias"))
    if tensors[0] is None:
        raise call.refused("without a scale")
    inputs = [
        call.names[tensor] if isinstance(tensor, fx.Node) else call.weight(tensor)
        for tensor in tensors
        if tensor is not None
    ]
    epsilon = call.setting(4, "eps", 1e-5)
    return call.add("LayerNormalization", call.x, *inputs, axis=-len(shape), epsilon=epsilon)


def local_response_norm(call: Call) -> str:
    """``nn.LocalResponseNorm``, which the standard has over odd numbers of channels."""
    norm: nn.LocalResponseNorm = call.module
    if norm.size % 2 == 0:
        raise call.refused(f"over an even number of channels, {norm.size}")
    settings = {"size": norm.size, "alpha": norm.alpha, "beta": norm.beta, "bias": norm.k}
    return call.add("LRN", call.x, **settings)


def gelu(call: Call) -> str:
    """``nn.GELU`` and its function, by the error function."""
    form = call.setting(1, "approximate", "none")
    if form != "none":
        raise call.refused("in its approximate form")
    erf = call.add("Erf", call.add("Mul", call.x, call.graph.floats(2**-0.5)))
    half = call.add("Mul", call.x, call.graph.floats(0.5))
    return call.add("Mul", half, call.add("Add", erf, call.graph.floats(1.0)))
