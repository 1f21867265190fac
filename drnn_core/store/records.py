"""A run's records: one row per image, what its network did with it.

Columns: ``index`` (position in the split), ``id``, ``label``, ``prediction``, ``correct``,
``confidence`` (softmax of the prediction), ``entropy`` and ``loss`` (nats), ``loops`` (executed,
over all blocks), ``block_loops`` (a list), ``gate_prob`` (a list over steps, NaN where the gate
was not asked), ``macs``; further columns beside them, such as the difficulty factors of
``generated``. What was measured later stands in tables of its own, see ``store/columns.py``.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from drnn_core.store.manifest import (
    MANIFEST,
    RECORDS,
    RecordsError,
    RecordsHeader,
    read_manifest,
)
from drnn_core.store.shards import TableKind, TableWriter, read_table

__all__ = [
    "RECORDS_TABLE",
    "RECORD_SCHEMA",
    "RecordWriter",
    "RecordsError",
    "RecordsHeader",
    "discard_records",
    "has_records",
    "read_manifest",
    "read_records",
    "read_records_table",
]

RECORD_SCHEMA = pa.schema(
    [
        ("index", pa.int32()),
        ("id", pa.string()),
        ("label", pa.int16()),
        ("prediction", pa.int16()),
        ("correct", pa.bool_()),
        ("confidence", pa.float32()),
        ("entropy", pa.float32()),
        ("loss", pa.float32()),
        ("loops", pa.int16()),
        ("block_loops", pa.list_(pa.int8())),
        ("gate_prob", pa.list_(pa.float32())),
        ("macs", pa.int64()),
    ]
)


RECORDS_TABLE = TableKind(RECORDS, RECORD_SCHEMA, further=None, command="drnn records")


class RecordWriter(TableWriter):
    """Writes the shards that a run's records lack; see ``TableWriter``.

    Args:
        run_folder: of the run.
        header: of the table.

    Raises:
        RecordsError: the folder holds records of other weights, other data or another layout.
    """

    def __init__(self, run_folder: Path, header: RecordsHeader) -> None:
        super().__init__(run_folder, header, RECORDS_TABLE)


def has_records(run_folder: Path) -> bool:
    """Whether a run has records, finished or not."""
    return (Path(run_folder) / RECORDS / MANIFEST).is_file()


def discard_records(run_folder: Path) -> None:
    """Delete a run's records, to write others."""
    folder = Path(run_folder) / RECORDS
    (folder / MANIFEST).unlink(missing_ok=True)  # first: without it, the rest counts for nothing
    shutil.rmtree(folder, ignore_errors=True)


def read_records(run_folder: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """The whole table as a data frame, in the order of the split.

    Args:
        run_folder: of the run.
        columns: only these; by default all.

    Raises:
        RecordsError: no records, unfinished or damaged ones, or no such column.
    """
    return read_records_table(run_folder, columns).to_pandas(split_blocks=True, self_destruct=True)


def read_records_table(run_folder: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """As ``read_records``, as an Arrow table."""
    return read_table(run_folder, RECORDS_TABLE, columns)
