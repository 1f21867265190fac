"""Decisions that are told to a network: at the rates that it expects, or those of a run's records.

Fresh gates open for nearly everybody, and no bias makes a random network skip as the paper's do.
So decisions are drawn: of P images, round(P t^k) run loop k of a block, other ones in every
block. They are told to the compiled network, which asks its gates all the same and pays for that.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drnn_core.layout import BlockLayout
from drnn_core.trace import Trace


def expected_decisions(
    layout: Sequence[BlockLayout], rates: Sequence[float], images: int, seed: int = 0
) -> Tensor:
    """(images, S) bool: which image runs which step, a closed gate final.

    Args:
        layout: the recursive blocks.
        rates: (S,) chance of each step to run, as ``NetworkCost.expected_rates`` gives it.
        images: how many.
        seed: of the draw.
    """
    generator = torch.Generator().manual_seed(seed)
    columns: list[Tensor] = []
    for block in layout:
        order = torch.randperm(images, generator=generator)  # who stays longest
        for _ in range(block.loops):
            count = round(rates[len(columns)] * images)
            ran = torch.zeros(images, dtype=torch.bool)
            ran[order[:count]] = True
            columns.append(ran)
    return torch.stack(columns, dim=1) if columns else torch.zeros((images, 0), dtype=torch.bool)


def recorded_decisions(
    layout: Sequence[BlockLayout], block_loops: NDArray[np.int64], images: int, seed: int = 0
) -> Tensor:
    """(images, S) bool: the decisions of recorded images, drawn at random, each at most once.

    Args:
        layout: the recursive blocks.
        block_loops: (N, blocks) loops that each recorded image ran.
        images: how many; more than N are drawn with repetition.
        seed: of the draw.
    """
    there = len(block_loops)
    drawn = np.random.default_rng(seed).choice(there, images, replace=images > there)
    loops = block_loops[drawn]
    columns = [
        loops[:, place] > loop for place, block in enumerate(layout) for loop in range(block.loops)
    ]
    return torch.from_numpy(np.stack(columns, axis=1)) if columns else torch.zeros(images, 0) > 0


def trace_of(layout: Sequence[BlockLayout], asks: Sequence[bool], ran: Tensor) -> Trace:
    """The trace of images that ran those steps (B, S); its probabilities say the same."""
    first = torch.tensor([loop == 0 for block in layout for loop in range(block.loops)])
    reached = torch.cat((ran[:, :1], ran[:, :-1]), dim=1) | first
    return Trace(ran.float(), reached & torch.tensor(list(asks), dtype=torch.bool), ran)
