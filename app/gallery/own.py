"""The gallery in the order of a user's column.

A page leaves the column for the gallery's routes, see ``app/gallery/left.py``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

import numpy as np
from numpy.typing import NDArray

from app import columns
from app.cache import Run, Table
from app.columns import Column
from app.gallery.left import Left
from app.query import QueryError
from drnn_core.analysis.loops import ordered_by

BY, WAY = "by", "way"
_RISING = {"up": True, "down": False}


@dataclass(frozen=True)
class OwnOrder:
    """An order by a column of the user.

    Attributes:
        column: what it is.
        values: (N,) of each image of the split, NaN where there is none.
        rising: smallest first.
    """

    column: Column
    values: NDArray[np.float64]
    rising: bool

    def appended(self, query: str) -> str:
        """A query (of no order) in this order; the column is kept for those who ask with it."""
        data = repr((self.column.name, self.column.meaning)).encode() + self.values.tobytes()
        way = next(text for text, rising in _RISING.items() if rising == self.rising)
        return _left.leave(query, data, self, **{WAY: way})


_KEPT_BYTES = 64 << 20
_left: Left[OwnOrder] = Left(
    BY, "the column of this order", _KEPT_BYTES, lambda order: order.values.nbytes
)


def own_orders(run: Run, table: Table) -> dict[str, OwnOrder]:
    """By what they are called: two for each of the user's columns of a run.

    Empty where the records are too many to be in memory: the columns are of a sample of them.
    """
    if table.sampled:
        return {}
    found = columns.own(run, table)
    names = columns.names_of([column for column, _ in found])
    return {
        f"{word} {name} first": OwnOrder(column, values, rising)
        for name, (column, values) in zip(names, found, strict=True)
        for word, rising in (("smallest", True), ("largest", False))
    }


def put_in_order(query: str, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Positions of images by the column that a query names; as they are where it names none.

    Raises:
        QueryError: the column is not kept any more, or is of other records.
    """
    values = parse_qs(query)
    found = _left.named_in(values)
    if found is None:
        return rows
    way = values.get(WAY, ("up",))[0]
    if way not in _RISING:
        raise QueryError(f"expected {WAY} to be one of {', '.join(_RISING)}; got {way}")
    if len(rows) and rows.max() >= len(found.values):
        raise QueryError("the column is of other records; reload the page")
    return ordered_by(rows, found.values, _RISING[way])


def own_facts(query: str, row: int) -> Sequence[tuple[str, str, str]]:
    """(name, value, definition) of an image in the column that a query names, if it names one."""
    found = _left.named_in(parse_qs(query))
    if found is None or row >= len(found.values):
        return []
    value = float(found.values[row])
    text = "none" if math.isnan(value) else f"{value:.4g}"
    return [(found.column.label, text, found.column.meaning)]
