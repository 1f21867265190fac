"""A gated block as ``If`` nodes, one inside of the other.

    loop k of the n images that are still in the block:
        logit = gate(x)                                  (n, 1)
        those whose logit is above the threshold stay
        If any stays:
            y = relu(x + F_k(x)) of those alone
            y = loops k + 1, ... of y
            what became of them is put beside the images that left
        else:
            x is what the block returns

A closed gate is final because the later loops lie inside of the branch. The logits go up through
the branches, those of an image that left repeated: nothing has changed it since, so that is what
the gate would say of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from onnx import TensorProto
from torch import Tensor, nn

from drnn_core.inference.export.calls import NotExportableError
from drnn_core.inference.export.graph import Graph, float32
from drnn_core.inference.export.translating import Value, translate
from drnn_core.models.gate import Gate
from drnn_core.models.recursive import RecursiveBlock


class Decided(NamedTuple):
    """What loops leave behind.

    Attributes:
        features: of the images that came in, in their order.
        logits: of the gates, in parts (n, ...) that stand side by side, a column for each loop.
    """

    features: Value
    logits: tuple[str, ...]


@dataclass(frozen=True)
class GatedBlock:
    """A recursive block with a gate, to be written.

    Attributes:
        name: for people.
        block: whose forward is the reference's.
        thresholds: (1,) name of each loop's, a logit above which the gate opens.
        certain: makes (N, loops) infinite logits of loops that run unasked.
    """

    name: str
    block: RecursiveBlock
    thresholds: Sequence[str]
    certain: Callable[[int], str]

    def write(self, graph: Graph, x: Value) -> Decided:
        """Append the block; ``x`` are N images.

        Raises:
            NotExportableError: the block has a forward or a gate of its own, or its body an
                operation that is not known here.
        """
        block = self.block
        if type(block).forward is not RecursiveBlock.forward or type(block.gate) is not Gate:
            raise NotExportableError(
                f"expected a gated block with the forward of RecursiveBlock and a Gate, got "
                f"{type(block).__name__} with {type(block.gate).__name__} in block {self.name}"
            )
        if block.shortcut is not None:
            return self._beside(graph, x, translate(graph, block.shortcut, x))
        return self._loops(graph, x, 0)

    def _loops(self, graph: Graph, x: Value, loop: int) -> Decided:
        """Loop ``loop`` and all later ones, of the images in ``x``."""
        if loop == self.block.loops:
            return Decided(x, ())
        if not self.block.is_gated(loop):
            after = self._loops(graph, translate(graph, _Loop(self.block, loop), x), loop + 1)
            return Decided(after.features, (self.certain(1), *after.logits))
        logit = self._ask(graph, x)
        staying = _Staying.of(graph, logit, self.thresholds[loop])
        inside = graph.branch(f"{self.name} loop {loop + 1}")
        outside = graph.branch(f"{self.name} past loop {loop + 1}")
        alone = Value(staying.take(inside, x.name), x.example)
        after = self._loops(inside, translate(inside, _Loop(self.block, loop), alone), loop + 1)
        taken = [staying.put_back(inside, x.name, after.features.name)]
        passed = [outside.add("Identity", x.name)]
        if after.logits:
            repeated = (logit, graph.integers(1, self.block.loops - loop - 1))
            said = inside.add("Concat", *after.logits, axis=1)
            taken.append(staying.put_back(inside, inside.add("Expand", *repeated), said))
            passed.append(outside.add("Expand", *repeated))
        features, *later = graph.choose(staying.any, (inside, taken), (outside, passed))
        return Decided(Value(features, after.features.example), (logit, *later))

    def _beside(self, graph: Graph, x: Value, beside: Value) -> Decided:
        """The only loop of a block whose shortcut always runs."""
        logit = self._ask(graph, x)
        staying = _Staying.of(graph, logit, self.thresholds[0])
        inside = graph.branch(f"{self.name} loop 1")
        outside = graph.branch(f"{self.name} past loop 1")
        alone = [Value(staying.take(inside, value.name), value.example) for value in (x, beside)]
        advanced = translate(inside, _LoopBeside(self.block), *alone)
        left = translate(inside, _Passed(self.block), beside)
        taken = [staying.put_back(inside, left.name, advanced.name)]
        passed = [outside.add("Identity", translate(outside, _Passed(self.block), beside).name)]
        (features,) = graph.choose(staying.any, (inside, taken), (outside, passed))
        return Decided(Value(features, advanced.example), (logit,))

    def _ask(self, graph: Graph, x: Value) -> str:
        """(n, 1): the gate's logits of opening."""
        assert self.block.gate is not None
        layers = self.block.gate.fc
        pooled = graph.add("Flatten", graph.add("GlobalAveragePool", x.name), axis=1)
        layers = layers if isinstance(layers, nn.Sequential) else nn.Sequential(layers)
        for layer in layers.children():
            if isinstance(layer, nn.Linear):
                tensors = (graph.constant(float32(t)) for t in (layer.weight, layer.bias))
                pooled = graph.add("Gemm", pooled, *tensors, transB=1)
            else:
                assert isinstance(layer, nn.ReLU)
                pooled = graph.add("Relu", pooled)
        return pooled


class _Staying(NamedTuple):
    """The images whose gate opened: their rows (m, 1), and whether m > 0."""

    rows: str
    any: str

    @classmethod
    def of(cls, graph: Graph, logit: str, threshold: str) -> _Staying:
        opened = graph.add("Reshape", graph.add("Greater", logit, threshold), graph.integers(-1))
        rows = graph.add("Transpose", graph.add("NonZero", opened))
        return cls(rows, graph.add("Cast", graph.add("Size", rows), to=TensorProto.BOOL))

    def take(self, graph: Graph, x: str) -> str:
        """Of (n, ...) the rows that stay."""
        return graph.add("GatherND", x, self.rows)

    def put_back(self, graph: Graph, x: str, rows: str) -> str:
        """(n, ...) with other rows in place of those that stayed."""
        return graph.add("ScatterND", x, self.rows, rows)


class _Loop(nn.Module):
    """One loop of a recursive block as a function of features alone."""

    def __init__(self, block: RecursiveBlock, loop: int) -> None:
        super().__init__()
        self.block = block
        self.loop = loop

    def forward(self, x: Tensor) -> Tensor:
        return self.block.advance(x, self.block.body(x, self.loop))


class _LoopBeside(nn.Module):
    """The loop of a block with a shortcut, given what the shortcut made of x."""

    def __init__(self, block: RecursiveBlock) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor, beside: Tensor) -> Tensor:
        return self.block.advance(beside, self.block.body(x, 0))


class _Passed(nn.Module):
    """What becomes of an image that does not run, from what stands beside the body."""

    def __init__(self, block: RecursiveBlock) -> None:
        super().__init__()
        self.block = block

    def forward(self, beside: Tensor) -> Tensor:
        return self.block.passed(beside)
