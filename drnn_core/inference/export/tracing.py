"""The trace in the graph: decisions and probabilities from what the gates said."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import TensorProto

from drnn_core.inference.export.graph import Graph
from drnn_core.layout import BlockLayout
from drnn_core.trace import Trace


def write_thresholds(graph: Graph, thresholds: str) -> str:
    """(S,) probabilities, above which gates open, as logits; 0 is minus infinity, 1 infinity."""
    closed = graph.add("Sub", graph.floats(1.0), thresholds)
    return graph.add("Sub", graph.add("Log", thresholds), graph.add("Log", closed))


def write_trace(
    graph: Graph,
    layout: Sequence[BlockLayout],
    asks: Sequence[bool],
    logits: str,
    thresholds: str,
) -> None:
    """Append ``prob``, ``asked`` and ``ran`` (N, S), see ``drnn_core/trace.py``.

    Args:
        graph: to append to.
        layout: the recursive blocks.
        asks: (S,) whether a gate stands before the step.
        logits: (N, S) of the gates; what they are where nobody was asked is of no account.
        thresholds: (S,) or (1,) logits, above which gates open.
    """
    gated = graph.constant(np.asarray(asks, dtype=np.bool_))
    chance = graph.add("Sigmoid", logits)
    graph.add("Where", gated, chance, graph.floats(1.0), result="prob")
    opened = graph.add("Greater", logits, thresholds)
    closed = graph.add("And", graph.add("Not", opened), gated)
    # A loop ran if no gate of its block up to it was closed, and was asked for if none before it.
    count = graph.add("Cast", closed, to=TensorProto.FLOAT)
    none = graph.floats(0.5)
    up_to, before = _same_block(layout)
    graph.add("Less", graph.add("MatMul", count, graph.constant(up_to)), none, result="ran")
    reached = graph.add("Less", graph.add("MatMul", count, graph.constant(before)), none)
    graph.add("And", reached, gated, result="asked")


def write_empty_trace(graph: Graph, images: str) -> None:
    """The trace of N images by a network without loops: (N, 0)."""
    shape = graph.add("Concat", images, graph.integers(0), axis=0)
    graph.add("Expand", graph.constant(np.zeros((1, 0), np.float32)), shape, result="prob")
    for name in Trace._fields[1:]:
        graph.add("Expand", graph.constant(np.zeros((1, 0), np.bool_)), shape, result=name)


def _same_block(layout: Sequence[BlockLayout]) -> tuple[np.ndarray, np.ndarray]:
    """(S, S) each: 1 where row and column are of one block and the row is not later, or earlier."""
    block = np.repeat(np.arange(len(layout)), [each.loops for each in layout])
    same = (block[:, None] == block).astype(np.float32)
    return np.triu(same), np.triu(same, k=1)
