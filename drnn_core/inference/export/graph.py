"""One ONNX graph in the making, with the branches that lie inside of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from torch import Tensor

Array = NDArray[Any]


class Graph:
    """Nodes and constants of a graph, or of a branch of an ``If`` in it.

    A branch reads whatever was written before it in the graphs around it, so every name is given
    once in the whole model.

    Args:
        scope: leads the names of nodes and results, for people and profiles.
        numbers: of the names; a branch goes on with those of the graph around it.
    """

    def __init__(self, scope: str = "", numbers: Iterator[int] | None = None) -> None:
        self.scope = scope
        self._numbers = itertools.count() if numbers is None else numbers
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], onnx.TensorProto] = {}

    def branch(self, scope: str) -> Graph:
        """An empty graph inside of this one."""
        return Graph(scope, self._numbers)

    def add(self, operator: str, *inputs: str, result: str | None = None, **attributes: Any) -> str:
        """Append a node of one result.

        Args:
            operator: of the standard's opset.
            inputs: names.
            result: its name, by default a new one.
            attributes: of the operator.

        Returns:
            The name of the result.
        """
        name = self._name(operator)
        self._append(name, operator, inputs, [result or name], attributes)
        return result or name

    def constant(self, values: Array | Tensor) -> str:
        """The name of a constant, which is kept once however often it is asked for."""
        if isinstance(values, Tensor):
            values = values.detach().cpu().numpy()
        values = np.ascontiguousarray(values)
        key = (values.dtype.str, values.shape, values.tobytes())
        if key not in self._constants:
            self._constants[key] = numpy_helper.from_array(values, self._name("constant"))
        return self._constants[key].name

    def floats(self, *values: float) -> str:
        """A constant of float32 numbers, (n,)."""
        return self.constant(np.asarray(values, dtype=np.float32))

    def integers(self, *values: int) -> str:
        """A constant of int64 numbers, (n,), such as a shape or axes."""
        return self.constant(np.asarray(values, dtype=np.int64))

    def split(self, source: str, parts: int, axis: int = 0) -> list[str]:
        """``parts`` equal slices of what lies along an axis."""
        name = self._name("Split")
        results = [f"{name}.{part}" for part in range(parts)]
        self._append(name, "Split", [source], results, {"axis": axis})
        return results

    def choose(
        self, condition: str, then: tuple[Graph, Sequence[str]], other: tuple[Graph, Sequence[str]]
    ) -> list[str]:
        """An ``If``: one of two branches is executed.

        Args:
            condition: name of one bool.
            then, other: the branches and the names of what they return, float32, as many of each,
                which each branch must have made itself.

        Returns:
            The names of what the chosen branch returns.
        """
        name = self._name("If")
        results = [f"{name}.{number}" for number in range(len(then[1]))]
        branches = {
            "then_branch": then[0].finished(then[0].scope, [], _floats(then[1])),
            "else_branch": other[0].finished(other[0].scope, [], _floats(other[1])),
        }
        self._append(name, "If", [condition], results, branches)
        return results

    def finished(
        self,
        name: str,
        inputs: Sequence[onnx.ValueInfoProto],
        outputs: Sequence[onnx.ValueInfoProto],
    ) -> onnx.GraphProto:
        """The graph as ONNX has it."""
        constants = list(self._constants.values())
        return helper.make_graph(self._nodes, name, list(inputs), list(outputs), constants)

    def _append(
        self,
        name: str,
        operator: str,
        inputs: Sequence[str],
        results: Sequence[str],
        attributes: Mapping[str, Any],
    ) -> None:
        self._nodes.append(
            helper.make_node(operator, list(inputs), list(results), name, **attributes)
        )

    def _name(self, kind: str) -> str:
        return f"{self.scope}/{kind}_{next(self._numbers)}"


def _floats(names: Sequence[str]) -> list[onnx.ValueInfoProto]:
    """Results of a branch, whose shapes the checker and the runtimes infer."""
    return [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names]


def float32(values: Tensor) -> Tensor:
    """Values of any precision as the graphs hold them."""
    return values.detach().to(torch.float32)
