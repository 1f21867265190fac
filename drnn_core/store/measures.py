"""Reading a table that a user brings: numbers for images, named by ``id`` or by ``index``.

A CSV file (commas, a header, UTF-8) or a Parquet file, told apart by content, not by name.
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
    table = _read(Path(path))
    names = [str(name) for name in table.column_names]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice or "" in names:
        what = f"{twice[0]!r} twice" if twice else "a column without a name"
        raise MeasuresError(f"{path}: expected a name of its own for every column, got {what}")
    key = _key_of(names, path)
    if not table.num_rows:
        raise MeasuresError(f"{path}: expected a row for each image, got a header without rows")
    columns: dict[str, Any] = {key: _ids(table, path) if key == "id" else _positions(table, path)}
    ignored: list[str] = []
    for name in names:
        if name in ("id", "index") or name.startswith(_INDEX_OF_PANDAS):
            continue
        values = _numbers(table[name])
        if values is None:
            ignored.append(name)
        else:
            columns[name] = values
    if len(columns) == 1:
        raise MeasuresError(
            f"{path}: expected a column of numbers beside {key!r}, got "
            f"{', '.join(ignored) or 'none'}{' with other values' if ignored else ''}"
        )
    return Measures(key, pd.DataFrame(columns), tuple(ignored))


def _read(path: Path) -> pa.Table:
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise MeasuresError(f"expected a CSV or Parquet file, got the folder {path}")
        if size > _MOST_BYTES:
            raise MeasuresError(f"expected at most {_MOST_BYTES:,} bytes in {path}, got {size:,}")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise MeasuresError(f"expected a CSV or Parquet file, but there is no {path}") from error
    except OSError as error:
        raise MeasuresError(f"cannot read {path}: {error.strerror or error}") from error
    if not data.strip():
        raise MeasuresError(f"expected a CSV or Parquet file, but {path} is empty")
    if data.startswith(_PARQUET):
        try:
            return pq.read_table(pa.BufferReader(data))
        except (pa.ArrowException, OSError) as error:
            raise MeasuresError(f"expected Parquet in {path}, which is damaged: {error}") from error
    return _read_csv(data, path)


def _read_csv(data: bytes, path: Path) -> pa.Table:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise MeasuresError(
            f"expected CSV as UTF-8 text, or Parquet, in {path}; byte {error.start:,} is neither: "
            "save it as UTF-8"
        ) from error
    # ids stay text: 0042 is not 42
    kinds = csv.ConvertOptions(column_types={"id": pa.string()}, strings_can_be_null=False)
    try:
        return csv.read_csv(io.BytesIO(data), convert_options=kinds)
    except (pa.ArrowException, ValueError) as error:
        reason = " ".join(str(error).split())
        raise MeasuresError(f"expected CSV in {path}, got: {reason}") from error


def _key_of(names: list[str], path: Path) -> Literal["id", "index"]:
    if "id" in names:
        return "id"
    if "index" in names:
        return "index"
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    hint = ""
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
        hint = "; separate the columns by commas"
    raise MeasuresError(f"{path}: expected a column 'id' or 'index', got {shown}{hint}")


def _ids(table: pa.Table, path: Path) -> list[str]:
    values = table["id"].to_pylist()
    if any(value is None or value == "" for value in values):
        raise MeasuresError(f"{path}: expected an id in every row, found an empty one")
    return _once([str(value) for value in values], "id", path)


def _positions(table: pa.Table, path: Path) -> NDArray[np.int64]:
    values = _numbers(table["index"])
    if values is None or np.isnan(values).any() or (values != np.floor(values)).any():
        raise MeasuresError(f"{path}: expected whole numbers in every row of 'index'")
    if (values < 0).any() or (values >= 2**53).any():
        raise MeasuresError(f"{path}: expected 'index' from 0, got {values.min():g}")
    found = values.astype(np.int64)
    _once([int(value) for value in found], "index", path)
    return found


def _once(values: list[Any], key: str, path: Path) -> list[Any]:
    if len(set(values)) != len(values):
        twice = Counter(values).most_common(1)[0]
        raise MeasuresError(
            f"{path}: expected every {key} once, got {twice[0]!r} in {twice[1]} rows; average "
            "them first"
        )
    return values


def _numbers(column: pa.ChunkedArray[Any]) -> NDArray[np.float64] | None:
    """float64 with NaN for what is missing or infinite; None for what are no numbers."""
    kind = column.type
    if not (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
    ):
        return None
    plain = column.cast(pa.int8()) if pa.types.is_boolean(kind) else column
    values: NDArray[np.float64] = plain.cast(pa.float64()).to_numpy()  # null becomes NaN
    return np.where(np.isfinite(values), values, np.nan)
