"""The images that are still in a block lie together: a contiguous piece of memory, a plain slice.

An image that leaves changes places with one that stays. Only these pairs are moved, row by row,
which costs a third to a sixth of indexing all images anew; nothing is put back at the end of the
block. ``who`` remembers which image lies where, and the order is restored where it costs nothing,
in the logits (B, classes) and the decisions (B, S).

The piece lies in the middle. Two threads then go on with images that they have worked on before,
whose features are in their core's cache: whoever leaves goes to the end that is nearer.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

# Elements of a row from which on PyTorch's copies, on several threads, cost less than NumPy's.
_LONG = 1 << 16


class Window(NamedTuple):
    """The images from ``start`` to ``stop`` (exclusive)."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        """How many."""
        return self.stop - self.start


def bring_together(x: Tensor, who: list[int], window: Window, logits: Sequence[float]) -> Window:
    """Move the images that stay to the middle of the batch.

    Args:
        x: (B, C, H, W) features, dense. Changed.
        who: which image lies where, B of them. Changed alike.
        window: the images that were asked.
        logits: of them; positive ones stay.

    Returns:
        The images that stay.
    """
    staying = [place for place, logit in enumerate(logits, window.start) if logit > 0]
    middle = len(x) // 2
    left = bisect_left(staying, middle)
    found = Window(middle - left, middle - left + len(staying))
    if found == window or not staying:
        return found
    # As many of each half lie outside of the window as there are holes in it.
    movers = [place for place in staying if not found.start <= place < found.stop]
    filled = set(staying)
    holes = [place for place in range(*found) if place not in filled]
    if movers:
        for mover, hole in zip(movers, holes, strict=True):
            who[mover], who[hole] = who[hole], who[mover]
        _swap(images_as_rows(x), movers, holes)
    return found


def images_as_rows(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C * H * W) on the same memory, in whatever order it lies.

    Raises:
        ValueError: the images do not lie one behind the other.
    """
    size = x[0].numel()
    if x.is_contiguous(memory_format=torch.channels_last) or x.is_contiguous():
        return x.as_strided((x.shape[0], size), (size, 1))
    raise ValueError(f"expected features that lie densely, got strides {x.stride()} of {x.shape}")


def _swap(rows: Tensor, some: list[int], others: list[int]) -> None:
    if rows.device.type != "cpu":
        here = torch.tensor(some + others, device=rows.device)
        there = torch.tensor(others + some, device=rows.device)
        rows.index_copy_(0, here, rows.index_select(0, there))
    elif rows.shape[1] >= _LONG:
        spare = torch.empty_like(rows[0])
        for place, other in zip(some, others, strict=True):
            one, two = rows[place], rows[other]
            spare.copy_(one)
            one.copy_(two)
            two.copy_(spare)
    else:
        # NumPy knows no bfloat16, and its copies of a row cost less than half of PyTorch's.
        array = (rows.view(torch.int16) if rows.dtype == torch.bfloat16 else rows).numpy()
        spare = np.empty_like(array[0])
        for place, other in zip(some, others, strict=True):
            one, two = array[place], array[other]
            spare[:] = one
            one[:] = two
            two[:] = spare
