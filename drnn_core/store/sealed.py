"""JSON files that notice any change of their values: run.json and a records' manifest.

Such a file holds one object whose last key, ``sha256``, is the SHA-256 (hex) of the object
without that key, written as canonical JSON: keys sorted, no spaces, ASCII only. Formatting is not
part of the seal, so a reformatted file still opens; ``is_as_written`` tells whether it was.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, cast

from drnn_core.store.files import atomic_write_bytes, json_bytes

_SEAL = "sha256"
_MOST_BYTES = 256 << 20


class SealError(ValueError):
    """A sealed file that is missing, unreadable or changed; the message says which."""


def write_sealed(path: Path, values: dict[str, Any]) -> None:
    """Write ``values`` and their seal atomically.

    Raises:
        ValueError: values that JSON has no notion of, such as NaN.
        OSError: the file cannot be written.
    """
    body = {key: value for key, value in values.items() if key != _SEAL}
    atomic_write_bytes(path, json_bytes({**body, _SEAL: seal_of(body)}))


def read_sealed(path: Path) -> dict[str, Any]:
    """Read a sealed file and check its seal.

    Returns:
        The values without the seal.

    Raises:
        SealError: missing, unreadable, no JSON object, no seal, or changed since it was written.
    """
    values = _parse(path)
    seal = values.pop(_SEAL, None)
    if not isinstance(seal, str):
        raise SealError(
            f"expected {path} to end with its own checksum under the key {_SEAL!r}, found none; "
            "the file was not written by drnn, or was damaged"
        )
    try:
        found = seal_of(values)
    except (ValueError, RecursionError) as error:
        raise SealError(f"{path} holds values that drnn never writes: {error}") from error
    if seal != found:
        raise SealError(
            f"{path} was changed after it was written: its checksum is {seal[:12]}..., its "
            f"content gives {found[:12]}...; restore the file from where it came"
        )
    return values


def is_as_written(path: Path) -> bool:
    """Whether a sealed file stands byte for byte as ``write_sealed`` wrote it.

    Raises:
        SealError: missing, unreadable or no JSON object.
    """
    values = _parse(path)
    try:
        return json_bytes(values) == path.read_bytes()
    except (ValueError, RecursionError):
        return False


def seal_of(values: dict[str, Any]) -> str:
    """SHA-256 (hex) of the canonical JSON of ``values``.

    Raises:
        ValueError: a value that JSON has no notion of, such as NaN.
    """
    try:
        text = json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except TypeError as error:
        raise ValueError(f"expected plain values for JSON: {error}") from error
    return hashlib.sha256(text.encode()).hexdigest()


def _parse(path: Path) -> dict[str, Any]:
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise SealError(f"expected at most {_MOST_BYTES:,} bytes in {path}, got {size:,}")
        values = json.loads(path.read_bytes().decode())
    except FileNotFoundError as error:
        raise SealError(f"expected a file {path}, found none") from error
    except OSError as error:
        raise SealError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise SealError(f"expected UTF-8 text in {path}; the file is damaged: {error}") from error
    except json.JSONDecodeError as error:
        raise SealError(f"expected JSON in {path}; the file is damaged: {error}") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, SealError):
            raise
        raise SealError(f"expected plain JSON in {path}, got: {error}") from error
    if not isinstance(values, dict):
        raise SealError(f"expected a JSON object in {path}, got {type(values).__name__}")
    return cast(dict[str, Any], values)
