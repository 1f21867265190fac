"""Image Parquet: the layout of public data hubs, ``image{bytes,path}`` and ``label``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from torch import Tensor

from drnn_core.data.pictures import PictureError, decode_picture
from drnn_core.data.sets import DataError, LazySet, fingerprint_of
from drnn_core.data.transforms import Preprocessing

_SPLIT_NAMES = {"train": ("train",), "test": ("test", "validation", "val")}


def parquet_files(folder: Path, split: str) -> list[Path]:
    """The Parquet files of a split: ``test.parquet``, ``test-00000-of-00002.parquet``, ..."""
    for name in _SPLIT_NAMES[split]:
        found = sorted({*folder.glob(f"{name}.parquet"), *folder.glob(f"{name}-*.parquet")})
        if found:
            return found
    return []


def load_parquet(folder: Path, split: str, sizing: Preprocessing) -> LazySet:
    """Read a split of image Parquet.

    Args:
        folder: holds the Parquet files.
        split: "train" or "test".
        sizing: says to which size pictures are brought; its moments are not used.

    Raises:
        DataError: no such files, or files without the two columns.
    """
    files = parquet_files(folder, split)
    if not files:
        raise DataError(f"expected {split}*.parquet in {folder}, found none")
    table = pa.concat_tables([_read(file) for file in files])
    encoded = cast(pa.StructArray, table["image"].combine_chunks())
    blobs = cast("pa.Array[Any]", encoded.field("bytes"))
    paths = cast("list[str | None]", encoded.field("path").to_pylist())
    labels = np.array(table["label"].to_numpy(), dtype=np.int64)  # Arrow's memory is read-only
    classes = _classes(table.schema.metadata, labels)
    ids = _unique_names(paths, split)

    def blob(index: int) -> bytes:
        return blobs[index].as_py() or b""

    def decode(index: int) -> Tensor:
        try:
            return sizing.prepare(decode_picture(blob(index), ids[index]))
        except PictureError as error:
            raise DataError(f"image {index} ({ids[index]}) of {folder}: {error}") from error

    content = (blob(index) for index in range(len(labels)))
    head = json.dumps([classes, sizing.image_size, split]).encode()
    fingerprint = fingerprint_of([head, labels.tobytes(), *content])
    return LazySet(f"{folder.name} (image Parquet)", classes, ids, labels, fingerprint, decode)


def _read(file: Path) -> pa.Table:
    try:
        table = pq.read_table(file, columns=["image", "label"])
        wanted = {"bytes", "path"}
        image = cast(pa.StructType, table.schema.field("image").type)
        found = {image.field(i).name for i in range(2)}
    except (pa.ArrowException, KeyError, IndexError, OSError) as error:
        raise DataError(
            f"expected image Parquet with columns image{{bytes,path}} and label in {file}: {error}"
        ) from error
    if found != wanted or "label" not in table.column_names:
        raise DataError(f"expected columns image{{bytes,path}} and label in {file}, got {found}")
    return table


def _classes(metadata: dict[bytes, bytes] | None, labels: np.ndarray[Any, Any]) -> tuple[str, ...]:
    """Class names from the schema's metadata; numbers where it names none."""
    count = int(labels.max(initial=-1)) + 1
    try:
        features: Any = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        names = tuple(str(name) for name in features["label"]["names"])
    except (KeyError, TypeError, ValueError):
        names = ()
    return names if len(names) >= count else tuple(str(label) for label in range(count))


def _unique_names(paths: list[str | None], split: str) -> list[str]:
    names = [path or "" for path in paths]
    if all(names) and len(set(names)) == len(names):
        return names
    return [f"{split}/{index:06d}" for index in range(len(names))]
