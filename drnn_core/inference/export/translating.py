"""From a module to nodes: traced, norms folded into convolutions, operation by operation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, fx, nn
from torch.fx.passes.shape_prop import ShapeProp

from drnn_core.inference.export.calls import Call
from drnn_core.inference.export.graph import Graph, float32
from drnn_core.inference.export.operators import activate, write
from drnn_core.inference.skipping.fusing import Fused, Fusion
from drnn_core.inference.skipping.lowering import Tracer


class Value(NamedTuple):
    """A tensor on its way through the graph.

    Attributes:
        name: in the graph.
        example: what it is for one image, (1, ...); its shape is that of any batch but for the 1.
    """

    name: str
    example: Tensor


def translate(graph: Graph, module: nn.Module, *inputs: Value) -> Value:
    """Write what a module computes in evaluation mode.

    Args:
        graph: to append to.
        module: a function of tensors that torch.fx can trace; left as it is.
        inputs: its arguments.

    Raises:
        NotExportableError: it calls something that is not known here.
    """
    traced = fx.GraphModule(module, Tracer().trace(module))
    traced.graph.eliminate_dead_code()
    traced.recompile()
    with torch.inference_mode():
        example = cast(Tensor, ShapeProp(traced).propagate(*(value.example for value in inputs)))
    shapes = {
        node: node.meta["tensor_meta"].shape
        for node in traced.graph.nodes
        if isinstance(node.meta.get("tensor_meta"), tuple)
    }
    modules = dict(cast("Iterator[tuple[str, nn.Module]]", module.named_modules()))
    fusion = Fusion(traced.graph, modules, shapes)
    return Value(_write_all(graph, fusion, [value.name for value in inputs]), example)


def _write_all(graph: Graph, fusion: Fusion, inputs: Sequence[str]) -> str:
    names: dict[fx.Node, str] = {}
    given = iter(inputs)
    for node in fusion.graph.nodes:
        if node.op == "output":
            return names[cast(fx.Node, node.args[0])]
        if node.op == "placeholder":
            names[node] = next(given)
        elif node in fusion.fused:
            names[node] = _write_fused(graph, fusion.fused[node], names)
        else:
            names[node] = write(Call(graph, node, fusion.modules, names, fusion.shapes))
    raise AssertionError("a graph ends with its output")


def _write_fused(graph: Graph, fused: Fused, names: dict[fx.Node, str]) -> str:
    result = names[fused.source]
    if fused.convolution is not None:
        folded = fused.convolution
        result = graph.add(
            "Conv",
            result,
            graph.constant(float32(folded.weight)),
            graph.constant(float32(folded.bias)),
            kernel_shape=list(folded.weight.shape[2:]),
            strides=list(folded.stride),
            pads=list(folded.padding) * 2,
            dilations=list(folded.dilation),
            group=folded.groups,
        )
    if fused.norm is not None:
        result = _write_norm(graph, fused.norm, result)
    if fused.beside is not None:
        result = graph.add("Add", names[fused.beside], result)
    return result if fused.activation is None else activate(graph, fused.activation, result)


def _write_norm(graph: Graph, norm: nn.BatchNorm2d, x: str) -> str:
    """A BatchNorm that no convolution stands before."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    ones = torch.ones_like(norm.running_mean)
    tensors = (
        norm.weight if norm.affine else ones,
        norm.bias if norm.affine else 0 * ones,
        norm.running_mean,
        norm.running_var,
    )
    names = [graph.constant(float32(tensor)) for tensor in tensors]
    return graph.add("BatchNormalization", x, *names, epsilon=norm.eps)
