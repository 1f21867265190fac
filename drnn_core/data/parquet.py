"""Image Parquet: the layout of public data hubs, ``image{bytes,path}`` and ``label``."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image
from pyarrow import types

from drnn_core.data.classes import difference, told_apart
from drnn_core.data.pictures import PictureError, decode_picture
from drnn_core.data.sets import DataError, LazySet, fingerprint_of
from drnn_core.data.transforms import Preprocessing

_SPLIT_NAMES = {"train": ("train",), "test": ("test", "validation", "val")}

# Encoded pictures up to this size are kept in memory; of larger sets, row groups are read when
# a picture of theirs is asked for, and the last ones kept.
_MEMORY_BYTES = 4 << 30
_KEPT_BYTES = 512 << 20

# What the image's two fields may be; of files without a single path, its type is null.
_TYPES = {
    "bytes": (types.is_binary, types.is_large_binary, types.is_binary_view),
    "path": (types.is_string, types.is_large_string, types.is_string_view, types.is_null),
}

# Records keep labels in 16 bits; without names, one stray label would make as many classes.
_MOST_LABEL = 32_767


def parquet_files(folder: Path, split: str) -> list[Path]:
    """The Parquet files of a split: ``test.parquet``, ``test-00000-of-00002.parquet``, ...

    A test split whose labels are kept secret (-1, as ImageNet's) gives way to the validation's.
    """
    splits = [found for name in _SPLIT_NAMES[split] if (found := _files(folder, name))]
    for files in splits:
        if not _is_secret(files[0]):
            return files
    return []


def _files(folder: Path, name: str) -> list[Path]:
    return sorted({*folder.glob(f"{name}.parquet"), *folder.glob(f"{name}-*.parquet")})


def _is_secret(file: Path) -> bool:
    try:
        labels = pq.read_table(file, columns=["label"])["label"].cast(pa.int64()).to_numpy()
    except (pa.ArrowException, KeyError, OSError):
        return False  # damaged: the reader has the words for it
    return len(labels) > 0 and bool((labels < 0).all())


def load_parquet(folder: Path, split: str, sizing: Preprocessing) -> LazySet:
    """Read a split of image Parquet.

    Args:
        folder: holds the Parquet files.
        split: "train" or "test".
        sizing: says to which size pictures are brought; its moments are not used.

    Raises:
        DataError: no such files, files without the two columns or with other names of classes
            than the first, or a label that names no class.
    """
    files = parquet_files(folder, split)
    if not files:
        raise DataError(f"expected {split}*.parquet with labels in {folder}, found none")
    tables = [_read(file, ["image.path", "label"]) for file in files]
    names = _shared_names(files, tables)
    checked = [_labels(file, each, len(names)) for file, each in zip(files, tables, strict=True)]
    labels = np.concatenate(checked)
    if not len(labels):
        raise DataError(f"expected images in {', '.join(map(str, files))}, found no row")
    paths = [path for each in tables for path in _field(each, "path")]
    classes = told_apart(names) or tuple(
        str(label) for label in range(int(labels.max(initial=-1)) + 1)
    )
    ids = _unique_names(paths, split)
    large = sum(_encoded_bytes(file) for file in files) > _MEMORY_BYTES
    blob = _EncodedOnDisk(files) if large else _EncodedInMemory(files)

    def original(index: int) -> Image.Image:
        try:
            return decode_picture(blob(index), ids[index], own=True)
        except PictureError as error:
            raise DataError(f"image {index} ({ids[index]}) of {folder}: {error}") from error

    head = json.dumps([classes, sizing.image_size, split]).encode()
    return LazySet(
        f"{folder.name} (image Parquet)",
        classes,
        ids,
        labels,
        fingerprint_of([head, labels.tobytes(), *blob.content()]),
        decode=lambda index: sizing.pixels(original(index)),
        original=original,
    )


class _EncodedInMemory:
    """The encoded pictures of all files."""

    def __init__(self, files: list[Path]) -> None:
        self.blobs = [blob for file in files for blob in _chunks(_read(file, ["image.bytes"]))]
        self.starts = np.cumsum([0, *map(len, self.blobs)])

    def __call__(self, index: int) -> bytes:
        place = int(np.searchsorted(self.starts, index, side="right")) - 1
        return self.blobs[place][index - int(self.starts[place])].as_py() or b""

    def content(self) -> Iterator[bytes]:
        """What stands for the content in a fingerprint: all of it."""
        return (self(index) for index in range(int(self.starts[-1])))


class _EncodedOnDisk:
    """Encoded pictures, read by row group; safe to call from several threads."""

    def __init__(self, files: list[Path]) -> None:
        self.files = {file: pq.read_metadata(file) for file in files}
        self.groups = [
            (file, group)
            for file, facts in self.files.items()
            for group in range(facts.num_row_groups)
        ]
        facts = [self.files[file].row_group(group) for file, group in self.groups]
        self.starts = np.cumsum([0, *(fact.num_rows for fact in facts)])
        kept = _KEPT_BYTES // max(1, *(fact.total_byte_size for fact in facts))
        self.read = functools.lru_cache(max(2, kept))(self._read)

    def __call__(self, index: int) -> bytes:
        place = int(np.searchsorted(self.starts, index, side="right")) - 1
        return self.read(place)[index - int(self.starts[place])].as_py() or b""

    def _read(self, place: int) -> pa.Array[Any]:
        file, group = self.groups[place]
        # opened anew each time: a ParquetFile is not safe to share between threads
        with pq.ParquetFile(file, metadata=self.files[file]) as opened:
            table = opened.read_row_group(group, columns=["image.bytes"], use_threads=False)
        (blobs,) = _chunks(table.combine_chunks())
        return blobs

    def content(self) -> Iterator[bytes]:
        """What stands for the content in a fingerprint: the size and index of each file.

        The pictures themselves would take hours to read through.
        """
        for file in self.files:
            with file.open("rb") as opened:
                size = opened.seek(-8, os.SEEK_END) + 8
                length = int.from_bytes(opened.read(4), "little")
                opened.seek(size - 8 - length)
                yield f"{file.name} {size}".encode() + opened.read(length)


def _encoded_bytes(file: Path) -> int:
    facts = pq.read_metadata(file)
    return sum(facts.row_group(group).total_byte_size for group in range(facts.num_row_groups))


def _read(file: Path, columns: list[str]) -> pa.Table:
    try:
        schema = pq.read_schema(file)
        image = cast(Any, schema.field("image").type)
        found: dict[str, Any] = {image.field(i).name: image.field(i).type for i in range(2)}
        with pq.ParquetFile(file) as opened:
            table = opened.read(columns=columns)
    except (pa.ArrowException, KeyError, IndexError, OSError) as error:
        raise DataError(
            f"expected image Parquet with columns image{{bytes,path}} and label in {file}: {error}"
        ) from error
    named = set(found) == {"bytes", "path"} and "label" in schema.names
    if not (named and all(_is_typed(name, kind) for name, kind in found.items())):
        fields = ", ".join(f"{name}: {kind}" for name, kind in found.items())
        raise DataError(
            f"expected columns image{{bytes: binary, path: string}} and label in {file}, got "
            f"image{{{fields}}} among the columns {', '.join(schema.names)}; write it anew so"
        )
    return table


def _is_typed(name: str, kind: Any) -> bool:
    """Whether a field of the image is of its type, as it is or in a dictionary."""
    plain = kind.value_type if types.is_dictionary(kind) else kind
    return any(check(plain) for check in _TYPES[name])


def _chunks(table: pa.Table) -> list[pa.Array[Any]]:
    """The pictures' bytes, as the file has them in one piece or several."""
    chunks = cast("list[pa.StructArray]", table["image"].chunks)
    return [cast("pa.Array[Any]", chunk.field("bytes")) for chunk in chunks]


def _field(table: pa.Table, name: str) -> list[str | None]:
    chunks = cast("list[pa.StructArray]", table["image"].chunks)
    return [
        value
        for chunk in chunks
        for value in cast("list[str | None]", cast("pa.Array[Any]", chunk.field(name)).to_pylist())
    ]


def _labels(file: Path, table: pa.Table, classes: int) -> NDArray[np.int64]:
    """(N,) the labels of a file, positions among the named classes (0: none are named).

    Raises:
        DataError: they are no whole numbers, or one is empty, negative or beyond the names, or
            beyond what records keep where there are none.
    """
    column = table["label"]
    try:
        whole = column.cast(pa.int64())
    except pa.ArrowException as error:
        raise DataError(
            f"expected whole numbers in the column label of {file}, got {column.type}: {error}"
        ) from error
    labels: NDArray[np.int64] = whole.fill_null(pa.scalar(-1, pa.int64())).to_numpy()
    most = classes - 1 if classes else _MOST_LABEL
    wrong = (labels < 0) | (labels > most)
    if wrong.any():
        row = int(wrong.argmax())
        value = column[row].as_py()
        wanted = f"from 0 to {most} ({classes or 'no'} classes are named)"
        raise DataError(
            f"expected labels {wanted} in {file}, got "
            f"{'an empty one' if value is None else value} in row {row} (the first is row 0); "
            "correct the row or take it out"
        )
    return labels


def _shared_names(files: list[Path], tables: list[pa.Table]) -> tuple[str, ...]:
    """Class names, which all files give alike.

    Raises:
        DataError: they do not; a label would mean another class in each.
    """
    names = _class_names(tables[0].schema.metadata)
    for file, table in zip(files, tables, strict=True):
        if (others := _class_names(table.schema.metadata)) != names:
            raise DataError(
                f"expected {file} to name the {len(names)} classes of {files[0]}, got "
                f"{difference(names, others)}; give every file the same classes, in the same order"
            )
    return names


def _class_names(metadata: dict[bytes, bytes] | None) -> tuple[str, ...]:
    """Class names from the schema's metadata; none where it names none."""
    try:
        features: Any = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        return tuple(str(name) for name in features["label"]["names"])
    except (KeyError, TypeError, ValueError):
        return ()


def _unique_names(paths: list[str | None], split: str) -> list[str]:
    names = [path or "" for path in paths]
    if all(names) and len(set(names)) == len(names):
        return names
    return [f"{split}/{index:06d}" for index in range(len(names))]
