"""What every part of the page looks at: a run's columns beside its loops, filtered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from app import cache, columns
from app.columns import EVIDENCE, Column
from app.ranges import ColumnRange
from drnn_core.analysis.evidence import METHODS, Method
from drnn_core.analysis.loops import Selection, matching

Floats = NDArray[np.float64]

STATISTICS = tuple(EVIDENCE)
ON_OBJECT = "on_object"


@dataclass(frozen=True)
class Choice:
    """The column that is set against the loops.

    Attributes:
        method, statistic: of the evidence; None and "" of another column.
        name: of the column.
        label: for people, as a heading.
        phrase: the same within a sentence.
        meaning: its definition.
    """

    method: Method | None
    statistic: str
    name: str
    label: str
    phrase: str
    meaning: str


@dataclass(frozen=True)
class View:
    """A run, its columns, and the images that the filters leave.

    Attributes:
        run, table: the records.
        keep: (N,) which rows of the table.
        columns: every number beside the loops, by name, described.
        values: name -> (N,) its values.
        statistics: of evidence, that this run's image set knows.
    """

    run: cache.Run
    table: cache.Table
    keep: NDArray[np.bool_]
    columns: Mapping[str, Column]
    values: Mapping[str, NDArray[np.generic]]
    statistics: tuple[str, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the run's classes."""
        assert self.run.info is not None
        return self.run.info.classes

    @property
    def loops_max(self) -> int:
        """The most loops of an image."""
        return cache.facts(self.run).loops_max

    def kept(self, name: str) -> Floats:
        """A column of the images that the filters leave; NaN where there is no value."""
        return self.values[name][self.keep].astype(np.float64)

    def measured(self, method: Method) -> int:
        """Images whose evidence was measured by a method; 0 where nobody did."""
        first = column_of(method, STATISTICS[0])
        return int(np.isfinite(self.values[first]).sum()) if first in self.values else 0

    @property
    def others(self) -> list[Column]:
        """The columns that are no evidence."""
        evidence = {column_of(method, each) for method in METHODS for each in STATISTICS}
        return [column for name, column in self.columns.items() if name not in evidence]


def column_of(method: Method, statistic: str) -> str:
    """Name of the column that holds a statistic of a method's evidence."""
    return f"{method}_{statistic}"


def view_of(
    run: cache.Run,
    table: cache.Table,
    selection: Selection,
    among: ColumnRange | None,
    here: Mapping[str, NDArray[np.float32]],
) -> View:
    """Put together what the page looks at.

    Args:
        run, table: the records.
        selection, among: the filters.
        here: columns measured on the page, used where the run has none of their names.
    """
    frame = columns.frame(run, table)
    values: dict[str, NDArray[np.generic]] = {
        str(name): cast("NDArray[np.generic]", frame[name].to_numpy())
        for name in frame.columns
        if frame[name].dtype.kind in "biuf"
    }
    described = {column.name: column for column in columns.described(frame, run)}
    for name, measured in here.items():
        if name not in values:
            values[name] = measured
            described[name] = columns.known(name)
    keep = matching(table.frame, selection, table.block_loops)
    if among is not None:
        keep = keep & among.kept
    masked = any(name.endswith(f"_{ON_OBJECT}") for name in values)
    statistics = tuple(each for each in STATISTICS if masked or each != ON_OBJECT)
    return View(run, table, keep, described, values, statistics)
