"""Easy and hard images: the fewest and the most loops of each class, and what separates them.

Figure 9 of the paper shows easy images over hard ones of the same class, and calls the easy ones
clear and iconic, the hard ones blurred and occluded. Here every known column of the records says
how far the two differ.

Pure functions over a run's records (``drnn_core/store/records.py`` documents the columns).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drnn_core.analysis.effects import Effect, Ends

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]

# No property of the image, or the loops themselves under another name.
_NOT_COMPARED = ("index", "label", "prediction", "loops", "macs")


@dataclass(frozen=True)
class ByCount:
    """So many images of each class at either end.

    Attributes:
        images: so many, and at most half of a class.
        with_ties: with all that loop as often as the last of them. Without, of images that loop
            equally often those count that come first in the split.
    """

    images: int
    with_ties: bool = False


@dataclass(frozen=True)
class ByQuantile:
    """This share of each class at either end, with all that loop as often as the last of it."""

    share: float


@dataclass(frozen=True)
class ByLoops:
    """At most ``easy`` loops, and at least ``hard`` (figure 9: at most 8, and at least 16)."""

    easy: int
    hard: int


Rule = ByCount | ByQuantile | ByLoops


@dataclass(frozen=True)
class ClassGallery:
    """Rows of the records (positions, not indices) of one class.

    Attributes:
        label: the class.
        easy: fewest loops first; ties in the order of the split.
        hard: most loops first; ties in the order of the split.
    """

    label: int
    easy: Rows
    hard: Rows


def galleries(
    records: pd.DataFrame,
    rule: Rule,
    correct: bool | None = None,
    labels: Sequence[int] = (),
    among: NDArray[np.bool_] | None = None,
) -> list[ClassGallery]:
    """Easy and hard images of each class.

    Every easy image loops less than every hard one of its class: where the two ends meet at the
    same number of loops, the images with that number are in neither.

    Args:
        records: of a run.
        rule: what counts as easy and hard.
        correct: rightly or wrongly classified images only.
        labels: these true classes only; empty means all.
        among: (N,) the records that count; None means all.

    Returns:
        One entry for each class that has images, by label; either end may be empty.

    Raises:
        ValueError: a count below 1, a share outside 0..0.5, or limits that overlap.
    """
    _check(rule)
    found_labels: NDArray[np.int64] = records["label"].to_numpy().astype(np.int64)
    loops: NDArray[np.int64] = records["loops"].to_numpy().astype(np.int64)
    index = records["index"].to_numpy()
    keep = np.ones(len(records), dtype=bool) if among is None else among.copy()
    if correct is not None:
        keep &= records["correct"].to_numpy() == correct
    if labels:
        keep &= np.isin(found_labels, labels)
    kept = np.flatnonzero(keep)
    kept = kept[np.lexsort((index[kept], loops[kept], found_labels[kept]))]
    there, starts = np.unique(found_labels[kept], return_index=True)
    found: list[ClassGallery] = []
    for label, rows in zip(there.tolist(), np.split(kept, starts[1:]), strict=False):
        few, many = _ends(loops[rows], rule)
        hard = rows[many]
        hard = hard[np.lexsort((index[hard], -loops[hard]))]
        found.append(ClassGallery(label, rows[few], hard))
    return found


def _check(rule: Rule) -> None:
    if isinstance(rule, ByCount) and rule.images < 1:
        raise ValueError(f"expected at least 1 image of each class, got {rule.images}")
    if isinstance(rule, ByQuantile) and not 0 < rule.share <= 0.5:
        raise ValueError(f"expected a share above 0 and at most 0.5, got {rule.share}")
    if isinstance(rule, ByLoops) and rule.easy >= rule.hard:
        raise ValueError(
            f"expected easy images to loop less than hard ones, got at most {rule.easy} and at "
            f"least {rule.hard}"
        )


def _ends(loops: NDArray[np.int64], rule: Rule) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(n,) bool each: easy and hard, of one class's loops in rising order."""
    if isinstance(rule, ByLoops):
        return loops <= rule.easy, loops >= rule.hard
    if isinstance(rule, ByCount):
        images = min(rule.images, len(loops) // 2)
        place = np.arange(len(loops))
        few, many = place < images, place >= len(loops) - images
        if rule.with_ties:
            few, many = np.isin(loops, loops[few]), np.isin(loops, loops[many])
    else:
        # a value that occurs, so that the limit does not fall between two images
        low, high = np.quantile(loops, [rule.share, 1 - rule.share], method="inverted_cdf")
        few, many = loops <= low, loops >= high
    at_both = np.intersect1d(loops[few], loops[many])
    apart = ~np.isin(loops, at_both)
    return few & apart, many & apart


def to_show(rows: Rows, loops: NDArray[np.int64], count: int, in_order: int = 0) -> Rows:
    """So many images of one end of a class, the easiest or the hardest of it.

    Those that tie for the last places are taken at even distances, the first and the last among
    them, since the place of an image in the split says nothing of it.

    Args:
        rows: one end of a ``ClassGallery``.
        loops: (N,) of all records.
        count: at most so many.
        in_order: so many that tie, or fewer, are taken in their order instead.
    """
    if len(rows) <= count or not count:
        return rows[:count]
    last = loops[rows[count - 1]]
    tied, before = rows[loops[rows] == last], rows[: np.argmax(loops[rows] == last)]
    if len(tied) <= in_order:
        return rows[:count]
    steps = np.linspace(0, len(tied) - 1, count - len(before)).round().astype(np.int64)
    return np.concatenate([before, tied[steps]])


def separation(
    records: pd.DataFrame,
    found: Sequence[ClassGallery],
    columns: Sequence[str] | None = None,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> list[Effect]:
    """What separates easy from hard images of one class, the largest difference first.

    Args:
        records: of a run, with whatever columns stand beside them.
        found: of these records.
        columns: which; by default ``numeric_columns``.
        level, resamples, seed: of the intervals, for which easy and hard images are drawn apart.

    Returns:
        By the size of ``Effect.within``, then by name; what has none comes last.

    Raises:
        ValueError: a column that the records lack.
    """
    names = numeric_columns(records) if columns is None else list(columns)
    unknown = [name for name in names if name not in records.columns]
    if unknown:
        raise ValueError(
            f"the records have no column {', '.join(unknown)}; expected some of: "
            f"{', '.join(numeric_columns(records))}"
        )
    easy, hard = pooled(found)
    labels: NDArray[np.int64] = records["label"].to_numpy().astype(np.int64)
    ends = Ends(labels[easy], labels[hard], level, resamples, seed)
    effects: list[Effect] = []
    for name in names:
        values: Floats = records[name].to_numpy().astype(np.float64)
        effects.append(ends.effect(name, values[easy], values[hard]))
    return sorted(effects, key=_largest_first)


def pooled(found: Sequence[ClassGallery]) -> tuple[Rows, Rows]:
    """Rows of all easy images, and of all hard ones."""
    none = np.zeros(0, dtype=np.int64)
    easy = np.concatenate([none, *(gallery.easy for gallery in found)])
    hard = np.concatenate([none, *(gallery.hard for gallery in found)])
    return easy, hard


def make_up(found: Sequence[ClassGallery]) -> float:
    """How far the classes of all easy and of all hard images differ: 0 not at all, 1 wholly.

    The total variation distance of their shares: the share of the easy images that would have to
    be of other classes for both to be made up alike. NaN without images of either kind.
    """
    sizes = np.array([(len(each.easy), len(each.hard)) for each in found], dtype=np.float64)
    totals = sizes.sum(axis=0) if len(found) else np.zeros(2)
    if not totals.all():
        return math.nan
    shares = sizes / totals
    return float(np.abs(shares[:, 0] - shares[:, 1]).sum() / 2)


def typical_classes(records: pd.DataFrame, count: int) -> list[int]:
    """So many classes, at even steps from the one that loops least on average to that most.

    Returns:
        Labels, in their own order; all of them where there are no more than ``count``.
    """
    means = records.groupby("label")["loops"].mean().sort_values(kind="stable")
    if len(means) > count:
        steps = np.linspace(0, len(means) - 1, count).round().astype(np.int64)
        means = means.iloc[steps]
    return sorted(int(str(label)) for label in means.index)


def numeric_columns(records: pd.DataFrame) -> list[str]:
    """Columns of one number or yes and no for each image, but for names, positions and loops."""
    return [
        str(name)
        for name in records.columns
        if records[name].dtype.kind in "biuf" and name not in _NOT_COMPARED
    ]


def _largest_first(one: Effect) -> tuple[float, str]:
    size = abs(one.within.value)
    return (1.0 if math.isnan(size) else -size), one.column
