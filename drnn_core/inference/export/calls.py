"""A node of a traced module on its way into a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from drnn_core.inference.export.graph import Graph, float32


class NotExportableError(ValueError):
    """A network with an operation that is not written as ONNX here; the message names it."""


@dataclass(frozen=True)
class Call:
    """A node of a traced module, to be written.

    Attributes:
        graph: to append to.
        node: what is called with what.
        modules: of the traced module, by path.
        names: in the graph, of the nodes before this one.
        shapes: of what nodes return, for one image.
    """

    graph: Graph
    node: fx.Node
    modules: Mapping[str, nn.Module]
    names: Mapping[fx.Node, str]
    shapes: Mapping[fx.Node, torch.Size]

    @property
    def module(self) -> Any:
        """The module that is called."""
        return self.modules[str(self.node.target)]

    @property
    def x(self) -> str:
        """Name of the first argument."""
        return self.names[self.node.args[0]]  # pyright: ignore[reportArgumentType]

    @property
    def shape(self) -> torch.Size:
        """Of the first argument."""
        return self.shapes[self.node.args[0]]  # pyright: ignore[reportArgumentType]

    def setting(self, place: int, name: str, default: Any = None) -> Any:
        """An attribute of the module that is called, or an argument of the function."""
        if self.node.op == "call_module":
            return getattr(self.module, name)
        if place < len(self.node.args):
            return self.node.args[place]
        return self.node.kwargs.get(name, default)

    def add(self, operation: str, *inputs: str, **attributes: Any) -> str:
        """Append a node."""
        return self.graph.add(operation, *inputs, **attributes)

    def weight(self, tensor: Tensor) -> str:
        """A parameter as a constant."""
        return self.graph.constant(float32(tensor))

    def refused(self, why: str = "") -> NotExportableError:
        """The error that says which operation has no ONNX form here."""
        target = self.node.target
        called = type(self.module).__name__ if self.node.op == "call_module" else str(target)
        if callable(target):
            called = getattr(target, "__name__", called)
        return NotExportableError(
            f"expected operations that can be written as ONNX, got {called}"
            f"{f' {why}' if why else ''} in {self.graph.scope}; whoever needs it adds it to "
            "drnn_core/inference/export/operators.py"
        )
