"""Images that two runs have records of, joined once for all sessions.

Records of the same image set (the same fingerprint) are joined image by image. Where the sets
differ, images of the same name are, with a word on what that leaves open; or there is nothing to
join, and a sentence says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from app import cache
from app.cache import Run, Table, stamp_of
from drnn_core.analysis.comparison import paired
from drnn_core.store.records import RecordsHeader, read_manifest
from drnn_core.store.repeats import same_schooling, training_of_run

_PAIRS_KEPT = 8
_HEADERS_KEPT = 256
_SECONDS_KEPT = 3600


class PairError(ValueError):
    """Two runs that cannot be compared image by image; the message is one sentence."""


@dataclass(frozen=True)
class Pair:
    """Two runs on the same images; shared, not to be changed in place.

    Attributes:
        table: ``drnn_core.analysis.comparison.paired``'s: a row for each image of both, by rising
            ``index_a``.
        stamp: changes when the records of either are written anew.
        note: a sentence on what the pairing leaves open; None where the image sets are the same.
    """

    table: pd.DataFrame
    stamp: str
    note: str | None

    def positions_in_b(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Positions in the split of run b of images, given by theirs in the split of run a.

        Raises:
            PairError: b has no record of one of them.
        """
        known: NDArray[np.int64] = self.table["index_a"].to_numpy().astype(np.int64)
        places = np.minimum(np.searchsorted(known, positions), len(known) - 1)
        if (known[places] != positions).any():
            raise PairError("one of these images has a record of one of the two runs only")
        return self.table["index_b"].to_numpy().astype(np.int64)[places]


def pair_of(a: Run, b: Run) -> Pair:
    """The images that both runs have records of.

    Raises:
        PairError: no image in common, or their classes differ.
        RecordsError: records are missing or damaged.
    """
    first, second = cache.table(a), cache.table(b)
    assert a.info is not None
    assert b.info is not None
    if a.info.classes != b.info.classes:
        raise PairError(f"{b.name} tells other classes apart than {a.name}")
    return _pair(a.folder, b.folder, f"{first.stamp}_{second.stamp}", first, second)


def header_of(run: Run) -> RecordsHeader | None:
    """What a run's records are of; None where there are none, or their manifest is damaged."""
    try:
        return _header(run.folder, stamp_of(run.folder / "records" / "manifest.json"))
    except (ValueError, OSError):
        return None


def same_images(a: Run, b: Run) -> bool:
    """Whether both runs have records, and of the same image set."""
    first, second = header_of(a), header_of(b)
    if first is None or second is None:
        return False
    return first.data_fingerprint == second.data_fingerprint


def trained_alike(a: Run, b: Run) -> bool:
    """Whether two runs differ in their networks only: trained alike, with the same seed."""
    if a.info is None or b.info is None or a.info.seed != b.info.seed:
        return False
    return same_schooling(training_of_run(a.info), training_of_run(b.info))


@st.cache_resource(max_entries=_HEADERS_KEPT, ttl=_SECONDS_KEPT, show_spinner=False)
def _header(folder: Path, stamp: tuple[int, int]) -> RecordsHeader:
    del stamp  # part of the key only
    return read_manifest(folder).header


@st.cache_resource(max_entries=_PAIRS_KEPT, ttl=_SECONDS_KEPT, show_spinner=False)
def _pair(a: Path, b: Path, stamp: str, _first: Table, _second: Table) -> Pair:
    try:
        table = paired(_first.frame, _second.frame).sort_values("index_a", ignore_index=True)
    except ValueError as error:
        raise PairError(str(error)) from error
    note = None
    if _first.header.data_fingerprint != _second.header.data_fingerprint:
        note = (
            f"The records of {a.name} and {b.name} are of image sets with different fingerprints "
            f"({_first.header.dataset} and {_second.header.dataset}). The {len(table):,} images "
            "of the same name and label are compared; that their pixels are the same cannot be "
            "told from the records."
        )
    return Pair(table, stamp, note)
