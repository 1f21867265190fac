"""The loops of two runs beside each other, and how often either errs where one of them loops long.

Pure functions over ``drnn_core.analysis.comparison``'s tables.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drnn_core.analysis.bootstrap import interval, resamples_of_kinds
from drnn_core.analysis.probabilities import t_tail
from drnn_core.analysis.relations import Relation


def loops_relation(
    table: NDArray[np.int64], level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> Relation:
    """Spearman's rank correlation of the loops in two runs, from ``loops_by_loops``'s table.

    As ``relations.spearman`` of the two columns, at a cost that does not depend on the number of
    images.

    Args:
        table: images by loops in run a and in run b.
        level, resamples, seed: of the interval, for which images are drawn.
    """
    cells = np.flatnonzero(table)
    n = int(table.sum())
    rho = _rank_correlation(table)
    if n < 3 or math.isnan(rho):
        return Relation(math.nan, math.nan, math.nan, math.nan, n, level)
    draws: list[float] = []
    for counts in resamples_of_kinds(table.ravel()[cells], resamples, seed):
        drawn = np.zeros(table.size, dtype=np.int64)
        drawn[cells] = counts
        draws.append(_rank_correlation(drawn.reshape(table.shape)))
    # Student's t with n - 2 degrees of freedom, as scipy's spearmanr.
    t = abs(rho) * math.sqrt((n - 2) / max((1 + rho) * (1 - rho), 1e-300))
    return Relation(rho, *interval(draws, level), 2 * t_tail(t, n - 2), n, level)


def _rank_correlation(table: NDArray[np.int64]) -> float:
    """Spearman's rho of a table of counts, ties at their mean rank; NaN where an axis is one."""
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    x, y = (np.cumsum(n) - (n - 1) / 2 - (table.sum() + 1) / 2 for n in (rows, columns))
    square = float(rows @ x**2) * float(columns @ y**2)
    return float(np.clip(x @ table @ y / math.sqrt(square), -1, 1)) if square > 0 else math.nan


def error_by_loops(pairs: pd.DataFrame, run: str = "a") -> pd.DataFrame:
    """How often either run errs on the images that took so many loops in one of them.

    Args:
        pairs: ``paired``'s table.
        run: "a" or "b", the run whose loops are meant.

    Returns:
        A row for each number of loops that occurs: ``loops``, ``n`` images, ``wrong_a``,
        ``wrong_b``.
    """
    loops: NDArray[np.int64] = pairs[f"loops_{run}"].to_numpy().astype(np.int64)
    n = np.bincount(loops)
    kept = np.flatnonzero(n)
    rights: list[NDArray[np.bool_]] = [
        pairs[f"correct_{each}"].to_numpy().astype(np.bool_) for each in "ab"
    ]
    wrong = [np.bincount(loops[~right], minlength=len(n))[kept] for right in rights]
    return pd.DataFrame({"loops": kept, "n": n[kept], "wrong_a": wrong[0], "wrong_b": wrong[1]})
