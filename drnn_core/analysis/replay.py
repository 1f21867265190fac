"""Thresholds of the gates moved after training: what the records already say about it.

A gate opens where its probability is above one half. Another threshold spends more or less on
every image, with the same weights. Records hold the probability of every gate that was asked, so
part of the answer needs no network:

- Up to and including the first block in which an image's loops change, the features are those that
  were recorded, and so are the probabilities. In that block the new number of loops is exact where
  the gate closes earlier. Where it closes later, only what was recorded is known: an image that was
  sent away before loop k now runs it for certain, and whether it runs loop k + 1 is known only if
  there is none.
- Behind that block the image is another one: its gates would say something that was never asked.
  Nothing is known there but the limits, 0 and the most loops of the block.
- An image whose loops change in no block keeps its features, its prediction and its cost.

``replayed`` gives exactly this: what is exact, and bounds for the rest. To know the rest, run the
network: ``drnn_core/inference/thresholds.py``.

Pure functions over a run's records. Shapes: N records, K recursive blocks, S steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drnn_core.analysis.loops import block_matrix, gate_matrix
from drnn_core.layout import BlockLayout

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

RECORDED_THRESHOLD = 0.5


@dataclass(frozen=True)
class Replayed:
    """Loops under other thresholds, as far as the records tell.

    Attributes:
        least, most: (N, K) bounds of the loops of each image in each block; equal where exact.
        exact: (N, K) bool, the number is certain.
        unchanged: (N,) bool, all loops are certain and as recorded, and so is the prediction.
    """

    least: Integers
    most: Integers
    exact: Flags
    unchanged: Flags


def replayed(
    records: pd.DataFrame,
    layout: Sequence[BlockLayout],
    thresholds: float | Sequence[float],
    asks: Sequence[bool] | None = None,
) -> Replayed:
    """Loops of recorded images if gates opened above other thresholds than one half.

    Args:
        records: of a run.
        layout: its recursive blocks.
        thresholds: one for all blocks or one for each block; a gate opens where its probability
            is above it, always at 0 and never at 1. Blocks without a gate pay it no heed.
        asks: (S,) whether a gate stands before the step; by default before every step of a gated
            block.

    Raises:
        ValueError: thresholds outside 0..1 or of other blocks, or records of another network.
    """
    return replay(*matrices(records), layout, checked_thresholds(thresholds, layout), asks)


def matrices(records: pd.DataFrame) -> tuple[Integers, Floats]:
    """(N, K) recorded loops and (N, S) probabilities."""
    return block_matrix(records).astype(np.int64), gate_matrix(records).astype(np.float64)


def replay(
    loops: Integers,
    prob: Floats,
    layout: Sequence[BlockLayout],
    limits: Sequence[float],
    asks: Sequence[bool] | None,
) -> Replayed:
    """As ``replayed``, of ``matrices`` and ``checked_thresholds``."""
    steps = [(block, loop) for block, part in enumerate(layout) for loop in range(part.loops)]
    gated = [layout[block].gated for block, _ in steps] if asks is None else list(asks)
    if loops.shape[1] != len(layout) or prob.shape[1] != len(steps) or len(gated) != len(steps):
        raise ValueError(
            f"expected records of {len(layout)} blocks and {len(steps)} steps, got "
            f"{loops.shape[1]} and {prob.shape[1]}; pass the layout of the recorded network"
        )
    least, most = np.zeros_like(loops), np.zeros_like(loops)
    as_recorded = np.ones(len(loops), dtype=bool)  # the features that reach the block
    for block, part in enumerate(layout):
        there = [step for step, (own, _) in enumerate(steps) if own == block]
        low, high = _walk(
            prob[:, there], loops[:, block], limits[block], [gated[step] for step in there]
        )
        open_, shut = limits[block] <= 0, limits[block] >= 1
        free = next((k for k, step in enumerate(there) if gated[step]), part.loops)
        blind = (part.loops if open_ else free, free if shut else part.loops)
        least[:, block] = np.where(as_recorded, low, blind[0])
        most[:, block] = np.where(as_recorded, high, blind[1])
        as_recorded &= (low == high) & (low == loops[:, block])
    return Replayed(least, most, least == most, as_recorded)


def _walk(
    prob: Floats, recorded: Integers, threshold: float, gated: Sequence[bool]
) -> tuple[Integers, Integers]:
    """(N,) fewest and most loops of a block whose features are the recorded ones.

    Args:
        prob: (N, loops), NaN where the gate was not asked.
        recorded: (N,) loops that ran.
        threshold: of the gate.
        gated: whether a gate stands before each loop.
    """
    count = len(gated)
    inside = np.ones(len(prob), dtype=bool)  # still in the block, for certain
    least = np.zeros(len(prob), dtype=np.int64)
    most = np.zeros(len(prob), dtype=np.int64)
    unknown = np.zeros(len(prob), dtype=bool)
    for loop in range(count):
        if gated[loop] and 0 < threshold < 1:
            # At one half exactly the record decides: sigmoid rounds the smallest logits to 0.5.
            tie = (prob[:, loop] == threshold) & (threshold == RECORDED_THRESHOLD)
            opens = (prob[:, loop] > threshold) | (tie & (recorded > loop))
            unknown |= inside & np.isnan(prob[:, loop])
        else:
            opens = np.full(len(prob), not gated[loop] or threshold <= 0)
        inside &= opens & ~unknown
        least += inside
    most = np.where(unknown, count, least)
    return least, most


def checked_thresholds(
    thresholds: float | Sequence[float], layout: Sequence[BlockLayout]
) -> tuple[float, ...]:
    """A threshold for each block.

    Raises:
        ValueError: thresholds outside 0..1, or not one for each block.
    """
    single = isinstance(thresholds, int | float)
    found = (thresholds,) * len(layout) if single else tuple(thresholds)
    if len(found) != len(layout):
        raise ValueError(
            f"expected one threshold, or one for each of {len(layout)} blocks, got {len(found)}"
        )
    if not all(0 <= value <= 1 for value in found):
        raise ValueError(f"expected thresholds from 0 to 1, got {list(found)}")
    return tuple(float(value) for value in found)
