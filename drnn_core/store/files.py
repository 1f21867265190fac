"""Files that are either whole or absent: every write of the project goes through here.

A file is written beside its final place, flushed to the disk, renamed over the old one, and the
rename is flushed too. A process that is killed at any moment leaves the old file or the new one,
never a part (and at worst a temporary file, which ``is_temporary`` knows).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Any

_TEMPORARY = ".partial"


def atomic_write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path``, creating its folder; whole or not at all.

    Raises:
        OSError: no space, no permission; the old file is then still there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}{_TEMPORARY}")
    # Not tempfile: its files are for the owner's eyes only, these follow the umask.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(temporary, flags, 0o666), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def atomic_write_json(path: Path, value: Any) -> None:
    """Write ``value`` as readable JSON (UTF-8, keys in their order), whole or not at all.

    Raises:
        ValueError: a value that JSON has no notion of, such as NaN.
        OSError: see ``atomic_write_bytes``.
    """
    atomic_write_bytes(path, json_bytes(value))


def json_bytes(value: Any) -> bytes:
    """The one way in which the project writes JSON files.

    Raises:
        ValueError: a value that JSON has no notion of, such as NaN, or text that is no Unicode.
    """
    try:
        text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    except TypeError as error:
        raise ValueError(f"expected plain values for JSON: {error}") from error
    return (text + "\n").encode()


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to the disk, so that a rename survives a power cut."""
    if os.name == "nt":  # Windows has no such call; its rename is journalled
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """SHA-256 (hex) of a file's content.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_temporary(path: Path) -> bool:
    """Whether an interrupted write left this file; it may be deleted."""
    return path.name.startswith(".") and path.name.endswith(_TEMPORARY)
