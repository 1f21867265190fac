"""Timing things that are to be compared: in turns, so that what disturbs one disturbs all.

A machine has other work, warms up and slows down. What is measured one after the other compares
two machines; what is measured in turns, call by call, compares two programs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

Seconds = NDArray[np.float64]
Call = Callable[[], object]


@dataclass(frozen=True)
class Ratio:
    """How many times as long one takes as the other, over the rounds of a measurement.

    Attributes:
        value: median of the rounds' ratios.
        low, high: their quartiles.
    """

    value: float
    low: float
    high: float


def interleave(
    calls: Mapping[str, Sequence[Call]],
    seconds: float,
    device: str = "cpu",
    least: int = 3,
) -> dict[str, Seconds]:
    """Time functions in turns, after a round that does not count.

    Args:
        calls: by name, the calls of one round. A name with fewer calls than another begins them
            again within the round.
        seconds: for all; no round is begun that would not end within it.
        device: that has to be done before a call has been.
        least: rounds, however long they take.

    Returns:
        (rounds, calls of a round) seconds by name.
    """
    end = time.perf_counter() + seconds
    wait = torch.cuda.synchronize if torch.device(device).type == "cuda" else None
    for each in calls.values():
        for call in each:
            call()
    rounds: dict[str, list[list[float]]] = {name: [] for name in calls}
    longest = 0.0
    while len(next(iter(rounds.values()))) < least or time.perf_counter() + longest < end:
        start = time.perf_counter()
        turn = len(next(iter(rounds.values())))
        for name, taken in _round(calls, turn, wait).items():
            rounds[name].append(taken)
        longest = max(longest, time.perf_counter() - start)
    return {name: np.asarray(found) for name, found in rounds.items()}


def _round(
    calls: Mapping[str, Sequence[Call]], turn: int, wait: Callable[[], None] | None
) -> dict[str, list[float]]:
    names = list(calls)
    taken: dict[str, list[float]] = {name: [] for name in names}
    for number in range(max(map(len, calls.values()))):
        # Nobody always comes after the same one, who may have left the caches to him.
        first = (turn + number) % len(names)
        for name in names[first:] + names[:first]:
            taken[name].append(_timed(calls[name][number % len(calls[name])], wait))
    return taken


def _timed(call: Call, wait: Callable[[], None] | None) -> float:
    if wait is not None:
        wait()
    start = time.perf_counter()
    call()
    if wait is not None:
        wait()
    return time.perf_counter() - start


def typical(seconds: Seconds) -> float:
    """Median over the rounds of a call's mean time in a round."""
    return float(np.median(seconds.mean(axis=1)))


def ratio(ours: Seconds, theirs: Seconds) -> Ratio:
    """Compare (rounds, calls) seconds that were measured in turns."""
    low, value, high = np.quantile(ours.sum(axis=1) / theirs.sum(axis=1), [0.25, 0.5, 0.75])
    return Ratio(float(value), float(low), float(high))
