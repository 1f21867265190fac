"""A backbone's graph with recursive blocks in it, cut into body and head."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence

from torch import fx, nn


def insert_blocks(
    graph: fx.Graph, nodes: Mapping[str, fx.Node], parts: Sequence[Sequence[str]]
) -> tuple[dict[str, fx.Node], list[fx.Node]]:
    """Let each recursive block stand where the blocks stood that it is made of.

    Args:
        graph: of the backbone, changed here: each recursive block gets an input of its own for
            the decisions to replay.
        nodes: the call of each residual block, by its path.
        parts: paths of the blocks that each recursive block is made of; it is called by the path
            of the first.

    Returns:
        What stands for each residual block's features, those that were left out not among them,
        and each recursive block's trace.
    """
    features = dict(nodes)
    traces: list[fx.Node] = []
    last_input = next(node for node in graph.nodes if node.op == "placeholder")
    for number, paths in enumerate(parts):
        first, last = nodes[paths[0]], nodes[paths[-1]]
        readers = list(last.users)
        with graph.inserting_after(last_input):
            last_input = graph.placeholder(f"replay_{number}", default_value=None)
        with graph.inserting_after(last):
            outcome = graph.call_function(operator.getitem, (first, 0))
        with graph.inserting_after(outcome):
            traces.append(graph.call_function(operator.getitem, (first, 1)))
        for reader in readers:
            reader.replace_input_with(last, outcome)
        for path in reversed(paths[1:]):
            graph.erase_node(features.pop(path))
        first.args = (*first.args, last_input)
        features[paths[0]] = outcome
    return features, traces


def cut(
    model: nn.Module, graph: fx.Graph, stages: Sequence[fx.Node], traces: Sequence[fx.Node]
) -> tuple[fx.GraphModule, fx.GraphModule]:
    """Body (x, decisions to replay -> features by stage, traces) and head (features -> logits).

    Args:
        model: holds the modules that the graph calls.
        graph: of the whole network.
        stages: the features of each stage; the last ones are what the head reads.
        traces: of each recursive block.

    Raises:
        ValueError: what follows the last stage reads something else, too.
    """
    last = stages[-1]
    inside = _ancestors([*stages, *traces])
    inputs = graph.find_nodes(op="placeholder")
    body = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    for node in graph.nodes:
        if node in inside or node in inputs:
            copies[node] = body.node_copy(node, copies.__getitem__)
    body.output((tuple(copies[node] for node in stages), tuple(copies[node] for node in traces)))
    head = fx.Graph()
    copies = {last: head.placeholder("features")}
    behind = _ancestors(graph.find_nodes(op="output"))
    for node in graph.nodes:
        if node in behind and (node not in inside or node.op == "get_attr"):
            strays = [source for source in node.all_input_nodes if source not in copies]
            if strays:
                raise ValueError(
                    f"expected that all behind the last residual block reads its features only, "
                    f"but {node.name} reads {strays[0].name}: branches and auxiliary outputs "
                    "cannot be made recursive"
                )
            copies[node] = head.node_copy(node, copies.__getitem__)
    return fx.GraphModule(model, body, "Body"), fx.GraphModule(model, head, "Head")


def _ancestors(nodes: Iterable[fx.Node]) -> set[fx.Node]:
    """The nodes and everything that they are computed from."""
    found: set[fx.Node] = set()
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting.extend(node.all_input_nodes)
    return found
