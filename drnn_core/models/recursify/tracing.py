"""Graphs of a module's forward (torch.fx), traced through only where something is to be changed.

What is not traced through stays a module that is called: its code may then branch on values, on
shapes or on the mode without being the tracer's concern.
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

# BatchNorm, of which each loop gets one of its own, and the norms within one image, of which it
# gets a copy.
BATCH_NORM = nn.BatchNorm2d
IMAGE_NORMS = (nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)
NORMS = (BATCH_NORM, *IMAGE_NORMS)

_ADDITIONS: frozenset[Any] = frozenset(
    {operator.add, operator.iadd, torch.add, "add", "add_", "__add__", "__iadd__"}
)
_WRAPPED = "traced"


class _OneInput(nn.Module):
    """Calls a module with one tensor, so that its other arguments keep their defaults."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.traced = module

    def forward(self, x: Tensor) -> Any:
        return self.traced(x)


class _Tracer(fx.Tracer):
    def __init__(self, opened: Collection[nn.Module]) -> None:
        super().__init__()
        self._opened = {id(module) for module in opened}

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Modules to trace through are given, whoever wrote them."""
        return module_qualified_name != _WRAPPED and id(m) not in self._opened


def trace(module: nn.Module, opened: Collection[nn.Module]) -> fx.Graph:
    """The graph of ``module(x)``; its targets are paths in ``module``.

    Args:
        module: its mode is left in evaluation.
        opened: modules inside it to trace through.

    A functional dropout, which knows the mode in which it was traced only, becomes a module that
    is added to ``module``.

    Raises:
        ValueError: its forward branches on values, or on the mode.
    """
    graphs: list[fx.Graph] = []
    for training in (True, False):
        module.train(training)
        try:
            graphs.append(_Tracer(opened).trace(_OneInput(module)))
        except (RuntimeError, ValueError, TypeError, AttributeError, LookupError, AssertionError,
                NotImplementedError) as error:  # fmt: skip
            module.eval()
            raise ValueError(f"its forward cannot be traced by torch.fx: {error}") from error
    _dropouts_as_modules(module, *graphs)
    if str(graphs[0]) != str(graphs[1]):
        raise ValueError(
            "its forward does other things in training than in evaluation, and not inside of a "
            "module, so that it cannot be traced by torch.fx"
        )
    for node in graphs[1].nodes:
        node.type = None  # an annotation may be a string, which pickling cannot import
        if node.op in ("call_module", "get_attr"):
            node.target = str(node.target).removeprefix(f"{_WRAPPED}.")
    return graphs[1]


def _dropouts_as_modules(module: nn.Module, training: fx.Graph, evaluation: fx.Graph) -> None:
    """``F.dropout(x, p, self.training)`` as a call of ``nn.Dropout(p)``, in both graphs."""
    for number, nodes in enumerate(zip(training.nodes, evaluation.nodes, strict=False)):
        if any(node.target is not F.dropout for node in nodes):
            continue
        x, y = (_dropout(*node.args, **node.kwargs) for node in nodes)
        if x[1:] == (x[1], True) and y[1:] == (x[1], False):
            path = f"dropout_{number}"
            module.add_module(path, nn.Dropout(x[1]))
            for node, (source, *_) in zip(nodes, (x, y), strict=True):
                node.op, node.target = "call_module", f"{_WRAPPED}.{path}"
                node.args, node.kwargs = (source,), {}


def _dropout(
    input: fx.Node, p: float = 0.5, training: bool = True, inplace: bool = False  # noqa: A002, ARG001
) -> tuple[fx.Node, float, bool]:  # fmt: skip
    """The arguments of a call of ``F.dropout``, by its own names."""
    return input, p, training


def trace_block(block: nn.Module, leaves: Sequence[nn.Module] = ()) -> fx.Graph:
    """The graph of a block, traced through down to its norms, but not through ``leaves``.

    Raises:
        ValueError: it cannot be traced, see ``trace``.
    """
    holders = [
        module
        for module in block.modules()
        if any(isinstance(part, NORMS) for part in module.modules())
        and not isinstance(module, NORMS)
        and module not in leaves
    ]
    return trace(block, holders)


def is_identity(module: nn.Module) -> bool:
    """Whether a module hands on what it gets: an Identity, or a Sequential of nothing."""
    return isinstance(module, nn.Identity) or (type(module) is nn.Sequential and not len(module))


def is_residual(block: nn.Module, graph: fx.Graph) -> bool:
    """Whether the block adds to its very input (x, through identities) what it makes of it."""
    unchanged: set[fx.Node] = set()
    made: set[fx.Node] = set()
    for node in graph.nodes:
        inputs = node.all_input_nodes
        if node.op == "placeholder":
            unchanged.add(node)
        elif node.op == "call_module" and is_identity(block.get_submodule(str(node.target))):
            (unchanged if inputs[0] in unchanged else made).add(node)
        elif (
            node.target in _ADDITIONS
            and unchanged.intersection(inputs)
            and made.intersection(inputs)
        ):
            return True
        elif unchanged.union(made).intersection(inputs):
            made.add(node)
    return False
