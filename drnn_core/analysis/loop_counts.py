"""Summaries of loops from counts alone, so that records of any number need not be at hand.

``counts`` are images by executed loops: position j holds how many took j loops.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drnn_core.cost import expected_rates
from drnn_core.layout import BlockLayout

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


def counted_moments(counts: Counts) -> tuple[int, float, float]:
    """(n, mean, standard deviation with n - 1) of loops; NaN where there are too few images."""
    n = int(counts.sum())
    loops = np.arange(len(counts))
    mean = float(counts @ loops) / n if n else math.nan
    square = float(counts @ (loops - mean) ** 2) if n else 0.0
    return n, mean, math.sqrt(square / (n - 1)) if n > 1 else math.nan


def counted_steps(
    counts: Sequence[Counts],
    layout: Sequence[BlockLayout],
    target: float | None = None,
    asks: Sequence[bool] | None = None,
) -> pd.DataFrame:
    """One row per step: which share of the images ran it.

    Columns: ``block``, ``loop`` (from 0), ``name`` (of the block), ``ran`` (images), ``reached``
    (images that ran every loop before), ``rate`` (ran / N), ``opened`` (ran / reached), and
    ``expected`` (t to the power of the gates passed). Rates of no images are NaN, as is ``opened``
    where no gate is asked.

    Args:
        counts: of each block.
        layout: of the network.
        target: t, or None.
        asks: which steps ask a gate; by default all.
    """
    expected = expected_rates(layout, target, asks)
    asked = [True] * len(expected) if asks is None else asks
    rows: list[dict[str, Any]] = []
    for block, (part, images) in enumerate(zip(layout, counts, strict=True)):
        total = int(images.sum())
        for loop in range(part.loops):
            ran, reached = int(images[loop + 1 :].sum()), int(images[loop:].sum())
            rows.append(
                {
                    "block": block,
                    "loop": loop,
                    "name": part.name,
                    "ran": ran,
                    "reached": reached,
                    "rate": ran / total if total else math.nan,
                    "opened": ran / reached if reached and asked[len(rows)] else math.nan,
                    "expected": expected[len(rows)],
                }
            )
    columns = ["block", "loop", "name", "ran", "reached", "rate", "opened", "expected"]
    return pd.DataFrame(rows, columns=columns)


def opening_rate(
    counts: Sequence[Counts], layout: Sequence[BlockLayout], asks: Sequence[bool]
) -> tuple[float, list[Floats]]:
    """How often a gate that was asked opened, mean over gates, and what an image adds to it.

    Args:
        counts: of each block.
        layout: of the network.
        asks: which steps ask a gate.

    Returns:
        The rate, NaN where no gate was asked; and for each block (l + 1,) scores by executed
        loops. The sum of an image's scores is its influence on the rate (of mean 0), whose
        standard deviation over images gives the rate's standard error (delta method).
    """
    scores = [np.zeros(block.loops + 1) for block in layout]
    rates: list[float] = []
    gates = iter(asks)
    for images, block, score in zip(counts, layout, scores, strict=True):
        executed = np.arange(block.loops + 1)
        for loop in range(block.loops):
            asked = int(images[loop:].sum())
            if next(gates) and asked:
                rate = int(images[loop + 1 :].sum()) / asked
                rates.append(rate)
                moves = (executed > loop) - rate * (executed >= loop)
                np.add(score, moves * images.sum() / asked, out=score)
    if not rates:
        return math.nan, scores
    return sum(rates) / len(rates), [score / len(rates) for score in scores]


def class_rows(table: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """A table of ``label``, ``n``, ``mean``, ``std``, ``error`` with ``name``, by mean loops."""
    named = table.copy()
    named.insert(1, "name", [classes[int(label)] for label in table["label"]])
    return named.sort_values(["mean", "label"], kind="stable", ignore_index=True)
