"""Records on the disk: DuckDB counts them in their Parquet files, in little memory.

Five million records answer most questions in 0.04 to 0.4 s on two cores, the one for all headline
numbers in 1 s (docs/app.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drnn_core.analysis.loop_counts import class_rows
from drnn_core.analysis.loops import Order, Selection
from drnn_core.layout import BlockLayout
from drnn_core.querying.records import Counts, Overall, Positions
from drnn_core.store.files import sha256_of
from drnn_core.store.manifest import RecordsError
from drnn_core.store.shards import TableKind

_MEMORY = "256MB"  # beyond it DuckDB sorts on the disk

# Column and direction of each order, as ``analysis.loops.ordered`` has them.
_ORDERS: dict[Order, str] = {
    "index": "index",
    "loops up": "loops, index",
    "loops down": "loops DESC, index",
    "confidence up": "confidence, index",
    "confidence down": "confidence DESC, index",
    "loss down": "-loss, index",
    "class": "label, index",
}

# A fixed pseudo-random order of the whole numbers (Knuth's multiplicative hash), so that a sample
# is the same everywhere and does not follow the order of the set.
_PLACE = "((index::UBIGINT * 2654435761) % 4294967296)"


def verified_files(run_folder: Path, kind: TableKind) -> list[Path]:
    """The Parquet files of a whole table, each found to be what the manifest says.

    Raises:
        RecordsError: no such table, or an unfinished or damaged one; the message says what to do.
    """
    manifest = kind.manifest(run_folder)
    folder = Path(run_folder) / kind.folder
    if not manifest.complete:
        rows = sum(shard.rows for shard in manifest.shards)
        raise RecordsError(
            f"the records in {folder} are unfinished, {rows:,} of {manifest.header.rows:,} rows; "
            f"finish them with: {kind.command} {run_folder} --data ..."
        )
    for shard in manifest.shards:
        path = folder / shard.file
        if not path.is_file() or sha256_of(path) != shard.sha256:
            raise RecordsError(
                f"{path} is missing or damaged: its SHA-256 is not the manifest's; write the "
                "records again, sound shards are kept"
            )
    return [folder / shard.file for shard in manifest.shards]


def sample(
    files: Sequence[Path], rows: int, wanted: int, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """About ``wanted`` of ``rows`` records, always the same ones, by ``index``.

    Args:
        files: of a table with ``index``; tables of one run give the same images.
        rows: of the table.
        wanted: number of rows; the chance of each row is ``wanted / rows``.
        columns: by default all.
    """
    limit = round(min(1.0, wanted / rows) * 2**32)
    chosen = "*" if columns is None else ", ".join(f'"{name}"' for name in columns)
    with _connection(files) as found:
        query = f"SELECT {chosen} FROM records WHERE {_PLACE} < {limit} ORDER BY index"  # noqa: S608  # names of columns that the manifest lists, and numbers
        return found.execute(query).df()


class ParquetRecords:
    """Answers counted in Parquet files; see ``Records``.

    Args:
        files: as ``verified_files`` gives them, of the records.
        rows: in all of them.
        layout: of the network's K recursive blocks.
    """

    def __init__(self, files: Sequence[Path], rows: int, layout: Sequence[BlockLayout]) -> None:
        self._files = tuple(files)
        self._rows = rows
        self._layout = tuple(layout)

    def overall(self) -> Overall:
        """All records in a few numbers."""
        what = "SELECT count(*), avg(correct::INT), avg(macs), stddev_samp(macs)"
        ((n, right, macs, std),) = self._ask(what)
        return Overall(int(n), 1 - float(right), float(macs), math.nan if std is None else std)

    def loop_counts(self, selection: Selection) -> Counts:
        """(loops_max + 1,) selected images by executed loops."""
        most = sum(block.loops for block in self._layout)
        counts = np.zeros(most + 1, np.int64)
        for loops, images in self._ask("SELECT loops, count(*)", selection, "GROUP BY loops"):
            if not 0 <= loops <= most:
                raise ValueError(
                    f"expected at most {most} loops, got records of {loops}; the records are of "
                    "another network"
                )
            counts[loops] = images
        return counts

    def block_counts(self, selection: Selection) -> list[Counts]:
        """Of each block: (l + 1,) selected images by the loops that they executed in it."""
        if not self._layout:
            return []
        sums = ", ".join(
            f"count(*) FILTER (block_loops[{place + 1}] = {loops})"
            for place, block in enumerate(self._layout)
            for loops in range(block.loops + 1)
        )
        (found,) = self._ask(f"SELECT {sums}", selection)
        ends = np.cumsum([block.loops + 1 for block in self._layout])[:-1]
        return np.split(np.array(found, np.int64), ends)

    def spread(self, scores: Sequence[NDArray[np.float64]]) -> float:
        """Standard deviation over all records of the sum of an image's scores."""
        if not scores:
            return math.nan
        parts = [
            f"{[float(score) for score in of_loops]}[block_loops[{place + 1}] + 1]"
            for place, of_loops in enumerate(scores)
        ]
        ((std,),) = self._ask(f"SELECT stddev_samp({' + '.join(parts)})")
        return math.nan if std is None else float(std)

    def classes(self, selection: Selection, names: Sequence[str]) -> pd.DataFrame:
        """As ``analysis.loops.class_table``, of the selected images."""
        what = (
            "SELECT label, count(*), avg(loops), stddev_samp(loops), 100 * (1 - avg(correct::INT))"
        )
        rows = self._ask(what, selection, "GROUP BY label ORDER BY label")
        table = pd.DataFrame(rows, columns=["label", "n", "mean", "std", "error"])
        return class_rows(table.astype({"mean": float, "std": float, "error": float}), names)

    def positions(self, selection: Selection, order: Order) -> Positions:
        """Of the selected images, in an order."""
        where, values = self._where(selection)
        with _connection(self._files) as found:
            query = f"SELECT index FROM records {where} ORDER BY {_ORDERS[order]}"  # noqa: S608  # clauses of this file
            return np.asarray(found.execute(query, values).fetchnumpy()["index"], np.int64)

    def at(self, positions: Positions, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """The records at some positions, in this order."""
        if len(positions) and not 0 <= positions.min() <= positions.max() < self._rows:
            raise ValueError(f"expected positions below {self._rows:,}, got {positions}")
        named = [] if columns is None else [f'"{name}"' for name in dict.fromkeys(columns)]
        chosen = ", ".join(["index AS position", *(named or ["*"])])
        with _connection(self._files) as found:
            query = f"SELECT {chosen} FROM records WHERE index IN (SELECT unnest(?))"  # noqa: S608  # names of columns
            part = found.execute(query, [positions.tolist()]).df()
        return part.set_index("position").loc[positions]

    def _ask(
        self, what: str, selection: Selection | None = None, rest: str = ""
    ) -> list[tuple[Any, ...]]:
        where, values = self._where(selection or Selection())
        with _connection(self._files) as found:
            return found.execute(f"{what} FROM records {where} {rest}", values).fetchall()

    def _where(self, selection: Selection) -> tuple[str, list[Any]]:
        """The clause for a selection, as ``analysis.loops.matching`` reads it, and its values."""
        parts: list[tuple[str, list[Any]]] = []
        if selection.loops is not None:
            parts.append(("loops BETWEEN ? AND ?", list(selection.loops)))
        if selection.labels:
            parts.append(("label IN (SELECT unnest(?))", [list(selection.labels)]))
        if selection.correct is not None:
            parts.append(("correct = ?", [selection.correct]))
        if selection.confidence is not None:
            within = "round_even(confidence::DOUBLE, 6) BETWEEN ? AND ?"
            parts.append((within, list(selection.confidence)))
        if selection.step is not None:
            block, loop = selection.step
            if not 0 <= block < len(self._layout):
                raise ValueError(
                    f"expected a block below {len(self._layout)}, the network's recursive blocks, "
                    f"got {block}"
                )
            parts.append((f"block_loops[{block + 1}] > ?", [loop]))
        clause = " AND ".join(part for part, _ in parts)
        return f"WHERE {clause}" if clause else "", [one for _, some in parts for one in some]


def _connection(files: Sequence[Path]) -> duckdb.DuckDBPyConnection:
    """A connection of its own, which knows the files as ``records``; threads never share one."""
    found = duckdb.connect(config={"memory_limit": _MEMORY, "threads": 2})
    found.read_parquet([str(path) for path in files]).create_view("records")
    return found
