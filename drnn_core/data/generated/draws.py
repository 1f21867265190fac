"""Random draws that are the same on every machine.

Only the raw 64-bit output of numpy's Philox is used: numpy promises that stream for good, while
it reserves the right to change ``Generator``'s methods. Everything else here is integer and IEEE
arithmetic, without the C library's transcendental functions, which differ in the last bit
between builds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Item = TypeVar("Item")

_BLOCK = 64
_TO_UNIT = 2.0**-53
# Sum of 8 uniform bytes: mean 8 * 127.5, variance 8 * (256**2 - 1) / 12.
_BYTES_MEAN = 1020.0
_BYTES_STD = 209.0215300
_CLASSES = 10


class Draws:
    """A stream of random numbers, a pure function of ``seed`` and ``stream``.

    Args:
        seed: of the image, 0 <= seed < 2**63.
        stream: number of the part of the scene, so that one part can consume more draws without
            changing the others.
    """

    def __init__(self, seed: int, stream: int) -> None:
        self._bits = np.random.Philox(key=np.array([seed, stream], dtype=np.uint64))
        self._units: list[float] = []

    def unit(self) -> float:
        """Uniform in [0, 1)."""
        if not self._units:
            raw = self._bits.random_raw(_BLOCK)
            self._units = ((raw >> np.uint64(11)).astype(np.float64) * _TO_UNIT).tolist()
        return self._units.pop()

    def between(self, low: float, high: float) -> float:
        """Uniform in [low, high)."""
        return low + (high - low) * self.unit()

    def whole(self, low: int, high: int) -> int:
        """A whole number, low <= n <= high."""
        return low + int(self.unit() * (high - low + 1))

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.unit() < probability

    def pick(self, items: Sequence[Item]) -> Item:
        """One of the items, each equally likely."""
        return items[int(self.unit() * len(items))]

    def grid(self, *shape: int) -> NDArray[np.float64]:
        """Uniform in [0, 1), of this shape."""
        count = int(np.prod(shape))
        raw = self._bits.random_raw(count)
        return ((raw >> np.uint64(11)).astype(np.float64) * _TO_UNIT).reshape(shape)

    def bell(self, *shape: int) -> NDArray[np.float64]:
        """Nearly normal of mean 0 and standard deviation 1: sums of eight uniform bytes."""
        count = int(np.prod(shape))
        raw = self._bits.random_raw(count).astype("<u8")
        sums = raw.view(np.uint8).reshape(count, 8).sum(axis=1, dtype=np.int64)
        return ((sums - _BYTES_MEAN) / _BYTES_STD).reshape(shape)


def labels_of(seeds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Class of each seed: any ten seeds 10k .. 10k + 9 hold every class once, in hashed order.

    So every decade of seeds is balanced, and a label costs no rendering.

    Args:
        seeds: (N,) int64, not negative.

    Returns:
        (N,) int64 in 0..9.
    """
    decade = (seeds // _CLASSES).astype(np.uint64)
    members = np.arange(_CLASSES, dtype=np.uint64)
    keys = _mix(decade[:, None] * np.uint64(_CLASSES) + members)
    own = np.take_along_axis(keys, (seeds % _CLASSES)[:, None], axis=1)
    return (keys < own).sum(axis=1, dtype=np.int64)


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64: a bijection of 64-bit words, so keys never tie."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
