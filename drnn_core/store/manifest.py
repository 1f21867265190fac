"""The manifest of a run's records, or of a table beside them: of what, and every shard's SHA-256.

A manifest is a sealed JSON file (``store/sealed.py``)::

    {"format": 1, "split": "test", "dataset": ..., "data_fingerprint": ..., "weights_sha256": ...,
     "rows": 10000, "shard_rows": 2500, "columns": [...], "complete": true,
     "shards": [{"file": "part-00000.parquet", "first": 0, "rows": 2500, "bytes": ...,
                 "sha256": ...}, ...], "sha256": ...}
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from drnn_core.store.fields import Fields
from drnn_core.store.sealed import SealError, read_sealed, write_sealed

RECORDS = "records"
MANIFEST = "manifest.json"
RECORDS_FORMAT = 1

_MOST_ROWS = 2**31 - 1


class RecordsError(ValueError):
    """Records that are missing, damaged, unfinished or of something else; one sentence."""


@dataclass(frozen=True)
class RecordsHeader:
    """What a table of records is of; shards of different headers never mix.

    Attributes:
        split: "train" or "test".
        dataset, data_fingerprint: of the ``ImageSet``.
        weights_sha256: of the network that was recorded.
        rows: images of the set.
        shard_rows: rows of every shard but the last.
        columns: names of all columns, in order.
        measured: rows that hold values, at even distances, where not all do; the others are NaN.
    """

    split: str
    dataset: str
    data_fingerprint: str
    weights_sha256: str
    rows: int
    shard_rows: int
    columns: tuple[str, ...]
    measured: int | None = None


@dataclass(frozen=True)
class Shard:
    """One Parquet file: its rows begin at position ``first`` of the split."""

    file: str
    first: int
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """A header and the shards that are there, by ``first``."""

    header: RecordsHeader
    shards: tuple[Shard, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every shard is there."""
        return len(self.shards) == len(shard_plan(self.header))

    def with_shard(self, shard: Shard) -> Manifest:
        """This manifest with one more shard, in the place of an older one of the same rows."""
        others = [other for other in self.shards if other.first != shard.first]
        return Manifest(self.header, tuple(sorted([*others, shard], key=lambda s: s.first)))


def shard_plan(header: RecordsHeader) -> list[tuple[int, int]]:
    """(first, rows) of every shard, fixed by the header alone."""
    return [
        (first, min(header.shard_rows, header.rows - first))
        for first in range(0, header.rows, header.shard_rows)
    ]


def shard_file(header: RecordsHeader, first: int) -> str:
    """Name of the shard whose rows begin at ``first``."""
    return f"part-{first // header.shard_rows:05d}.parquet"


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``manifest.json`` into a records folder, atomically."""
    header = asdict(manifest.header)
    if manifest.header.measured is None:
        del header["measured"]  # the usual case: every row
    values: dict[str, Any] = {
        "format": RECORDS_FORMAT,
        **header,
        "complete": manifest.complete,
        "shards": [asdict(shard) for shard in manifest.shards],
    }
    write_sealed(folder / MANIFEST, values)


def read_manifest(
    run_folder: Path, table: str = RECORDS, command: str = "drnn records"
) -> Manifest:
    """Read the manifest of a run's records, or of a table beside them.

    Args:
        run_folder: of the run.
        table: its folder, relative to the run's.
        command: what writes it, for the message where it is not there.

    Raises:
        RecordsError: no such table, or a manifest that is damaged or contradicts itself.
    """
    path = Path(run_folder) / table / MANIFEST
    if not path.is_file():
        raise RecordsError(
            f"expected records in {path.parent}, found none; write them with: {command} "
            f"{run_folder} --data ..."
        )
    try:
        read = Fields(read_sealed(path), str(path), RecordsError)
    except SealError as error:
        raise RecordsError(str(error)) from error
    version = read.integer("format", least=1)
    if version > RECORDS_FORMAT:
        raise RecordsError(
            f"{path}: expected format {RECORDS_FORMAT}, got {version}; a newer version of this "
            "program wrote the records: update to read them"
        )
    header = RecordsHeader(
        split=read.text("split"),
        dataset=read.text("dataset"),
        data_fingerprint=read.text("data_fingerprint"),
        weights_sha256=read.text("weights_sha256"),
        rows=read.integer("rows", least=1, most=_MOST_ROWS),
        shard_rows=read.integer("shard_rows", least=1, most=_MOST_ROWS),
        columns=read.texts("columns"),
        measured=read.integer("measured", 1, _MOST_ROWS) if "measured" in read.values else None,
    )
    manifest = Manifest(header, tuple(_shard(entry) for entry in read.objects("shards")))
    _check(manifest, read.flag("complete"), path)
    return manifest


def difference(found: RecordsHeader, wanted: RecordsHeader) -> str:
    """The first thing in which two headers differ, in words; "" where they are equal."""
    names = {
        "weights_sha256": "weights",
        "data_fingerprint": "data fingerprint",
        "dataset": "data set",
        "shard_rows": "rows a shard",
        "measured": "images measured",
    }
    order = [
        "weights_sha256",
        "data_fingerprint",
        "measured",
        *(entry.name for entry in fields(found)),
    ]
    for key in order:
        old, new = getattr(found, key), getattr(wanted, key)
        if old != new:
            return f"{names.get(key, key)} {_short(old)} instead of {_short(new)}"
    return ""


def _shard(read: Fields) -> Shard:
    return Shard(
        file=read.text("file"),
        first=read.integer("first", least=0),
        rows=read.integer("rows", least=1),
        bytes=read.integer("bytes", least=1),
        sha256=read.text("sha256"),
    )


def _check(manifest: Manifest, complete: bool, path: Path) -> None:
    """Only the planned shards under their own names: a file name never leads elsewhere."""
    header = manifest.header
    plan = dict(shard_plan(header)) if header.rows <= header.shard_rows * 10**6 else {}
    for shard in manifest.shards:
        if plan.get(shard.first) != shard.rows or shard.file != shard_file(header, shard.first):
            raise RecordsError(
                f"{path}: expected shards of {header.shard_rows} rows named part-00000.parquet "
                f"and so on, got {shard.file!r} with rows {shard.first} to "
                f"{shard.first + shard.rows}"
            )
    firsts = [shard.first for shard in manifest.shards]
    if firsts != sorted(set(firsts)) or complete != manifest.complete:
        raise RecordsError(f"{path}: expected each shard once, in order, and 'complete' to tell")


def _short(value: Any) -> str:
    text = "all" if value is None else str(value)
    return text if len(text) <= 40 else text[:12] + "..."
