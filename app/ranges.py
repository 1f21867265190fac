"""The filter by a column: any number that is known of an image, between two ends.

The column's name and the ends stand in the address, as the other filters do.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app import columns
from app.cache import Run, Table
from app.columns import Column
from app.joining.intake import plain
from app.markdown import escaped
from app.sliders import follow_ends

COLUMN = "where"

_ANY = "any"
_STEPS = 100  # of the slider, at least
_Param = Literal["query-params"]
_BIND: _Param = "query-params"


@dataclass(frozen=True)
class ColumnRange:
    """Images whose number in a column is in a range; those without a number are not.

    Attributes:
        column: what the number is.
        low, high: ends, both included.
        kept: (N,) whether an image of ``Table.frame`` is in.
    """

    column: Column
    low: float
    high: float
    kept: NDArray[np.bool_]

    @property
    def words(self) -> str:
        """For the line above the gallery."""
        return f"{_shown(self.column.label)} {self.low:g} to {self.high:g}"

    @property
    def digest(self) -> str:
        """Of which images are in: two users may call different columns by one name."""
        return hashlib.sha256(np.packbits(self.kept).tobytes()).hexdigest()


def column_range(run: Run, table: Table) -> ColumnRange | None:
    """Draw the filter into the sidebar and read it; None while it keeps every image.

    Records that are too many to be in memory have none: their columns are of a sample.
    """
    if table.sampled:
        return None
    found = columns.offered(run, table)
    names = columns.names_of(found)
    if st.session_state.get(COLUMN, _ANY) not in (_ANY, *names):
        st.session_state[COLUMN] = _ANY  # of another run, or a table that is gone
    with st.sidebar:
        name = st.selectbox(
            "Column", [_ANY, *names], key=COLUMN, bind=_BIND,
            help="Only images with a number in a range: of the answer, of the picture, of the "
            "evidence, or of your own table.",
        )  # fmt: skip
        return None if name == _ANY else _between(run, table, found[names.index(name)])


def clear() -> None:
    """No such filter; in a callback."""
    st.session_state[COLUMN] = _ANY


def _between(run: Run, table: Table, column: Column) -> ColumnRange | None:
    frame = columns.frame(run, table)
    if column.name not in frame:  # ``columns.problems`` says why
        st.caption(f"{_shown(column.label)} cannot be read.")
        return None
    values = frame[column.name].to_numpy().astype(np.float64)
    ends = ends_of(values)
    if ends is None:
        st.caption("It is the same for every image.")
        return None
    low, high, step, digits = ends
    key = f"between-{column.name}"
    follow_ends(key, (low, high))
    first, last = st.slider(
        f"Range of {_shown(column.label)}", low, high, (low, high), step, f"%.{digits}f",
        key=key, bind=_BIND, help=escaped(column.meaning),
    )  # fmt: skip
    if (first, last) == (low, high):
        return None
    # what is shown is rounded, and an end that is shown is in
    kept = (values >= first - step * 1e-6) & (values <= last + step * 1e-6)
    return ColumnRange(column, first, last, kept)


def ends_of(values: NDArray[np.float64]) -> tuple[float, float, float, int] | None:
    """Where a slider over (N,) values begins and ends, its step, and the step's decimals.

    The step is a power of ten; the ends are multiples of it and hold all finite values. None where
    these do not differ.
    """
    finite = values[np.isfinite(values)]
    if not len(finite) or finite.min() == finite.max():
        return None
    low, high = float(finite.min()), float(finite.max())
    power = math.floor(math.log10((high - low) / _STEPS))
    digits, step = max(0, -power), 10.0**power
    first, last = math.floor(low / step) * step, math.ceil(high / step) * step
    return round(first, digits), round(last, digits), step, digits


def _shown(label: str) -> str:
    """A label as it is, in Markdown; ours need no marks, which screen readers would read out."""
    bare = label.replace(":", "")
    return label if plain(bare) == bare else escaped(label)
