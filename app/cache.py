"""Everything the pages read from disk, kept once for all sessions and bounded.

What comes from here is shared between sessions and must not be changed in place. Every entry is
keyed by the stamp of the file it was read from, so that a run written anew is seen at the next
rerun.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from app.settings import settings
from drnn_core.analysis.loops import block_matrix
from drnn_core.commands.models import model_row
from drnn_core.inference.facts import NetworkFacts, NetworkShape, network_facts, network_shape
from drnn_core.querying.frames import FrameRecords
from drnn_core.querying.records import Records
from drnn_core.store.records import (
    RECORDS_TABLE,
    RecordsError,
    RecordsHeader,
    has_records,
    read_manifest,
    read_records,
)
from drnn_core.store.runs import RunInfo, find_runs, read_run

if TYPE_CHECKING:
    from drnn_core.inference.predictor import Predictor

# More than anybody lists: walking one more than are kept would read every run anew each time.
_RUNS_KEPT = 1024
_RECORDS_KEPT = 6
_PREDICTORS_KEPT = 4
_NETWORKS_KEPT = 256
_SECONDS_KEPT = 3600

# Records of more images stay on the disk: Distribution counts them there, and pages that need a
# table in memory look at a sample of about so many.
MOST_IN_MEMORY = 250_000
SAMPLE = 50_000


@dataclass(frozen=True)
class Run:
    """A run folder as the pages see it; exactly one of ``info`` and ``problem`` is set.

    Attributes:
        name: of the folder, what stands in the URL.
        folder: where it is.
        info: run.json.
        problem: one sentence why it cannot be read.
    """

    name: str
    folder: Path
    info: RunInfo | None
    problem: str | None = None


@dataclass(frozen=True)
class Table:
    """A run's records, ready for filters and charts; shared, not to be changed in place.

    Attributes:
        header: what the records are of.
        stamp: changes when the records are written anew.
        records: answers about all of them, however many there are.
        read: reads ``frame``.
        sampled: ``frame`` holds a sample, see there.
    """

    header: RecordsHeader
    stamp: str
    records: Records
    read: Callable[[], pd.DataFrame]
    sampled: bool = False

    @cached_property
    def frame(self) -> pd.DataFrame:
        """N rows, columns as ``drnn_core.store.records`` documents them, by rising ``index``.

        Where there are more records than fit in memory, a sample of them: always the same rows,
        so ``index``, and not a row's place in the frame, says which image it is.
        """
        return self.read()

    @cached_property
    def block_loops(self) -> NDArray[np.int8]:
        """(N, K) executed loops of each image of ``frame`` in each recursive block."""
        return block_matrix(self.frame)


def list_runs() -> list[Run]:
    """Every run in the runs folder, damaged ones included, by name."""
    folder = settings().runs
    if not folder.is_dir():
        return []
    return [open_run(path) for path in find_runs(folder)]


def open_run(folder: Path) -> Run:
    """One run; a damaged one comes with a ``problem`` instead of an ``info``."""
    return _open_run(folder, stamp_of(folder / "run.json"))


def records(run: Run) -> pd.DataFrame:
    """The run's records, one row per image; ``table(run).frame``.

    Raises:
        RecordsError: there are none, or they are damaged; the message says what to do.
    """
    return table(run).frame


def table(run: Run) -> Table:
    """The run's records and what is derived from them.

    Raises:
        RecordsError: there are none, they are unfinished, or damaged; the message says what to do.
    """
    manifest = run.folder / "records" / "manifest.json"
    return _table(run.folder, stamp_of(manifest), stamp_of(run.folder / "run.json"))


def recorded(run: Run) -> bool:
    """Whether records of the run were written (they may still be damaged)."""
    return has_records(run.folder)


def recorded_rows(run: Run) -> int:
    """How many records of the run there are to be; 0 without any that can be read."""
    if not recorded(run):
        return 0
    try:
        return read_manifest(run.folder).header.rows
    except (ValueError, OSError):
        return 0


def facts(run: Run) -> NetworkFacts:
    """Layout, expected loops and cost of the run's network, without its weights.

    Raises:
        RunError: run.json names a network that cannot be built.
    """
    return _facts(run.folder, stamp_of(run.folder / "run.json"))


@st.cache_resource(max_entries=_NETWORKS_KEPT, show_spinner=False)
def network_counts(name: str) -> dict[str, Any]:
    """What ``drnn models`` says of a registered network."""
    return model_row(name, anew=False)


@st.cache_resource(max_entries=_NETWORKS_KEPT, show_spinner=False)
def shape_of(name: str) -> NetworkShape:
    """Blocks, loops and cost of a registered network."""
    return network_shape(name)


def predictor(run: Run) -> Predictor:
    """The run's network, ready to predict pictures.

    Raises:
        RunError: the weights are missing or damaged.
    """
    return _predictor(run.folder, stamp_of(run.folder / "model.safetensors"))


def stamp_of(path: Path) -> tuple[int, int]:
    """(modification time in ns, size): changes when the file is written anew; (0, 0) if absent."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


@st.cache_resource(max_entries=_RUNS_KEPT, ttl=_SECONDS_KEPT, show_spinner=False)
def _open_run(folder: Path, stamp: tuple[int, int]) -> Run:
    del stamp  # part of the key only
    try:
        return Run(folder.name, folder, read_run(folder))
    except (ValueError, OSError) as error:
        return Run(folder.name, folder, None, str(error))


@st.cache_resource(max_entries=_RECORDS_KEPT, ttl=_SECONDS_KEPT, show_spinner=False)
def _table(folder: Path, stamp: tuple[int, int], run_stamp: tuple[int, int]) -> Table:
    del run_stamp
    header = read_manifest(folder).header
    info = read_run(folder)
    if header.weights_sha256 != info.weights_sha256:
        raise RecordsError(
            f"the records of {folder.name} are of other weights than the run's; delete "
            f"{folder / 'records'} and write them anew with: drnn records {folder} --data ..."
        )
    layout, version = network_facts(info).layout, f"{stamp[0]:x}-{stamp[1]:x}"
    if header.rows > MOST_IN_MEMORY:
        from drnn_core.querying.parquet import ParquetRecords, sample, verified_files  # DuckDB

        files = verified_files(folder, RECORDS_TABLE)
        records = ParquetRecords(files, header.rows, layout)
        return Table(header, version, records, lambda: sample(files, header.rows, SAMPLE), True)
    frame = read_records(folder)
    return Table(header, version, FrameRecords(frame, layout), lambda: frame)


@st.cache_resource(max_entries=_RUNS_KEPT, ttl=_SECONDS_KEPT, show_spinner=False)
def _facts(folder: Path, stamp: tuple[int, int]) -> NetworkFacts:
    del stamp
    return network_facts(read_run(folder))


@st.cache_resource(max_entries=_PREDICTORS_KEPT, ttl=_SECONDS_KEPT, show_spinner=False)
def _predictor(folder: Path, stamp: tuple[int, int]) -> Predictor:
    from drnn_core.inference.predictor import Predictor  # slow to import

    del stamp
    return Predictor(folder)
