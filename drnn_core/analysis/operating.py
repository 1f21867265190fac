"""An operating point: a network under other thresholds, beside what was recorded at one half.

Everything is paired: the same images before and after, so that intervals of changes are those of
differences within images.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drnn_core.analysis.bootstrap import Estimate, interval, resamples_of
from drnn_core.analysis.comparison import McNemar, mcnemar, paired

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class ByClass:
    """What each of C classes pays, (C,) each; 0 (loops: NaN) where there is no image of it.

    Attributes:
        images: of the class.
        wrong: images answered wrong under the new thresholds.
        lost: of them, images that were answered right before.
        won: images answered right that were answered wrong before.
        loops: mean under the new thresholds.
    """

    images: Integers
    wrong: Integers
    lost: Integers
    won: Integers
    loops: NDArray[np.float64]


@dataclass(frozen=True)
class Operating:
    """What thresholds do to N images.

    Attributes:
        n: images.
        error: in %.
        loops, macs: means per image.
        error_change: in points of %; below 0 where fewer are answered wrong than before.
        loops_change, macs_change: means per image, new less before.
        answers: who is right where; "a" is before, "b" the new thresholds.
        classes: the same by class.
    """

    n: int
    error: Estimate
    loops: Estimate
    macs: Estimate
    error_change: Estimate
    loops_change: Estimate
    macs_change: Estimate
    answers: McNemar
    classes: ByClass


def operating(
    before: pd.DataFrame,
    after: pd.DataFrame,
    classes: int,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Operating:
    """Compare the records of the same images before and after the thresholds moved.

    Args:
        before: records at one half; may be of more images.
        after: what ``inference.thresholds.rerun`` gives.
        classes: C, how many the network tells apart.
        level, resamples, seed: of the bootstrap over images; all figures share its draws.

    Raises:
        ValueError: as of ``comparison.paired``, or an image that ``before`` lacks.
    """
    pairs = paired(before, after)
    if len(pairs) != len(after):
        raise ValueError(
            f"expected records of all {len(after):,} images that ran anew, {len(pairs):,} have one"
        )
    wrong = [~pairs[f"correct_{run}"].to_numpy().astype(np.bool_) for run in "ab"]
    columns = [100.0 * wrong[1], pairs["loops_b"], pairs["macs_b"]]
    changes = [100.0 * wrong[0], pairs["loops_a"], pairs["macs_a"]]
    values = np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)
    old = np.stack([np.asarray(column, dtype=np.float64) for column in changes], axis=1)
    table = np.concatenate([values, values - old], axis=1)
    draws = np.array(
        [counts @ table / len(table) for counts in resamples_of(len(table), resamples, seed)]
    )
    found = [
        Estimate(float(column.mean()), *interval(draws[:, place], level), len(table), level)
        for place, column in enumerate(table.T)
    ]
    error, loops, macs, error_change, loops_change, macs_change = found
    return Operating(
        n=len(pairs),
        error=error,
        loops=loops,
        macs=macs,
        error_change=error_change,
        loops_change=loops_change,
        macs_change=macs_change,
        answers=mcnemar(pairs),
        classes=by_class(pairs, classes),
    )


def by_class(pairs: pd.DataFrame, classes: int) -> ByClass:
    """Who pays: counts of each class in ``comparison.paired``'s table."""
    labels = pairs["label"].to_numpy().astype(np.int64)
    a, b = (pairs[f"correct_{run}"].to_numpy().astype(np.bool_) for run in "ab")

    def count(chosen: NDArray[np.bool_]) -> Integers:
        return np.bincount(labels[chosen], minlength=classes).astype(np.int64)

    images = count(np.ones(len(labels), dtype=np.bool_))
    loops = np.bincount(labels, pairs["loops_b"].to_numpy().astype(np.float64), minlength=classes)
    means = np.divide(loops, images, out=np.full(classes, np.nan), where=images > 0)
    return ByClass(images, count(~b), count(a & ~b), count(~a & b), means)


def class_changes(
    found: ByClass,
    names: tuple[str, ...],
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Change of the error of each class, the largest rise first.

    Args:
        found: counts by class.
        names: of the classes.
        level, resamples, seed: of the bootstrap over a class's images. Each image is lost, won or
            neither, so drawing images is drawing these three with their shares.

    Returns:
        A row for each class with images: ``label``, ``name``, ``images``, ``error`` and
        ``before`` in %, ``lost``, ``won``, ``loops``, and ``change`` in points of % with its
        interval ``low`` to ``high``.
    """
    random = np.random.default_rng(seed)
    rows: list[dict[str, float | int | str]] = []
    for label in np.flatnonzero(found.images).tolist():
        n, lost, won = (int(part[label]) for part in (found.images, found.lost, found.won))
        wrong = int(found.wrong[label])
        drawn = random.multinomial(n, [lost / n, won / n, (n - lost - won) / n], resamples)
        low, high = interval(100.0 * (drawn[:, 0] - drawn[:, 1]) / n, level)
        rows.append(
            {
                "label": label,
                "name": names[label],
                "images": n,
                "error": 100 * wrong / n,
                "before": 100 * (wrong - lost + won) / n,
                "lost": lost,
                "won": won,
                "loops": float(found.loops[label]),
                "change": 100 * (lost - won) / n,
                "low": low,
                "high": high,
            }
        )
    table = pd.DataFrame(rows)
    if table.empty:
        return table
    return table.sort_values("change", ascending=False, kind="stable").reset_index(drop=True)
