"""What the page looks at: the user's columns of this session and those that the run keeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from app import cache, columns
from app.columns import BROUGHT, Brought
from app.joining.intake import Joined
from drnn_core.analysis.loops import block_matrix
from drnn_core.analysis.outside import OutsideColumn, relate_column
from drnn_core.analysis.reliability import Reliability, split_half

GENERATION = "joining_generation"  # of the box that takes a file: a new one is empty
_FOUND = "joining_found"  # relations of this session, by what they depend on
_MOST_FOUND = 200
_SECONDS_KEPT = 3600
_HALVES_RESAMPLES = 100


@dataclass(frozen=True)
class View:
    """The run, and the columns that may be related to its loops.

    Attributes:
        run, table: of the run.
        joined: what the session brought, or None.
        kept: tables that the run keeps, and their columns.
        names: of all columns to relate.
        frame: of all columns.
    """

    run: cache.Run
    table: cache.Table
    joined: Brought | None
    kept: dict[str, tuple[str, ...]]
    names: tuple[str, ...]
    frame: pd.DataFrame

    def values(self, name: str) -> NDArray[np.float64]:
        """(N,) of a column."""
        return self.frame[name].to_numpy().astype(np.float64)


def open_view(run: cache.Run, table: cache.Table) -> View:
    """Look at a run."""
    frame = columns.frame(run, table)
    joined, kept = columns.brought_of(run), columns.kept_tables(run)
    names = [name for name in (joined.values if joined else ()) if name in frame.columns]
    names += [name for part in kept.values() for name in part if name in frame.columns]
    return View(run, table, joined, kept, tuple(dict.fromkeys(names)), frame)


def taken_names(run: cache.Run, table: cache.Table) -> set[str]:
    """Names that a new column cannot have: those of the run."""
    brought = columns.brought_of(run)
    own = set(brought.values) if brought else set[str]()
    return {*map(str, table.frame.columns), *map(str, columns.frame(run, table).columns)} - own


def bring(run: cache.Run, joined: Joined) -> None:
    """Keep a table for this session; an older one of the same images is forgotten."""
    others = _others(run, joined.fingerprint)
    st.session_state[BROUGHT] = {**others, run.name: joined}


def forget(run: cache.Run, fingerprint: str) -> None:
    """Forget the session's table of a run; in a callback."""
    st.session_state[BROUGHT] = _others(run, fingerprint)


def empty_box() -> None:
    """Let go of the file in the box: it is used up; in a callback."""
    st.session_state[GENERATION] = st.session_state.get(GENERATION, 0) + 1


def kept(run: cache.Run, fingerprint: str, name: str) -> None:
    """The run keeps the session's table now; other runs of the images still show the session's."""
    found: dict[str, Brought] = st.session_state.get(BROUGHT, {})
    st.session_state[BROUGHT] = {
        key: replace(brought, kept_in={**brought.kept_in, run.name: name})
        if brought.fingerprint == fingerprint
        else brought
        for key, brought in found.items()
    }


def kept_no_more(run: cache.Run, name: str) -> None:
    """The run does not keep this table any more; if it was the session's it shows that again."""
    found: dict[str, Brought] = st.session_state.get(BROUGHT, {})
    gone = (run.name, name)
    st.session_state[BROUGHT] = {
        key: replace(b, kept_in=dict(each for each in b.kept_in.items() if each != gone))
        for key, b in found.items()
    }


def _others(run: cache.Run, fingerprint: str) -> dict[str, Brought]:
    found: dict[str, Brought] = st.session_state.get(BROUGHT, {})
    return {
        name: brought
        for name, brought in found.items()
        if name != run.name and brought.fingerprint != fingerprint
    }


def resamples_for(images: int) -> int:
    """Resamples of an interval: fewer of more images, so that a column takes about a second."""
    return 1000 if images <= 2000 else 400 if images <= 20_000 else 200


def related(view: View, names: Sequence[str]) -> Iterator[OutsideColumn]:
    """The relations of some columns, one by one; those that were found before at once."""
    found: dict[tuple[Any, ...], OutsideColumn] = st.session_state.setdefault(_FOUND, {})
    for name in names:
        values = view.values(name)
        key = (view.run.name, view.table.stamp, name, hash(values.tobytes()))
        if key not in found:
            if len(found) >= _MOST_FOUND:
                found.clear()
            images = int(np.isfinite(values).sum())
            records = view.table.frame
            found[key] = relate_column(records, values, name, resamples=resamples_for(images))
        yield found[key]


def reliability_of_loops(view: View) -> Reliability | None:
    """From the halves of the run's blocks; None of fewer than two blocks that differ."""
    return _halves(view.run.name, view.table.stamp, view.table)


@st.cache_resource(max_entries=8, ttl=_SECONDS_KEPT, show_spinner=False)
def _halves(name: str, stamp: str, _table: cache.Table) -> Reliability | None:
    del name, stamp
    blocks = block_matrix(_table.frame)
    blocks = blocks[:, blocks.std(axis=0) > 0] if len(blocks) else blocks
    return split_half(blocks, resamples=_HALVES_RESAMPLES) if blocks.shape[1] > 1 else None
