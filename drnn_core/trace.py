"""The nouns of the project: what every network returns and what it is made of.

This file imports nothing of the project but its layouts, so everybody may import it.

Shapes: B images, S steps. A *step* is one loop of one recursive block; the steps of a network
stand in network order (block 1 loop 1, block 1 loop 2, ..., block 2 loop 1, ...).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from drnn_core.layout import BlockLayout


class Trace(NamedTuple):
    """The gates' decisions for a batch (paper, section 3; figure 8 counts ``ran``).

    Attributes:
        prob: (B, S) float32. The gate's chance to run the loop, sigmoid of its logit; 1 where a
            block has no gate. Only meaningful where ``asked``. Differentiable in training.
        asked: (B, S) bool. The gate was consulted: the image was still in the block.
        ran: (B, S) bool. The loop was executed. ``ran`` implies every earlier loop of the
            block ran too: a closed gate is final.
    """

    prob: Tensor
    asked: Tensor
    ran: Tensor

    @property
    def loops(self) -> Tensor:
        """(B,) int64: executed loops of each image, over all recursive blocks."""
        return self.ran.sum(dim=1)

    def block_loops(self, layout: Sequence[BlockLayout]) -> Tensor:
        """(B, blocks) int64: executed loops of each image in each recursive block.

        Raises:
            ValueError: the layout's steps do not sum to the trace's.
        """
        sizes = [block.loops for block in layout]
        if sum(sizes) != self.ran.shape[1]:
            raise ValueError(
                f"expected a trace of {sum(sizes)} steps for blocks of {sizes} loops, "
                f"got {self.ran.shape[1]}; pass the layout of the network that made the trace"
            )
        if not sizes:
            return self.ran.new_zeros((self.ran.shape[0], 0), dtype=torch.int64)
        parts = torch.split(self.ran, sizes, dim=1)
        return torch.stack([part.sum(dim=1) for part in parts], dim=1)


class Output(NamedTuple):
    """What every network's ``forward`` returns; a plain network has a trace of 0 steps.

    Attributes:
        logits: (B, classes) float.
        trace: the decisions of every recursive block, S steps.
    """

    logits: Tensor
    trace: Trace


def ran_of(block_loops: Tensor, layout: Sequence[BlockLayout]) -> Tensor:
    """Which loops ran, (B, S) bool, from how many did in each block: ``Trace.block_loops`` undone.

    Args:
        block_loops: (B, blocks) whole numbers.
        layout: the recursive blocks.

    Raises:
        ValueError: numbers of other blocks, or more loops than a block has.
    """
    most = torch.tensor([block.loops for block in layout], dtype=torch.int64)
    if block_loops.shape[1:] != most.shape or bool((block_loops.cpu() > most).any()):
        raise ValueError(
            f"expected at most {most.tolist()} loops of {len(layout)} blocks for each image, got "
            f"numbers of shape {tuple(block_loops.shape)}; pass the layout of the network"
        )
    loop = [torch.arange(block.loops, device=block_loops.device) for block in layout]
    parts = [block_loops[:, place, None] > loops for place, loops in enumerate(loop)]
    if not parts:
        return torch.zeros((len(block_loops), 0), dtype=torch.bool, device=block_loops.device)
    return torch.cat(parts, dim=1)


def empty_trace(batch: int, device: torch.device | None = None) -> Trace:
    """A trace of ``batch`` images and 0 steps: what a plain block or network contributes."""
    flags = torch.zeros((batch, 0), dtype=torch.bool, device=device)
    return Trace(torch.zeros((batch, 0), device=device), flags, flags)


def join_traces(traces: Iterable[Trace], batch: int, device: torch.device | None = None) -> Trace:
    """Put traces of the same images side by side, in network order: (B, S1 + S2 + ...)."""
    parts = [trace for trace in traces if trace.ran.shape[1]]
    if not parts:
        return empty_trace(batch, device)
    return Trace(
        torch.cat([part.prob for part in parts], dim=1),
        torch.cat([part.asked for part in parts], dim=1),
        torch.cat([part.ran for part in parts], dim=1),
    )
