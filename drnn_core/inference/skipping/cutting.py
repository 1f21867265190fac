"""A recursified backbone as a chain: recursive blocks, and what lies between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from torch import fx, nn

from drnn_core.models.recursify import RecursifiedNetwork
from drnn_core.models.recursive import RecursiveBlock


class NotAChainError(ValueError):
    """A network that cannot be compiled, because branches lead around its recursive blocks."""


def chain_of(network: RecursifiedNetwork) -> list[list[nn.Module]]:
    """Recursive blocks and pieces between them, each features -> features, by stage.

    Raises:
        NotAChainError: at some recursive block or end of a stage, another branch is still open.
    """
    nodes: list[fx.Node] = list(network.body.graph.nodes)
    output = nodes[-1]
    features, _ = cast("tuple[Sequence[fx.Node], Sequence[fx.Node]]", output.args[0])
    inputs = [node for node in nodes if node.op == "placeholder"]
    blocks = _blocks(network)
    stages: list[list[nn.Module]] = []
    stage: list[nn.Module] = []
    start, waiting = inputs[0], cast("list[fx.Node]", [])
    for node in nodes:
        block = blocks.get(str(node.target)) if node.op == "call_module" else None
        if block is not None:
            stage += _piece(network.body, start, waiting, _first(node))
            stage.append(block)
            start, waiting = _features_of(node), []
        elif node.op not in ("placeholder", "output") and not _is_of_block(node, blocks):
            waiting.append(node)
        if node in features:
            stage += _piece(network.body, start, waiting, node)
            stages.append(stage)
            start, waiting, stage = node, [], []
    return stages


def _blocks(network: RecursifiedNetwork) -> dict[str, RecursiveBlock]:
    modules = cast("Iterator[tuple[str, nn.Module]]", network.body.named_modules())
    return {path: module for path, module in modules if isinstance(module, RecursiveBlock)}


def _features_of(block: fx.Node) -> fx.Node:
    """What a recursive block returns beside its trace."""
    return next(user for user in block.users if user.args[1] == 0)


def _is_of_block(node: fx.Node, blocks: dict[str, RecursiveBlock]) -> bool:
    """Whether a node only takes apart what a recursive block returns."""
    source = node.args[0] if node.args else None
    return (
        isinstance(source, fx.Node) and source.op == "call_module" and str(source.target) in blocks
    )


def _piece(
    body: nn.Module, start: fx.Node, nodes: Sequence[fx.Node], end: fx.Node
) -> list[nn.Module]:
    """The function from ``start`` to ``end``, if they are not the same."""
    if start is end:
        return []
    graph = fx.Graph()
    copies = {start: graph.placeholder("x")}
    for node in nodes:
        outside = [source.name for source in node.all_input_nodes if source not in copies]
        if outside:
            raise NotAChainError(
                f"expected a chain of blocks, but {node.name} reads {', '.join(outside)} beside "
                f"{start.name}"
            )
        copies[node] = graph.node_copy(node, copies.__getitem__)
    graph.output(copies[end])
    return [fx.GraphModule(body, graph)]


def _first(node: fx.Node) -> fx.Node:
    return cast(fx.Node, node.args[0])
