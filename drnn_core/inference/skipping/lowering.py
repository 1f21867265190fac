"""From a module to a ``Program``: traced, fused, packed, on tensors of its own.

A module is any function of tensors that torch.fx can trace: the bodies of this project, whole
residual blocks, the bodies of recursified backbones. What no convolution can take in is run as the
module has it, on a copy.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, fx, nn

from drnn_core.inference.skipping.convolution import activate_in_place, convolution
from drnn_core.inference.skipping.fusing import NOTHING, Fused, Fusion
from drnn_core.inference.skipping.program import Program, Step
from drnn_core.models.norm import LoopNorm


@dataclass(frozen=True)
class Target:
    """What to compile for.

    Attributes:
        dtype: of features and weights.
        packed: use oneDNN's prepacked convolutions where the device has them.
    """

    dtype: torch.dtype = torch.float32
    packed: bool = True


class Lowered(NamedTuple):
    """A compiled module.

    Attributes:
        program: what it computes.
        example: the module's result for the example.
        found: the program's, in the target's type and lying in memory as it will.
        largest: bytes of the largest tensor on the way, for one image.
    """

    program: Program
    example: Tensor
    found: Tensor
    largest: int


class Tracer(fx.Tracer):
    """Traces down to the layers of torch.nn and the norms of the loops.

    A foreign module that cannot be traced, because it branches on values, is called as it is.
    """

    def __init__(self, traceable: dict[nn.Module, bool] | None = None) -> None:
        super().__init__()
        self._traceable: dict[nn.Module, bool] = {} if traceable is None else traceable

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Whether a module is one node of the graph."""
        if isinstance(m, LoopNorm) or type(m).__name__ in NOTHING:
            return True
        if super().is_leaf_module(m, module_qualified_name):
            return True
        if type(m).__module__.startswith(("drnn_core.", "torch.")):
            return False  # ours, containers of torch.nn and traced graphs
        if m not in self._traceable:
            self._traceable[m] = self._can_trace(m)
        return not self._traceable[m]

    def _can_trace(self, module: nn.Module) -> bool:
        try:
            Tracer(self._traceable).trace(module)
        except (RuntimeError, ValueError, TypeError, AttributeError, LookupError, AssertionError,
                NotImplementedError):  # fmt: skip
            return False
        return True


class _Shapes(fx.Interpreter):
    """Runs a graph and keeps the shape of every node's result."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.found: dict[fx.Node, torch.Size] = {}

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if isinstance(result, Tensor):
            self.found[n] = result.shape
        return result


def lower(
    module: nn.Module, target: Target, *examples: Tensor, may_overwrite: bool = False
) -> Lowered:
    """Compile a module in evaluation mode.

    Args:
        module: its parameters are copied and left as they are.
        target: what to compile for.
        examples: its arguments, float32, of one image: (1, C, H, W).
        may_overwrite: the program may write its result into its last argument, whose memory is
            then not the caller's any more.
    """
    traced = fx.GraphModule(module, Tracer().trace(module))
    shapes = _Shapes(traced)
    with torch.inference_mode():
        example = cast(Tensor, shapes.run(*examples))
    largest = max(s.numel() for n, s in shapes.found.items() if n.op != "placeholder")
    modules = dict(cast("Iterator[tuple[str, nn.Module]]", module.named_modules()))
    fusion = Fusion(traced.graph, modules, shapes.found)
    program = _Emitter(fusion, target, may_overwrite).program()
    with torch.inference_mode():
        # a copy for each: the program may write into one that is given twice
        found = program(*(each.to(target.dtype, copy=True) for each in examples))
    return Lowered(program, example, found, largest * target.dtype.itemsize)


class _Emitter:
    """Writes the steps of a fused graph."""

    def __init__(self, fusion: Fusion, target: Target, may_overwrite: bool) -> None:
        self.fusion = fusion
        self.target = target
        self.nodes: list[fx.Node] = list(fusion.graph.nodes)
        self.inputs = [node for node in self.nodes if node.op == "placeholder"]
        self.overwritable = self.inputs[-1:] if may_overwrite else []
        self.place = {node: place for place, node in enumerate(self.nodes)}
        self.keeps_input = True

    def program(self) -> Program:
        """The whole graph."""
        order = {node: number for number, node in enumerate(self.inputs)}
        places = {**order}
        for node in self.nodes:
            places.setdefault(node, len(places))
        steps: list[Step] = []
        result = 0
        for node in self.nodes:
            if node.op == "output":
                result = places[cast(fx.Node, node.args[0])]
            elif node.op != "placeholder":
                run, reads = self._step(node)
                spent = {n for n in reads if self._is_last(n, node)}
                steps.append(
                    Step(
                        run,
                        tuple(places[n] for n in reads),
                        places[node],
                        tuple(places[n] for n in spent),
                    )
                )
        return Program(len(self.inputs), steps, result, len(places), self.keeps_input)

    def _step(self, node: fx.Node) -> tuple[Callable[..., Any], list[fx.Node]]:
        fused = self.fusion.fused.get(node)
        if fused is None:
            return self._as_it_is(node)
        if fused.convolution is None:
            return self._elementwise(node, fused), [fused.source]
        shape = self.fusion.shapes[fused.source]
        total, reads = "none", [fused.source]
        if fused.beside is not None:
            reads.append(fused.beside)
            apart = fused.beside is not fused.source
            total = "in place" if apart and self._may_overwrite(fused.beside, node) else "new"
        run = convolution(
            fused.convolution, fused.activation, total, shape, self.target.dtype, self.target.packed
        )
        return run, reads

    def _elementwise(self, node: fx.Node, fused: Fused) -> Callable[[Tensor], Tensor]:
        """A norm or an activation that no convolution could take in."""
        act = activate_in_place(fused.activation)
        if fused.norm is not None:
            norm = copy.deepcopy(fused.norm).eval().requires_grad_(False)
            return lambda x: act(norm(x))
        if self._may_overwrite(fused.source, node):
            return act
        return lambda x: act(x.clone())

    def _as_it_is(self, node: fx.Node) -> tuple[Callable[..., Any], list[fx.Node]]:
        """A node that was not fused: what the graph calls, with its other arguments fixed."""
        reads = list(node.all_input_nodes)
        function = self._function(node)
        if list(node.args) == reads and not node.kwargs:
            return function, reads

        def run(*values: Any) -> Any:
            by_node: Mapping[fx.Node, Any] = dict(zip(reads, values, strict=True))
            arguments = fx.map_arg(node.args, by_node.__getitem__)
            return function(*arguments, **fx.map_arg(node.kwargs, by_node.__getitem__))

        return run, reads

    def _function(self, node: fx.Node) -> Callable[..., Any]:
        if node.op == "call_function":
            return cast("Callable[..., Any]", node.target)
        if node.op == "call_method":
            return _method(str(node.target))
        if node.op == "call_module":
            return self._own(self.fusion.modules[str(node.target)])
        value = self._own(_attribute(self.fusion.modules[""], str(node.target)))
        return lambda: value

    def _own(self, thing: Any) -> Any:
        """A copy in the target's precision that nobody trains."""
        if isinstance(thing, nn.Module):
            return copy.deepcopy(thing).eval().requires_grad_(False).to(self.target.dtype)
        if isinstance(thing, Tensor):
            own = thing.detach().clone()
            return own.to(self.target.dtype) if own.is_floating_point() else own
        return thing

    def _is_last(self, read: fx.Node, reader: fx.Node) -> bool:
        """Whether ``reader`` is the last to read ``read``."""
        return all(self.place[user] <= self.place[reader] for user in read.users)

    def _may_overwrite(self, read: fx.Node, writer: fx.Node) -> bool:
        """Whether ``writer`` may write over ``read``: nobody reads it later, under any name."""
        known = [read, *read.users]
        if not all(n in self.fusion.fused or n is read or n is writer for n in known):
            return False  # a view of it may live on
        if not self._is_last(read, writer):
            return False
        if read in self.overwritable:
            self.keeps_input = False
            return True
        return read in self.fusion.fused


def _method(name: str) -> Callable[..., Any]:
    """A function that calls the method ``name`` of its first argument with the others."""

    def call(thing: Any, *arguments: Any, **named: Any) -> Any:
        return getattr(thing, name)(*arguments, **named)

    return call


def _attribute(module: nn.Module, path: str) -> Any:
    for name in path.split("."):
        module = getattr(module, name)
    return module
