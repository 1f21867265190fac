"""``norms.safetensors`` of a run: what its norms see of executed and of skipped images.

One file of float32 arrays, written by ``drnn norms``, that cannot hold code. For the norm N of the
recursive block B with L loops and C channels, and P parts of the images:

==============================  ===========  =====================================================
array                           shape        holds
==============================  ===========  =====================================================
``B/executed``                  (P, L)       int64: images of each part that execute each loop
``B/N/executed_mean``, ``_var`` (P, L, C)    of the norm's inputs, unbiased variances; NaN of none
``B/N/skipped_mean``, ``_var``  (P, L, C)    of the images that do not execute the loop
``B/N/shuffled_executed_mean``  (L, C)       of all images, the decisions dealt out at random; so
                                             also ``_var``, and both with ``shuffled_skipped``
``B/N/population_mean``,        (L, C)       running statistics, by which evaluation normalises
``_var``
==============================  ===========  =====================================================

The file's metadata say under the key ``norms`` of which weights and images they are, as sealed
JSON (``store/sealed.py``) with the SHA-256 of the arrays: a change of any value is noticed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from drnn_core.store.fields import Fields
from drnn_core.store.files import atomic_write_bytes
from drnn_core.store.norm_layout import (
    NORMS_FORMAT,
    NormedBlock,
    NormLayout,
    NormsError,
    NormsHeader,
    part_sizes,
    read_header,
    shapes_of,
)
from drnn_core.store.sealed import seal_of

__all__ = [
    "NormLayout",
    "NormedBlock",
    "NormsError",
    "NormsHeader",
    "StoredNorms",
    "has_norms",
    "norms_as_written",
    "part_sizes",
    "read_norms",
    "shapes_of",
    "write_norms",
]

NORMS = "norms.safetensors"
_KEY = "norms"
_SEAL = "sha256"
_MOST_BYTES = 1 << 30

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class StoredNorms:
    """A header and the arrays that it describes."""

    header: NormsHeader
    arrays: Arrays


def has_norms(run_folder: Path) -> bool:
    """Whether statistics were written (they may still be damaged)."""
    return (Path(run_folder) / NORMS).is_file()


def write_norms(run_folder: Path, stored: StoredNorms) -> None:
    """Write ``norms.safetensors`` into a run, whole or not at all; an older one is replaced.

    Raises:
        NormsError: arrays that are not those of the header.
        OSError: the disk is full, or the folder may not be written.
    """
    path = Path(run_folder) / NORMS
    _check(stored, f"the statistics for {path}")
    atomic_write_bytes(path, _bytes_of(stored))


def read_norms(run_folder: Path, weights_sha256: str) -> StoredNorms:
    """Read and check the statistics of a run.

    Args:
        run_folder: of the run.
        weights_sha256: of its weights; statistics of others are refused.

    Raises:
        NormsError: there are none, they are damaged, or of other weights.
    """
    path = Path(run_folder) / NORMS
    stored = _parse(_read(path), str(path))
    if stored.header.weights_sha256 != weights_sha256:
        raise NormsError(
            f"{path} is of other weights than the run's; write it anew with: drnn norms "
            f"{run_folder} --data ..."
        )
    return stored


def norms_as_written(run_folder: Path) -> bool:
    """Whether the file stands byte for byte as ``write_norms`` wrote it.

    Raises:
        NormsError: missing or damaged.
    """
    path = Path(run_folder) / NORMS
    data = _read(path)
    return _bytes_of(_parse(data, str(path))) == data


def _bytes_of(stored: StoredNorms) -> bytes:
    arrays = {name: np.ascontiguousarray(array) for name, array in stored.arrays.items()}
    values: dict[str, Any] = {
        "format": NORMS_FORMAT,
        **asdict(stored.header),
        "arrays_sha256": _digest(arrays),
    }
    values = json.loads(json.dumps(values))  # tuples as lists, as they come back
    text = json.dumps({**values, _SEAL: seal_of(values)}, allow_nan=False)
    # One key: several would be written in any order.
    return safetensors.numpy.save(arrays, metadata={_KEY: text})


def _digest(arrays: Arrays) -> str:
    """SHA-256 (hex) of names, types, shapes and values."""
    whole = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        whole.update(repr((name, array.dtype.str, array.shape)).encode())
        whole.update(np.ascontiguousarray(array).tobytes())
    return whole.hexdigest()


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise NormsError(f"expected at most {_MOST_BYTES:,} bytes in {path}, got {size:,}")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NormsError(
            f"expected statistics of the norms in {path}, found none; write them with: drnn norms "
            f"{path.parent} --data ..."
        ) from error
    except OSError as error:
        raise NormsError(f"cannot read {path}: {error.strerror or error}") from error


def _parse(data: bytes, where: str) -> StoredNorms:
    try:
        # safetensors has a bound of its own for the header, and checks every offset.
        arrays = safetensors.numpy.load(data)
        length = int.from_bytes(data[:8], "little")
        values: Any = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][_KEY])
        seal = values.pop(_SEAL)
        sealed = seal == seal_of(values) and values["arrays_sha256"] == _digest(arrays)
    except (SafetensorError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise NormsError(
            f"expected statistics of norms in {where}; the file is damaged, or drnn norms did not "
            f"write it: {error}"
        ) from error
    except RecursionError as error:
        raise NormsError(f"expected plain JSON in the header of {where}") from error
    if not sealed:
        raise NormsError(
            f"{where} was changed after it was written: its checksum does not match its content; "
            "restore the file, or write it anew with drnn norms"
        )
    stored = StoredNorms(read_header(Fields(values, where, NormsError)), cast(Arrays, arrays))
    _check(stored, where)
    return stored


def _check(stored: StoredNorms, where: str) -> None:
    """Arrays of the header's shapes, whose values can be what they are called."""
    shapes = shapes_of(stored.header)
    found = {name: tuple(array.shape) for name, array in stored.arrays.items()}
    if found != shapes:
        odd = sorted({*shapes.items()} ^ {*found.items()})[0][0]
        raise NormsError(
            f"{where}: expected arrays as its header lists them, but {odd} is {found.get(odd)} "
            f"instead of {shapes.get(odd)}"
        )
    sizes = part_sizes(stored.header)[:, None]
    for name, array in stored.arrays.items():
        if name.endswith("/executed"):
            sound = array.dtype == np.int64 and bool(((array >= 0) & (array <= sizes)).all())
            sound = sound and bool((np.diff(array, axis=1) <= 0).all())  # a closed gate is final
        else:
            sound = array.dtype == np.float32 and not np.isinf(array).any()
            sound = sound and not (name.endswith("_var") and bool((array < 0).any()))
        if not sound:
            raise NormsError(f"{where}: expected numbers of images and of pixels, got odd {name}")
