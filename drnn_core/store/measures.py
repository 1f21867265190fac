"""Reading a table that a user brings: numbers for images, named by ``id`` or by ``index``.

A CSV file (commas, a header, UTF-8) or a Parquet file, told apart by content, not by name. Files
come from outside: nothing of them is run, no name of theirs becomes a path, and what would take
much more memory than the file itself is refused before it is unpacked.
"""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyarrow import csv

_MOST_BYTES = 1 << 30
_MOST_COLUMNS = 1000
_MOST_CELLS = 20_000_000  # numbers, unpacked
_ID_LONGEST = 1000  # letters
_PARQUET = b"PAR1"
# What pandas adds to a Parquet file; nobody measured it.
_INDEX_OF_PANDAS = "__index_level_"


class MeasuresError(ValueError):
    """A table that cannot be read or joined; one sentence for the user."""


@dataclass(frozen=True)
class Measures:
    """Numbers for images.

    Attributes:
        key: by which column images are named: "id" (text) or "index" (position in the split).
        columns: the key and the numeric columns as float64, NaN where a value is missing.
        ignored: columns that hold no numbers.
    """

    key: Literal["id", "index"]
    columns: pd.DataFrame
    ignored: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """Of the numeric columns."""
        return [str(name) for name in self.columns.columns if name != self.key]


def read_measures(path: Path) -> Measures:
    """Read a table of numbers for images.

    Args:
        path: CSV or Parquet with a column ``id`` (used if there is one) or ``index``, each image
            once, and at least one column of numbers.

    Raises:
        MeasuresError: anything else; the message says what was expected and what came.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise MeasuresError(f"expected a CSV or Parquet file, got the folder {path}")
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise MeasuresError(f"expected at most {_MOST_BYTES:,} bytes in {path}, got {size:,}")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise MeasuresError(f"expected a CSV or Parquet file, but there is no {path}") from error
    except OSError as error:
        raise MeasuresError(f"cannot read {path}: {error.strerror or error}") from error
    return parse_measures(data, str(path))


def parse_measures(data: bytes, name: str) -> Measures:
    """Read the content of such a file.

    Args:
        data: see ``read_measures``.
        name: of the file, for messages only.

    Raises:
        MeasuresError: as of ``read_measures``.
    """
    if not data.strip():
        raise MeasuresError(f"expected a CSV or Parquet file, but {name} is empty")
    is_parquet = data.startswith(_PARQUET)
    return _measures(_read_parquet(data, name) if is_parquet else _read_csv(data, name), name)


@dataclass(frozen=True)
class _Table:
    """What a file holds: the names of all columns, and those of them that may be of use."""

    names: list[str]
    rows: int
    columns: dict[str, pa.ChunkedArray[Any]]


def _measures(table: _Table, path: str) -> Measures:
    key = _key_of(table.names, path)
    if not table.rows:
        raise MeasuresError(f"{path}: expected a row for each image, got a header without rows")
    keys = table.columns[key]
    columns: dict[str, Any] = {key: _ids(keys, path) if key == "id" else _positions(keys, path)}
    ignored: list[str] = []
    for name in table.names:
        if name in ("id", "index") or name.startswith(_INDEX_OF_PANDAS):
            continue
        values = _numbers(table.columns[name]) if name in table.columns else None
        if values is None:
            ignored.append(name)
        else:
            columns[name] = values
    if len(columns) == 1:
        raise MeasuresError(
            f"{path}: expected a column of numbers beside {key!r}, got "
            f"{', '.join(ignored[:5]) or 'none'}{' with other values' if ignored else ''}"
        )
    return Measures(key, pd.DataFrame(columns), tuple(ignored))


def _read_parquet(data: bytes, path: str) -> _Table:
    """The key and the columns of numbers; others are not unpacked."""
    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        schema, rows = file.schema_arrow, file.metadata.num_rows
        names = _checked_names([str(name) for name in schema.names], path)
        kinds = zip(names, schema.types, strict=True)
        useful = [name for name, kind in kinds if name in ("id", "index") or _is_number(kind)]
        if rows * len(useful) > _MOST_CELLS:
            raise MeasuresError(
                f"{path}: expected at most {_MOST_CELLS:,} numbers, got {rows:,} rows of "
                f"{len(useful)} columns; leave out columns, or rows of other images"
            )
        # Ids as numbers of a dictionary: a long text that every row repeats is read once.
        table = pq.read_table(
            pa.BufferReader(data), columns=useful, read_dictionary=["id"] if "id" in names else None
        )
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())
        raise MeasuresError(f"expected Parquet in {path}, which is damaged: {reason}") from error
    return _Table(names, rows, {name: table[name] for name in useful})


def _read_csv(data: bytes, path: str) -> _Table:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise MeasuresError(
            f"expected CSV as UTF-8 text, or Parquet, in {path}; byte {error.start:,} is neither: "
            "save it as UTF-8"
        ) from error
    header = data.lstrip().split(b"\n", 1)[0]
    if header.count(b",") >= _MOST_COLUMNS:
        raise MeasuresError(_too_wide(header.count(b",") + 1, path))
    # ids stay text: 0042 is not 42
    kinds = csv.ConvertOptions(column_types={"id": pa.string()}, strings_can_be_null=False)
    try:
        table = csv.read_csv(io.BytesIO(data), convert_options=kinds)
    except (pa.ArrowException, ValueError) as error:
        reason = " ".join(str(error).split())
        raise MeasuresError(f"expected CSV in {path}, got: {reason}") from error
    names = _checked_names([str(name) for name in table.column_names], path)
    return _Table(names, table.num_rows, {name: table[name] for name in names})


def _checked_names(names: list[str], path: str) -> list[str]:
    if len(names) > _MOST_COLUMNS:
        raise MeasuresError(_too_wide(len(names), path))
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice or "" in names:
        what = f"{twice[0]!r} twice" if twice else "a column without a name"
        raise MeasuresError(f"{path}: expected a name of its own for every column, got {what}")
    return names


def _too_wide(count: int, path: str) -> str:
    return f"{path}: expected at most {_MOST_COLUMNS:,} columns, got {count:,}; leave some out"


def _key_of(names: list[str], path: str) -> Literal["id", "index"]:
    if "id" in names:
        return "id"
    if "index" in names:
        return "index"
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    hint = ""
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
        hint = "; separate the columns by commas"
    raise MeasuresError(f"{path}: expected a column 'id' or 'index', got {shown}{hint}")


def _ids(column: pa.ChunkedArray[Any], path: str) -> list[str]:
    if pa.types.is_dictionary(column.type):
        # its texts, each once, before every row gets its own
        chunks: list[Any] = column.chunks
        for chunk in chunks:
            _check_length(chunk.dictionary.to_pylist(), path)
    values: list[Any] = column.to_pylist()
    _check_length(values, path)
    if any(value is None or value == "" for value in values):
        raise MeasuresError(f"{path}: expected an id in every row, found an empty one")
    strange = next((value for value in values if not isinstance(value, str | int)), None)
    if strange is not None:
        raise MeasuresError(f"{path}: expected ids as text or whole numbers, got {strange!r}"[:300])
    return _once([str(value) for value in values], "id", path)


def _check_length(values: list[Any], path: str) -> None:
    longest = max((len(value) for value in values if isinstance(value, str)), default=0)
    if longest > _ID_LONGEST:
        raise MeasuresError(
            f"{path}: expected ids of at most {_ID_LONGEST:,} letters, got one of {longest:,}"
        )


def _positions(column: pa.ChunkedArray[Any], path: str) -> NDArray[np.int64]:
    values = _numbers(column)
    if values is None or np.isnan(values).any() or (values != np.floor(values)).any():
        raise MeasuresError(f"{path}: expected whole numbers in every row of 'index'")
    if (values < 0).any() or (values >= 2**53).any():
        raise MeasuresError(f"{path}: expected 'index' from 0, got {values.min():g}")
    found = values.astype(np.int64)
    _once([int(value) for value in found], "index", path)
    return found


def _once(values: list[Any], key: str, path: str) -> list[Any]:
    if len(set(values)) != len(values):
        twice = Counter(values).most_common(1)[0]
        raise MeasuresError(
            f"{path}: expected every {key} once, got {twice[0]!r} in {twice[1]} rows; average "
            "them first"
        )
    return values


def _numbers(column: pa.ChunkedArray[Any]) -> NDArray[np.float64] | None:
    """float64 with NaN for what is missing or infinite; None for what are no numbers.

    Whole numbers beyond 2^53 are rounded.
    """
    kind = column.type
    if not _is_number(kind):
        return None
    plain = column.cast(pa.int8()) if pa.types.is_boolean(kind) else column
    floats = plain.cast(pa.float64(), safe=False)
    values: NDArray[np.float64] = floats.to_numpy()  # null becomes NaN
    return np.where(np.isfinite(values), values, np.nan)


def _is_number(kind: pa.DataType) -> bool:
    return (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
    )
