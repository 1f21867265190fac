"""What can be computed together: convolutions take in the norm, activation and sum behind them.

Works on the graph of a traced module. A node that took others in carries a ``Fused``; the nodes
that it took in are gone.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from drnn_core.inference.skipping.convolution import Activation, FoldedConvolution, fold
from drnn_core.models.norm import LoopNorm

_SUMS = cast("tuple[Any, ...]", (operator.add, operator.iadd, torch.add))
_PRODUCTS = cast("tuple[Any, ...]", (operator.mul, operator.imul, torch.mul))
# By class of module, function, or name of method.
_ACTIVATIONS: dict[Any, Activation] = {
    **dict.fromkeys((nn.ReLU, torch.relu, torch.relu_, F.relu, "relu", "relu_"), "relu"),
    **dict.fromkeys((nn.ReLU6, F.relu6), "relu6"),
    **dict.fromkeys((nn.SiLU, F.silu), "silu"),
    **dict.fromkeys((nn.Hardswish, F.hardswish), "hardswish"),
}
# Modules that do nothing in evaluation; others' kinds of them are known by name.
NOTHING = frozenset({"Identity", "Dropout", "Dropout2d", "StochasticDepth", "DropPath"})


@dataclass(frozen=True)
class Fused:
    """Operations that are computed as one.

    Attributes:
        source: what it reads.
        convolution: with norms folded in; or None for
        norm: a BatchNorm alone, where no convolution stands before it; or, without either, an
            activation alone.
        beside: what is added to it.
        activation: of the result.
    """

    source: fx.Node
    convolution: FoldedConvolution | None = None
    norm: nn.BatchNorm2d | None = None
    beside: fx.Node | None = None
    activation: Activation | None = None


class Fusion:
    """The graph of a module, fused as far as it can be.

    Args:
        graph: of the module's forward; it is changed.
        modules: of the graph, by path.
        shapes: of what each node returns.
    """

    def __init__(
        self,
        graph: fx.Graph,
        modules: Mapping[str, nn.Module],
        shapes: Mapping[fx.Node, torch.Size],
    ) -> None:
        self.graph = graph
        self.modules = modules
        self.shapes = shapes
        self.fused: dict[fx.Node, Fused] = {}
        for node in list(graph.nodes):
            self._visit(node)

    def _visit(self, node: fx.Node) -> None:
        module = self._module(node)
        if type(module).__name__ in NOTHING and len(node.args) == 1:
            self._remove(node, _first(node))
        elif (convolution := fold(module) if module else None) is not None:
            self.fused[node] = Fused(_first(node), convolution)
        elif (norm := _norm(module, node)) is not None:
            self._visit_norm(node, norm)
        elif (activation := _activation(module, node)) is not None:
            self._visit_activation(node, activation)
        elif node.target in _PRODUCTS or (node.op, node.target) == ("call_method", "mul"):
            self._visit_product(node)
        elif node.target in _SUMS or (node.op, node.target) == ("call_method", "add"):
            self._visit_sum(node)
        elif (node.op, node.target) == ("call_method", "to") and len(node.args) == 2:
            self._visit_conversion(node)

    def _visit_norm(self, node: fx.Node, norm: nn.BatchNorm2d) -> None:
        source = _first(node)
        before = self._own(source)
        if before is not None and before.convolution is not None and _is_bare(before):
            self.fused[source] = replace(before, convolution=before.convolution.then_norm(norm))
            self._remove(node, source)
        else:
            self.fused[node] = Fused(source, norm=norm)

    def _visit_activation(self, node: fx.Node, activation: Activation) -> None:
        source = _first(node)
        before = self._own(source)
        # oneDNN knows no activation but relu behind a sum
        fits = before is not None and (before.beside is None or activation == "relu")
        if before is not None and fits and before.activation is None:
            self.fused[source] = replace(before, activation=activation)
            self._remove(node, source)
        else:
            self.fused[node] = Fused(source, activation=activation)

    def _visit_product(self, node: fx.Node) -> None:
        factors = [arg for arg in node.args if isinstance(arg, int | float)]
        sources = [arg for arg in node.args if isinstance(arg, fx.Node)]
        if len(factors) != 1 or len(sources) != 1 or node.kwargs:
            return
        before = self._own(sources[0])
        if before is not None and before.convolution is not None and _is_bare(before):
            scaled = before.convolution.then_scale(float(factors[0]))
            self.fused[sources[0]] = replace(before, convolution=scaled)
            self._remove(node, sources[0])

    def _visit_sum(self, node: fx.Node) -> None:
        terms = [arg for arg in node.args if isinstance(arg, fx.Node)]
        if len(terms) != 2 or len(node.args) != 2 or node.kwargs or terms[0] is terms[1]:
            return
        if not all(self.shapes.get(term) == self.shapes.get(node) for term in terms):
            return  # the convolution's sum does not broadcast
        # The later one: what stands beside it is then known when it runs.
        for last in sorted(terms, reverse=True):
            before = self._own(last)
            if before is not None and before.convolution is not None and _is_bare(before):
                beside = terms[0] if last is terms[1] else terms[1]
                self.fused[node] = replace(before, beside=beside)
                node.args = (before.source, beside)
                del self.fused[last]
                self.graph.erase_node(last)
                return

    def _visit_conversion(self, node: fx.Node) -> None:
        """``y.to(x.dtype)``: all features are of one type here."""
        kind = node.args[1]
        if isinstance(kind, fx.Node) and kind.target is getattr and kind.args[1] == "dtype":
            self._remove(node, _first(node))
            if not kind.users:
                self.graph.erase_node(kind)

    def _own(self, source: fx.Node) -> Fused | None:
        """What computes ``source``, if nobody else reads it."""
        return self.fused.get(source) if len(source.users) == 1 else None

    def _module(self, node: fx.Node) -> nn.Module | None:
        return self.modules[str(node.target)] if node.op == "call_module" else None

    def _remove(self, node: fx.Node, instead: fx.Node) -> None:
        node.replace_all_uses_with(instead)
        self.graph.erase_node(node)


def _is_bare(fused: Fused) -> bool:
    return fused.activation is None and fused.beside is None


def _first(node: fx.Node) -> fx.Node:
    return cast(fx.Node, node.args[0])


def _norm(module: nn.Module | None, node: fx.Node) -> nn.BatchNorm2d | None:
    """The BatchNorm of population statistics that a node applies."""
    norm: Any = module
    if isinstance(module, LoopNorm):
        loop = node.args[1] if len(node.args) > 1 else node.kwargs.get("loop", 0)
        if not isinstance(loop, int):
            return None
        norm = module.of_loop(loop)
    if type(norm) is not nn.BatchNorm2d or not isinstance(norm.running_mean, Tensor):
        return None
    return norm


def _activation(module: nn.Module | None, node: fx.Node) -> Activation | None:
    if module is not None:
        return _ACTIVATIONS.get(type(module))
    return _ACTIVATIONS.get(node.target)
