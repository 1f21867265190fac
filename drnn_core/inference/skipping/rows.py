"""The images that are still in a block lie first: a contiguous piece of memory, a plain slice.

An image that leaves changes places with one that stays and lies behind. Only these pairs are
moved, row by row, which costs a third to a sixth of indexing all images anew; nothing is put back
at the end of the block. ``who`` remembers which image lies where, and the order is restored where
it costs nothing, in the logits (B, classes) and the decisions (B, S).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def bring_forward(x: Tensor, who: Tensor, stays: Tensor) -> int:
    """Move the images that stay to the front.

    Args:
        x: (B, C, H, W) features, dense; the first n are asked about. Changed.
        who: (B,) int64, which image lies where. Changed alike.
        stays: (n,) bool.

    Returns:
        How many stay.
    """
    staying = stays.cpu().numpy()
    count = int(np.count_nonzero(staying))
    if count in (0, len(staying)):
        return count
    front = np.flatnonzero(~staying[:count])
    if not len(front):
        return count
    back = np.flatnonzero(staying[count:]) + count
    for tensor in (images_as_rows(x), who[:, None]):
        if tensor.device.type == "cpu":
            _swap_on_cpu(tensor, front.tolist(), back.tolist())
        else:
            _swap(tensor, front, back)
    return count


def images_as_rows(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C * H * W) on the same memory, in whatever order it lies.

    Raises:
        ValueError: the images do not lie one behind the other.
    """
    size = x[0].numel()
    if x.is_contiguous() or x.is_contiguous(memory_format=torch.channels_last):
        return x.as_strided((x.shape[0], size), (size, 1))
    raise ValueError(f"expected features that lie densely, got strides {x.stride()} of {x.shape}")


def _swap_on_cpu(rows: Tensor, front: list[int], back: list[int]) -> None:
    # NumPy knows no bfloat16, and its copies of a row cost less than half of PyTorch's.
    array = (rows.view(torch.int16) if rows.dtype == torch.bfloat16 else rows).numpy()
    spare = np.empty_like(array[0])
    for first, last in zip(front, back, strict=True):
        spare[:] = array[first]
        array[first] = array[last]
        array[last] = spare


def _swap(rows: Tensor, front: np.ndarray, back: np.ndarray) -> None:
    here = torch.from_numpy(np.concatenate((front, back))).to(rows.device)
    there = torch.from_numpy(np.concatenate((back, front))).to(rows.device)
    rows.index_copy_(0, here, rows.index_select(0, there))
