"""Two runs on the same images: who is right where, by how much, and whose loops changed.

Pure functions over the records of two runs (``drnn_core/store/records.py`` documents the
columns). ``paired`` joins them by ``id``; everything else takes its table.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drnn_core.analysis.bootstrap import Estimate, interval, resamples_of_kinds
from drnn_core.analysis.means import mean_of
from drnn_core.analysis.probabilities import sign_test
from drnn_core.analysis.shares import share_of

# Of each run; names of the paired table end in _a for the first run and in _b for the second.
_OF_EACH = ("index", "prediction", "correct", "confidence", "entropy", "loss", "loops", "macs")


@dataclass(frozen=True)
class McNemar:
    """McNemar's exact test: do two runs err equally often on the same images?

    Attributes:
        both_right, only_a, only_b, neither: images that both, one or none of the two get right.
        p: of ``only_a`` against ``only_b`` under a fair coin, two-sided; 1 where both are 0.
    """

    both_right: int
    only_a: int
    only_b: int
    neither: int
    p: float


@dataclass(frozen=True)
class Agreement:
    """How far two runs say the same.

    Attributes:
        n: images.
        same: share of images with the same prediction, with Wilson's interval.
        kappa: Cohen's: ``same`` beyond what their class frequencies give by chance, over the
            most that it could be; NaN where chance alone gives 1. Its interval is that of large
            samples (delta method).
        same_loops: share of images with the same loops, with Wilson's interval.
    """

    n: int
    same: Estimate
    kappa: Estimate
    same_loops: Estimate


def paired(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """The images that both runs recorded, in the order of the first.

    Args:
        first, second: records of run a and of run b.

    Returns:
        ``id``, ``label``, and of both runs ``index_a``, ``index_b``, ``prediction_a`` and so on;
        ``loops_change`` is b minus a.

    Raises:
        ValueError: an id twice, no image in common, or labels that differ.
    """
    for name, records in (("first", first), ("second", second)):
        if records["id"].duplicated().any():
            twice = records["id"][records["id"].duplicated()].iloc[0]
            raise ValueError(f"expected every id once in the {name} records, got {twice!r} again")
    columns = ["id", "label", *_OF_EACH]
    table = first[columns].merge(
        second[columns], on="id", how="inner", suffixes=("_a", "_b"), validate="one_to_one"
    )
    if table.empty:
        raise ValueError(
            "expected two runs with images in common, got none with the same id; compare runs "
            "whose records are of the same data set"
        )
    if (table["label_a"] != table["label_b"]).any():
        row = table[table["label_a"] != table["label_b"]].iloc[0]
        raise ValueError(
            f"expected the same label in both runs, got {row['label_a']} and {row['label_b']} for "
            f"{row['id']}; their classes are not the same"
        )
    table = table.drop(columns="label_b").rename(columns={"label_a": "label"})
    loops: list[NDArray[np.int64]] = [
        table[f"loops_{run}"].to_numpy().astype(np.int64) for run in "ab"
    ]
    return table.assign(loops_change=loops[1] - loops[0])


def mcnemar(pairs: pd.DataFrame) -> McNemar:
    """McNemar's exact test on ``paired``'s table."""
    a, b = _correct(pairs)
    only_a, only_b = int((a & ~b).sum()), int((~a & b).sum())
    p = sign_test(only_a, only_b)
    return McNemar(int((a & b).sum()), only_a, only_b, int((~a & ~b).sum()), p)


def error_difference(
    pairs: pd.DataFrame, level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> Estimate:
    """Error of run b minus that of run a, in points of %, with a bootstrap over the images."""
    found = mcnemar(pairs)
    n = len(pairs)
    if not n:
        return Estimate(math.nan, math.nan, math.nan, 0, level)
    kinds = np.array([found.only_a, found.only_b, found.both_right + found.neither])
    draws = [100 * (k[0] - k[1]) / n for k in resamples_of_kinds(kinds, resamples, seed)]
    value = 100 * (found.only_a - found.only_b) / n
    return Estimate(value, *interval(draws, level), n, level)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values of several tests after Holm's correction, in the order given.

    Each holds at a level if it would after Bonferroni's correction among the tests that are not
    more certain (Holm, "A simple sequentially rejective multiple test procedure", 1979).
    """
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    corrected = [0.0] * len(p_values)
    least = 0.0
    for rank, place in enumerate(order):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = least
    return corrected


def agreement(pairs: pd.DataFrame, level: float = 0.95) -> Agreement:
    """How far the two runs say the same of the same images."""
    n = len(pairs)
    same: Any = pairs["prediction_a"].to_numpy() == pairs["prediction_b"].to_numpy()
    loops = int((pairs["loops_change"] == 0).sum())
    return Agreement(
        n, share_of(int(same.sum()), n, level), _kappa(pairs, level), share_of(loops, n, level)
    )


def _kappa(pairs: pd.DataFrame, level: float) -> Estimate:
    n = len(pairs)
    both = np.concatenate([pairs[f"prediction_{run}"].to_numpy() for run in "ab"])
    kinds, places = np.unique(both, return_inverse=True)
    a, b = places[:n], places[n:]
    of_a, of_b = (np.bincount(run, minlength=len(kinds)) / max(n, 1) for run in (a, b))
    same, chance = float((a == b).mean()) if n else math.nan, float(of_a @ of_b)
    if not n or chance >= 1:
        return Estimate(math.nan, math.nan, math.nan, n, level)
    # how much each image moves kappa, by moving what it is made of
    moves = ((a == b) - same) / (1 - chance)
    moves -= (1 - same) / (1 - chance) ** 2 * (of_b[a] + of_a[b] - 2 * chance)
    value, std = (same - chance) / (1 - chance), float(moves.std(ddof=1)) if n > 1 else math.nan
    found = mean_of(value, std, n, level)
    return replace(found, low=max(found.low, -1.0), high=min(found.high, 1.0))


def loops_by_loops(pairs: pd.DataFrame, most_a: int, most_b: int) -> NDArray[np.int64]:
    """(most_a + 1, most_b + 1) images that took so many loops in run a and so many in run b.

    Args:
        pairs: ``paired``'s table.
        most_a, most_b: the most loops of the two networks.

    Raises:
        ValueError: an image took more.
    """
    a, b = (pairs[f"loops_{run}"].to_numpy().astype(np.int64) for run in "ab")
    if len(pairs) and (a.max() > most_a or b.max() > most_b):
        raise ValueError(
            f"expected at most {most_a} and {most_b} loops, got {a.max()} and {b.max()}; pass "
            "the loops of the two networks"
        )
    flat = np.bincount(a * (most_b + 1) + b, minlength=(most_a + 1) * (most_b + 1))
    return flat.reshape(most_a + 1, most_b + 1).astype(np.int64)


def flips(pairs: pd.DataFrame) -> dict[str, NDArray[np.int64]]:
    """Rows of ``paired``'s table whose answer changed.

    Returns:
        ``lost`` (a right, b wrong), ``won`` (a wrong, b right), ``other`` (both wrong, and not
        the same); each with the images first of whose new answer run b is surest, ties in order.
    """
    a, b = _correct(pairs)
    moved = pairs["prediction_a"].to_numpy() != pairs["prediction_b"].to_numpy()
    sure: NDArray[np.float64] = pairs["confidence_b"].to_numpy().astype(np.float64)
    found: dict[str, NDArray[np.int64]] = {}
    for name, chosen in (("lost", a & ~b), ("won", ~a & b), ("other", ~a & ~b & moved)):
        rows = np.flatnonzero(chosen)
        found[name] = rows[np.argsort(-sure[rows], kind="stable")]
    return found


def largest_changes(pairs: pd.DataFrame, count: int | None = None) -> NDArray[np.int64]:
    """Rows of ``paired``'s table by how much their loops changed, most first; ties in order.

    Images whose loops are the same are left out.
    """
    change: NDArray[np.int64] = np.abs(pairs["loops_change"].to_numpy().astype(np.int64))
    rows = np.argsort(-change, kind="stable")
    return rows[change[rows] > 0][:count]


def _correct(pairs: pd.DataFrame) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    a: Any = pairs["correct_a"].to_numpy()
    b: Any = pairs["correct_b"].to_numpy()
    return a.astype(np.bool_), b.astype(np.bool_)
