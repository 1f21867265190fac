"""Do loops go with what somebody else measured of the images: human uncertainty, label errors?

A column from outside is joined to the records and related to the loops over all images, within
classes, given the confidence, and corrected for the chance in both measures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from drnn_core.analysis.relations import Relation, partial, spearman, within
from drnn_core.analysis.reliability import disattenuated

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
    reliability: float | None
    loops_reliability: float | None
    corrected: float


@dataclass(frozen=True)
class Outside:
    """A table from outside beside a run's records.

    Attributes:
        key: "id" or "index".
        matched: images that both have.
        unmatched: rows of the table that the records do not have.
        missing: images of the records that the table does not have.
        examples: some keys of unmatched rows.
        columns: one entry a column.
    """

    key: str
    matched: int
    unmatched: int
    missing: int
    examples: tuple[str, ...]
    columns: tuple[OutsideColumn, ...]


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
        table: a column named ``key``, each image once, and numeric columns.
        key: "id" or "index".
        reliabilities: of some columns, and of the loops under the name "loops"; above 0, at
            most 1.
        level, resamples, seed: of the intervals.

    Raises:
        ValueError: no image in common, or a reliability that is of no column or out of range.
    """
    names = [str(name) for name in table.columns if name != key]
    known = dict(reliabilities or {})
    _check(known, names)
    taken = records[[key, "label", "loops", "confidence", "entropy"]]
    # The table's columns may be called as the records' are.
    own = table.rename(columns={name: f"outside {name}" for name in names})
    both = taken.merge(own, on=key, how="inner", validate="one_to_one")
    strangers = table[key][~table[key].isin(taken[key])]
    if both.empty:
        raise ValueError(
            f"expected images of the records, but none of the {len(table):,} rows has an {key} "
            f"that the records have; they have {_some(taken[key])}, the table {_some(table[key])}"
        )
    bootstrap = (level, resamples, seed)
    return Outside(
        key,
        len(both),
        len(strangers),
        len(records) - len(both),
        tuple(str(value) for value in strangers[:5]),
        tuple(_column(both, name, known, bootstrap) for name in names),
    )


def _column(
    both: pd.DataFrame, name: str, known: Mapping[str, float], bootstrap: tuple[float, int, int]
) -> OutsideColumn:
    values = both[f"outside {name}"].to_numpy()
    loops, confidence, entropy, labels = (
        both[column].to_numpy().astype(np.float64)
        for column in ("loops", "confidence", "entropy", "label")
    )
    found = spearman(loops, values, *bootstrap)
    own, of_loops = known.get(name), known.get(LOOPS)
    corrected = float("nan")
    if own is not None or of_loops is not None:
        corrected = disattenuated(found.rho, own or 1.0, of_loops or 1.0)
    return OutsideColumn(
        name,
        found,
        within(loops, values, labels, *bootstrap),
        partial(loops, values, [confidence], *bootstrap),
        spearman(confidence, values, *bootstrap),
        spearman(entropy, values, *bootstrap),
        own,
        of_loops,
        corrected,
    )


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
