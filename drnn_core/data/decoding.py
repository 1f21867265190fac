"""Work on pictures spread over the processor's cores, in threads.

Decoding and scaling a picture are long calls into C that let other threads run meanwhile. Each
result depends on its own argument alone, so how many threads there are changes nothing but time.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

# Fewer items than this are not worth waking a thread.
_FEW = 4
# Runs of items for each thread: few, since every run costs; several, since pictures differ.
_RUNS = 4


def in_threads(work: Callable[[_Item], _Result], items: Sequence[_Item]) -> list[_Result]:
    """``[work(item) for item in items]``, on all cores.

    Raises:
        Exception: whatever ``work`` raises, for the first item for which it does.
    """
    if len(items) < _FEW:
        return [work(item) for item in items]
    length = -(-len(items) // (_RUNS * _count()))
    runs = [items[start : start + length] for start in range(0, len(items), length)]

    def done(run: Sequence[_Item]) -> list[_Result]:
        return [work(item) for item in run]

    return [result for results in _threads().map(done, runs) for result in results]


def _count() -> int:
    """Threads: the cores, shared with the processes that torchrun starts side by side."""
    return max(1, (os.cpu_count() or 1) // int(os.environ.get("LOCAL_WORLD_SIZE", "1")))


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_count(), thread_name_prefix="decoding")
