"""Randomness as a function of (seed, purpose, counter).

Every draw of a training, from the first weights to the noise of the gates, comes from a
generator seeded for that purpose and step. Nothing carries over from one step to the next, so
a training goes on after an interruption with exactly the numbers that it would have drawn, and
two networks trained with one seed see the same images, crops and flips in the same order.
"""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor


def derived_seed(seed: int, purpose: str, counter: int = 0) -> int:
    """A 63-bit seed that differs wherever seed, purpose or counter differ."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{counter}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def generator(seed: int, purpose: str, counter: int = 0) -> torch.Generator:
    """A CPU generator for one purpose at one step."""
    return torch.Generator().manual_seed(derived_seed(seed, purpose, counter))


def epoch_order(seed: int, epoch: int, count: int) -> Tensor:
    """(count,) int64: the order of the training images in ``epoch``."""
    return torch.randperm(count, generator=generator(seed, "order", epoch))
