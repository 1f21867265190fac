"""Columns beside a run's records: what was measured of each image after the records were written.

A table of columns is a folder ``columns/NAME/`` of the run, with shards and a manifest as the
records have them. It holds ``index``, by which it is joined to the records, and float32 columns;
NaN stands where there is nothing to measure, and in the rows of images that were left out. Its
manifest names the same weights and images as the records'. Tables that a user keeps are called
``own_...``; only these are ever deleted.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from drnn_core.store.manifest import MANIFEST, RecordsError, RecordsHeader, difference
from drnn_core.store.records import RECORDS_TABLE, read_records
from drnn_core.store.shards import TableKind, TableWriter, read_table

COLUMNS = "columns"
OWN = "own_"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SCHEMA = pa.schema([("index", pa.int32())])

# Bits of a float32's fraction that are kept, four decimal digits: the rest is noise of the
# measurement, which no compression could shrink.
_BITS = 13


def column_table(name: str) -> TableKind:
    """The table of columns of this name.

    Raises:
        RecordsError: a name that is no plain word of small letters, digits and underscores.
    """
    if not _NAME.fullmatch(name):
        raise RecordsError(
            f"expected a name of small letters, digits and _ for a table of columns, got {name!r}"
        )
    # Bytes of floats that change alike stand together, which makes the files a third smaller.
    encoding = {"use_dictionary": False, "use_byte_stream_split": True}
    command = "drnn join" if name.startswith(OWN) else "drnn saliency"
    return TableKind(f"{COLUMNS}/{name}", _SCHEMA, pa.float32(), command, encoding)


def column_tables(run_folder: Path) -> list[str]:
    """Names of the tables of columns that a run has, finished or not, sorted."""
    folder = Path(run_folder) / COLUMNS
    if not folder.is_dir():
        return []
    found = [path.name for path in folder.iterdir() if (path / MANIFEST).is_file()]
    return sorted(name for name in found if _NAME.fullmatch(name))


class ColumnWriter(TableWriter):
    """Writes the shards that a table of columns lacks; see ``TableWriter``.

    Args:
        run_folder: of a run with records.
        name: of the table.
        columns: their names, besides ``index``.
        shard_rows: rows of a shard; by default as the records have them.
        measured: how many rows, at even distances, will hold values; None: all.

    Raises:
        RecordsError: no records, names that are taken, or a table of other weights or images.
    """

    def __init__(
        self,
        run_folder: Path,
        name: str,
        columns: Sequence[str],
        shard_rows: int | None = None,
        measured: int | None = None,
    ) -> None:
        header = RECORDS_TABLE.manifest(run_folder).header
        taken = dict.fromkeys(header.columns, "the records")
        for other in column_tables(run_folder):
            if other != name:
                there = column_table(other).manifest(run_folder).header.columns
                taken |= dict.fromkeys(there, f"the table {other}")
        for column in columns:
            if column in taken:
                raise RecordsError(
                    f"expected names of columns that are free, but {taken[column]} of "
                    f"{run_folder} has a column {column} already"
                )
        own = replace(
            header,
            columns=("index", *columns),
            shard_rows=header.shard_rows if shard_rows is None else shard_rows,
            measured=measured,
        )
        super().__init__(run_folder, own, column_table(name))

    def write_columns(self, first: int, columns: Mapping[str, NDArray[np.float32]]) -> None:
        """Write one shard; see ``write``. Values are rounded to about four digits."""
        rows = len(next(iter(columns.values())))
        arrays = {name: pa.array(rounded(values)) for name, values in columns.items()}
        index = pa.array(np.arange(first, first + rows), pa.int32())
        self.write(first, pa.table({"index": index, **arrays}))


def keep_columns(run_folder: Path, name: str, columns: Mapping[str, NDArray[np.float64]]) -> str:
    """Keep a user's numbers beside the records, as float32 of about four digits.

    Args:
        run_folder: of a run with whole records.
        name: small letters, digits and _; the table is called ``own_`` and this.
        columns: name -> one number for each record, in their order, NaN where there is none.

    Returns:
        Name of the table.

    Raises:
        RecordsError: no records, a name that is no plain word, names that are taken, or numbers
            of other images.
    """
    column_table(name)  # a plain word by itself, too
    table = f"{OWN}{name}"
    kind = column_table(table)
    if (Path(run_folder) / kind.folder).exists():
        raise RecordsError(
            f"expected a name that is free, but {run_folder} has a table of columns {table} already"
        )
    rows = RECORDS_TABLE.manifest(run_folder).header.rows
    if any(len(values) != rows for values in columns.values()) or not columns:
        raise RecordsError(f"expected columns of a number for each of the {rows:,} records")
    with ColumnWriter(run_folder, table, list(columns)) as writer:
        for first, count in writer.missing():
            part = slice(first, first + count)
            writer.write_columns(
                first, {key: values[part].astype(np.float32) for key, values in columns.items()}
            )
    return table


def discard_columns(run_folder: Path, table: str) -> None:
    """Delete a table that a user kept.

    Raises:
        RecordsError: no such table, or one that was measured and not kept.
        OSError: the folder may not be written.
    """
    if not table.startswith(OWN) or table not in column_tables(run_folder):
        raise RecordsError(
            f"expected a table that somebody kept ({OWN}...), but {run_folder} has no {table!r}"
        )
    folder = Path(run_folder) / column_table(table).folder
    (folder / MANIFEST).unlink()  # first: without it, the rest counts for nothing
    shutil.rmtree(folder, ignore_errors=True)


def rounded(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32 values with 13 bits of fraction: within 1/16,000 of each; NaN and infinity stay."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    dropped = 23 - _BITS
    half, mask = np.uint32(1 << (dropped - 1)), np.uint32(0xFFFFFFFF ^ ((1 << dropped) - 1))
    return np.where(np.isfinite(values), ((bits + half) & mask).view(np.float32), values)


def columns_header(run_folder: Path, name: str) -> RecordsHeader:
    """What a table of columns is of: the same weights and images as the run's records.

    Raises:
        RecordsError: no such table, or one of other weights or images.
    """
    kind = column_table(name)
    found, records = (each.manifest(run_folder).header for each in (kind, RECORDS_TABLE))
    own = replace(
        found, columns=records.columns, shard_rows=records.shard_rows, measured=records.measured
    )
    if reason := difference(own, records):
        raise RecordsError(
            f"the columns in {Path(run_folder) / kind.folder} are not of the run's records "
            f"({reason}); delete the folder and write them anew with: {kind.command} ..."
        )
    return found


def read_columns(run_folder: Path, name: str) -> pd.DataFrame:
    """One table of columns, with ``index``.

    Raises:
        RecordsError: no such table, or one that is unfinished, damaged or not of the records.
    """
    columns_header(run_folder, name)
    kind = column_table(name)
    frame = read_table(run_folder, kind).to_pandas()
    if not np.array_equal(frame["index"].to_numpy(), np.arange(len(frame))):
        raise RecordsError(
            f"expected 'index' to count the rows of {Path(run_folder) / kind.folder} from 0"
        )
    return frame


def read_all(run_folder: Path, tables: Sequence[str] | None = None) -> pd.DataFrame:
    """The records with the columns beside them, in the order of the split.

    Args:
        run_folder: of the run.
        tables: these tables of columns; by default all that are finished.

    Raises:
        RecordsError: as of ``read_records`` and ``read_columns``.
    """
    records = read_records(run_folder)
    if tables is None:
        tables = [
            name
            for name in column_tables(run_folder)
            if column_table(name).manifest(run_folder).complete
        ]
    parts = [read_columns(run_folder, name).drop(columns="index") for name in tables]
    return pd.concat([records, *parts], axis=1)
