"""Do loops go with what somebody else measured of the images: human uncertainty, label errors?

A column from outside is joined to the records and related to the loops over all images, within
classes, given the confidence, and corrected for the chance in both measures. Shapes: N records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drnn_core.analysis.bootstrap import columns_of, mean_estimate
from drnn_core.analysis.relations import Relation, partial, spearman, within
from drnn_core.analysis.reliability import disattenuated

Floats = NDArray[np.float64]

LOOPS = "loops"


@dataclass(frozen=True)
class OutsideColumn:
    """How loops go with one column.

    Attributes:
        name: of the column.
        loops: rank correlation with the loops, over all images.
        loops_within_class: the same within classes.
        loops_given_confidence: the same once the confidence is known.
        confidence, entropy: rank correlation of these with the column, to compare with.
        reliability, loops_reliability: as given; None where not.
        corrected: ``loops`` without what chance in the measures takes from it (Spearman's
            correction for attenuation); NaN where no reliability is given.
    """

    name: str
    loops: Relation
    loops_within_class: Relation
    loops_given_confidence: Relation
    confidence: Relation
    entropy: Relation
    reliability: float | None = None
    loops_reliability: float | None = None
    corrected: float = float("nan")

    def corrected_by(self, reliabilities: Mapping[str, float]) -> OutsideColumn:
        """With ``corrected``, where the column's reliability or that of "loops" is given."""
        own, of_loops = reliabilities.get(self.name), reliabilities.get(LOOPS)
        corrected = float("nan")
        if own is not None or of_loops is not None:
            corrected = disattenuated(self.loops.rho, own or 1.0, of_loops or 1.0)
        return replace(self, reliability=own, loops_reliability=of_loops, corrected=corrected)


@dataclass(frozen=True)
class Matched:
    """A table from outside, brought into the order of a run's records.

    Attributes:
        key: "id" or "index".
        matched: images that both have.
        unmatched: rows of the table that the records do not have.
        missing: images of the records that the table does not have.
        examples: some keys of unmatched rows.
        values: name -> (N,), NaN where the table has nothing.
    """

    key: str
    matched: int
    unmatched: int
    missing: int
    examples: tuple[str, ...]
    values: Mapping[str, Floats]


@dataclass(frozen=True)
class Outside:
    """A table from outside beside a run's records.

    Attributes:
        key, matched, unmatched, missing, examples: as of ``Matched``.
        columns: one entry a column.
    """

    key: str
    matched: int
    unmatched: int
    missing: int
    examples: tuple[str, ...]
    columns: tuple[OutsideColumn, ...]


def match(records: pd.DataFrame, table: pd.DataFrame, key: str) -> Matched:
    """Bring a table into the order of the records.

    Args:
        records: of a run.
        table: a column named ``key``, each image once, and numeric columns.
        key: "id" or "index".

    Raises:
        ValueError: no image in common.
    """
    there = pd.Index(table[key])
    places: NDArray[np.int64] = there.get_indexer(pd.Index(records[key]))
    found = places >= 0
    strangers = table[key][~table[key].isin(records[key])]
    if not found.any():
        raise ValueError(
            f"expected images of the records, but none of the {len(table):,} rows has an {key} "
            f"that the records have; they have {_some(records[key])}, the table {_some(table[key])}"
        )
    values = {
        str(name): np.where(found, table[name].to_numpy(dtype=np.float64)[places], np.nan)
        for name in table.columns
        if name != key
    }
    return Matched(
        key,
        int(found.sum()),
        len(strangers),
        int((~found).sum()),
        tuple(str(value) for value in strangers[:5]),
        values,
    )


def relate(
    records: pd.DataFrame,
    table: pd.DataFrame,
    key: str,
    reliabilities: Mapping[str, float] | None = None,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Outside:
    """Relate a table's columns with the loops of a run.

    Args:
        records: of the run.
        table, key: see ``match``.
        reliabilities: of some columns, and of the loops under the name "loops"; above 0, at
            most 1.
        level, resamples, seed: of the intervals.

    Raises:
        ValueError: no image in common, or a reliability that is of no column or out of range.
    """
    known = dict(reliabilities or {})
    _check(known, [str(name) for name in table.columns if name != key])
    found = match(records, table, key)
    columns = tuple(
        relate_column(records, values, name, level, resamples, seed).corrected_by(known)
        for name, values in found.values.items()
    )
    return Outside(
        found.key, found.matched, found.unmatched, found.missing, found.examples, columns
    )


def relate_column(
    records: pd.DataFrame,
    values: Floats,
    name: str,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> OutsideColumn:
    """Relate one column with the loops; not corrected, see ``OutsideColumn.corrected_by``.

    Args:
        records: of the run.
        values: (N,), NaN where there is nothing.
        name: of the column.
        level, resamples, seed: of the intervals.
    """
    keep = np.isfinite(values)
    some = values[keep]
    loops, confidence, entropy, labels = (
        records[column].to_numpy()[keep].astype(np.float64)
        for column in ("loops", "confidence", "entropy", "label")
    )
    bootstrap = (level, resamples, seed)
    return OutsideColumn(
        name,
        spearman(loops, some, *bootstrap),
        within(loops, some, labels, *bootstrap),
        partial(loops, some, [confidence], *bootstrap),
        spearman(confidence, some, *bootstrap),
        spearman(entropy, some, *bootstrap),
    )


def binned_loops(
    loops: NDArray[np.integer[Any]] | Floats,
    values: Floats,
    bins: int = 10,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Mean loops along a column, cut into parts of about as many images.

    A column of few different values is not cut: each of them is a part.

    Args:
        loops: (N,).
        values: (N,), NaN where there is nothing.
        bins: parts at most.
        level, resamples, seed: of the bootstrap over the images of each part.

    Returns:
        A row a part, by rising value: ``first`` and ``last`` value in it, their ``mean``, ``n``
        images, and mean ``loops`` with their interval ``low`` to ``high``.

    Raises:
        ValueError: columns of different lengths, or no bin.
    """
    if bins < 1:
        raise ValueError(f"expected at least 1 bin, got {bins}")
    counted, some = columns_of(loops, values)
    different = np.unique(some)
    if len(different) > bins:
        # the last value of each part; where many images share a value, parts grow together
        cuts = np.quantile(some, np.arange(1, bins) / bins, method="inverted_cdf")
        part = np.searchsorted(np.unique(cuts), some)
    else:
        part = np.searchsorted(different, some)
    rows: list[dict[str, float]] = []
    for place in np.unique(part).tolist():
        inside = part == place
        found = mean_estimate(counted[inside], level, resamples, seed)
        rows.append(
            {
                "first": float(some[inside].min()),
                "last": float(some[inside].max()),
                "mean": float(some[inside].mean()),
                "n": found.n,
                "loops": found.value,
                "low": found.low,
                "high": found.high,
            }
        )
    return pd.DataFrame(rows, columns=["first", "last", "mean", "n", "loops", "low", "high"])


def _check(known: Mapping[str, float], names: Sequence[str]) -> None:
    for name, value in known.items():
        if name not in (*names, LOOPS):
            raise ValueError(
                f"expected the reliability of one of: {', '.join([*names, LOOPS])}; got that of "
                f"{name}"
            )
        if not 0 < value <= 1:
            raise ValueError(f"expected a reliability above 0 and at most 1, got {name}={value:g}")


def _some(keys: pd.Series) -> str:
    return ", ".join(repr(key) for key in keys[:2].tolist()) + ", ..."
