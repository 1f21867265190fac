"""A foreign residual block as the body of a recursive block.

The whole block loops: x <- block_k(x) where the gate lets it run. It contains the residual sum and
the activation already, so nothing is added to what it returns. Convolutions and all other weights
are shared by the loops; each norm becomes one for each loop.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, fx, nn

from drnn_core.models.gate import Gate
from drnn_core.models.norm import LoopNorm, NormKind
from drnn_core.models.recursify.norms import LoopCopies, loop_norm
from drnn_core.models.recursify.shapes import modules_of
from drnn_core.models.recursify.tracing import NORMS, is_identity
from drnn_core.models.recursive import FirstLoop, RecursiveBlock

Keep = Literal["first", "mean", "none"]
KEEPS: tuple[str, ...] = get_args(Keep)

# Modules that leave their input as it is: only before these need x not be copied.
_HARMLESS = (nn.Conv2d, nn.Linear, LoopNorm, LoopCopies)


class RecursifiedBlock(RecursiveBlock):
    """A recursive block whose body returns x + F_k(x), activated as the backbone does it.

    Args:
        body: the block; called as ``body(x, loop, executed)``.
        loops: l, the most loops.
        gate, first_loop: see ``RecursiveBlock``.
    """

    def __init__(
        self, body: nn.Module, loops: int, gate: Gate | None, first_loop: FirstLoop = "gated"
    ) -> None:
        super().__init__(body, loops, gate, first_loop, activation=False)

    def advance(self, beside: Tensor, residual: Tensor) -> Tensor:
        """An executed loop's result: what the body returned, which holds the sum already."""
        return residual.to(beside.dtype)  # mixed precision: the sum may be in the lower one


def looped_body(
    blocks: Sequence[nn.Module], graph: fx.Graph, loops: int, kind: NormKind, keep: Keep
) -> fx.GraphModule:
    """One body made of blocks that repeat each other.

    Args:
        blocks: in network order; the first one becomes the body.
        graph: of the first block's forward, traced down to its norms.
        loops: l, sets of norms.
        kind: of LoopNorm.
        keep: which weights the body begins with, where several blocks become one or loop.

    Raises:
        ValueError: ``keep`` is "none" and a block has parameters that it cannot draw anew.
    """
    body = blocks[0]
    norms = [path for path, part in modules_of(body) if isinstance(part, NORMS)]
    folded = len(blocks) > 1 or loops > 1
    if folded and keep == "none":
        _draw_anew(body)
    if folded and keep == "mean":
        _average(blocks, norms)
    # Loop k of the mean does the work of the k-th block, and meets features like that block's.
    # The first block's convolutions belong with the first block's norms: another block's scale
    # and running statistics say nothing of what they give.
    sources = blocks if keep == "mean" else blocks[:1]
    for path in norms:
        norm = loop_norm([block.get_submodule(path) for block in sources], loops, kind)
        body.set_submodule(path, norm)
    return fx.GraphModule(body, _threaded(graph, body, set(norms)), "LoopedBody")


def _threaded(graph: fx.Graph, body: nn.Module, norms: set[str]) -> fx.Graph:
    """The graph with ``loop`` and ``executed`` handed to every norm."""
    new = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    x: fx.Node | None = None
    more: tuple[fx.Node, ...] = ()
    for node in graph.nodes:
        copied = new.node_copy(node, copies.__getitem__)
        copies[node] = copied
        if node.op == "placeholder":
            x = copied
            names = {"loop": 0, "executed": None}
            more = tuple(new.placeholder(name, default_value=names[name]) for name in names)
        elif node.op == "call_module" and node.target in norms:
            copied.args = (*copied.args, *more)
    assert x is not None
    _protect(new, body, x)
    return new


def _protect(graph: fx.Graph, body: nn.Module, x: fx.Node) -> None:
    """Copy x for whoever might change it in place: images that leave the loop keep it."""
    for user in list(x.users):
        module = body.get_submodule(str(user.target)) if user.op == "call_module" else None
        if module is not None and is_identity(module):
            _protect(graph, body, user)  # x by another name
        elif not isinstance(module, _HARMLESS) and not _adds_outside(user, x):
            with graph.inserting_before(user):
                user.replace_input_with(x, graph.call_method("clone", (x,)))


def _adds_outside(node: fx.Node, x: fx.Node) -> bool:
    """A sum that is not written into x: ``x + y``, or ``y += x``."""
    into_first = node.target is operator.iadd and node.args[0] is x
    return node.target in (operator.add, operator.iadd, torch.add) and not into_first


def _average(blocks: Sequence[nn.Module], norms: Sequence[str]) -> None:
    """Give the first block the mean of every tensor of the blocks that is no norm's."""
    states = [block.state_dict() for block in blocks]
    with torch.no_grad():
        for name, tensor in states[0].items():
            of_norm = any(name.startswith(f"{norm}.") for norm in norms)
            if tensor.is_floating_point() and not of_norm:
                tensor.copy_(torch.stack([state[name] for state in states]).mean(dim=0))


def _draw_anew(block: nn.Module) -> None:
    """Fresh weights, by every module's own ``reset_parameters``."""
    for path, module in modules_of(block):
        own = list(dict(module.named_parameters(recurse=False)))
        reset = getattr(module, "reset_parameters", None)
        if own and reset is None:
            raise ValueError(
                f"keep='none' cannot draw {path}.{own[0]} anew: {type(module).__name__} has no "
                "reset_parameters; give a backbone of fresh weights and keep='first' instead"
            )
        if own and reset is not None:
            reset()
