"""Tables of a run, one row per image, in Parquet shards that can be written bit by bit.

Every page of a shard carries a checksum and every shard a SHA-256 in the manifest, so damage is
noticed; a shard counts once the manifest names it, so an interrupted table goes on where it was.
``store/records.py`` and ``store/columns.py`` say which tables there are.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from drnn_core.store.files import atomic_write_bytes, is_temporary, sha256_of
from drnn_core.store.manifest import (
    MANIFEST,
    Manifest,
    RecordsError,
    RecordsHeader,
    Shard,
    difference,
    read_manifest,
    shard_file,
    shard_plan,
    write_manifest,
)


@dataclass(frozen=True)
class TableKind:
    """What kind of table of a run it is.

    Attributes:
        folder: relative to the run.
        schema: columns that it must have, with their types; ``index`` is one of them.
        further: type of all columns beside these; None for any.
        command: writes it.
        encoding: of Parquet, beside compression and checksums.
    """

    folder: str
    schema: pa.Schema
    further: pa.DataType | None
    command: str
    encoding: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def manifest(self, run_folder: Path) -> Manifest:
        """The table's manifest.

        Raises:
            RecordsError: no such table, or a manifest that is damaged.
        """
        return read_manifest(run_folder, self.folder, self.command)


class TableWriter:
    """Writes the shards that a table lacks; use it as a context.

    Shards that are there and sound are kept; damaged or missing ones are to be written again.

    Args:
        run_folder: of the run.
        header: of the table.
        kind: of the table.

    Raises:
        RecordsError: the folder holds a table of other weights, other data or another layout.
    """

    def __init__(self, run_folder: Path, header: RecordsHeader, kind: TableKind) -> None:
        self.kind = kind
        self.folder = Path(run_folder) / kind.folder
        self.manifest = Manifest(header)
        if (self.folder / MANIFEST).is_file():
            found = kind.manifest(run_folder)
            if reason := difference(found.header, header):
                raise RecordsError(
                    f"{self.folder} holds records of something else ({reason}); records are never "
                    f"mixed: move or delete the folder, then write them anew"
                )
            sound = tuple(shard for shard in found.shards if self._is_sound(shard))
            self.manifest = Manifest(header, sound)

    def __enter__(self) -> Self:
        """Begin or go on."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Clear away what earlier interruptions left, once nothing is missing."""
        if self.manifest.complete:
            for path in self.folder.iterdir():
                if is_temporary(path):
                    path.unlink(missing_ok=True)

    def missing(self) -> list[tuple[int, int]]:
        """(first, rows) of every shard still to be written, in order."""
        there = {shard.first for shard in self.manifest.shards}
        return [
            (first, rows) for first, rows in shard_plan(self.manifest.header) if first not in there
        ]

    def write(self, first: int, table: pa.Table) -> None:
        """Write one shard and name it in the manifest; both are on the disk afterwards.

        Args:
            first: as ``missing`` lists it.
            table: its rows, with the columns of the header.

        Raises:
            RecordsError: rows that ``missing`` does not ask for, or other columns.
            OSError: the disk is full, or the folder may not be written.
        """
        header = self.manifest.header
        rows = table.num_rows
        if (first, rows) not in shard_plan(header):
            raise RecordsError(
                f"expected a shard of {self.missing()[:1]} (first, rows), got rows {first} to "
                f"{first + rows}"
            )
        name = shard_file(header, first)
        table = self._checked(table, first, name)
        data = _encode(table, self.kind)
        atomic_write_bytes(self.folder / name, data)
        digest = hashlib.sha256(data).hexdigest()
        manifest = self.manifest.with_shard(Shard(name, first, rows, len(data), digest))
        write_manifest(self.folder, manifest)
        self.manifest = manifest

    def _checked(self, table: pa.Table, first: int, name: str) -> pa.Table:
        _check_schema(table.schema, self.manifest.header, self.kind, name)
        index: Any = table["index"].to_numpy()
        if (index != range(first, first + table.num_rows)).any():
            raise RecordsError(f"{name}: expected rows {first}, {first + 1}, ... in this order")
        return table.replace_schema_metadata(None)

    def _is_sound(self, shard: Shard) -> bool:
        with contextlib.suppress(OSError):
            return sha256_of(self.folder / shard.file) == shard.sha256
        return False


def read_table(run_folder: Path, kind: TableKind, columns: Sequence[str] | None = None) -> pa.Table:
    """A whole table, in the order of the split.

    Args:
        run_folder: of the run.
        kind: of the table.
        columns: only these; by default all.

    Raises:
        RecordsError: no such table, an unfinished or damaged one, or no such column.
    """
    manifest = kind.manifest(run_folder)
    folder = Path(run_folder) / kind.folder
    if not manifest.complete:
        rows = sum(shard.rows for shard in manifest.shards)
        raise RecordsError(
            f"the records in {folder} are unfinished, {rows:,} of {manifest.header.rows:,} rows; "
            f"finish them with: {kind.command} {run_folder} --data ..."
        )
    unknown = sorted(set(columns or ()) - set(manifest.header.columns))
    if unknown:
        raise RecordsError(
            f"the records in {folder} have no column {', '.join(unknown)}; expected one of: "
            f"{', '.join(manifest.header.columns)}"
        )
    shards = manifest.shards
    return pa.concat_tables(
        [read_shard(kind, folder, manifest.header, shard, columns) for shard in shards]
    )


def read_shard(
    kind: TableKind,
    folder: Path,
    header: RecordsHeader,
    shard: Shard,
    columns: Sequence[str] | None = None,
) -> pa.Table:
    """One shard, after its SHA-256 was found right.

    Raises:
        RecordsError: missing, damaged, or not what the header promises.
    """
    path = folder / shard.file
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecordsError(
            f"cannot read {path}, which the manifest names: {error.strerror or error}"
        ) from error
    if hashlib.sha256(data).hexdigest() != shard.sha256:
        raise RecordsError(
            f"{path} is damaged: its SHA-256 is not the manifest's ({len(data):,} bytes, expected "
            f"{shard.bytes:,}); write the records again, sound shards are kept"
        )
    try:
        file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
        if file.metadata.num_rows != shard.rows:
            raise RecordsError(
                f"{path} has {file.metadata.num_rows:,} rows, its manifest says {shard.rows:,}"
            )
        _check_schema(file.schema_arrow, header, kind, str(path))
        return file.read(columns=None if columns is None else list(columns))
    except (pa.ArrowException, OSError) as error:
        raise RecordsError(f"expected Parquet in {path}, which is damaged: {error}") from error


def _encode(table: pa.Table, kind: TableKind) -> bytes:
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True, **kind.encoding)
    return buffer.getvalue().to_pybytes()


def _check_schema(schema: pa.Schema, header: RecordsHeader, kind: TableKind, where: str) -> None:
    if tuple(schema.names) != header.columns:
        raise RecordsError(
            f"{where}: expected the columns {', '.join(header.columns)}; got "
            f"{', '.join(schema.names)}"
        )
    found = dict(zip(schema.names, schema.types, strict=True))
    expected = dict(zip(kind.schema.names, kind.schema.types, strict=True))
    if kind.further is not None:
        expected |= {name: kind.further for name in schema.names if name not in expected}
    for name, wanted in expected.items():
        if found.get(name) != wanted:
            raise RecordsError(
                f"{where}: expected a column {name} of {wanted}, got {found.get(name, 'none')}"
            )
