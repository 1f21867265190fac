"""Rendered images on disk, so that a split is rendered once per machine.

One file holds a block of consecutive seeds: a SHA-256 and then plain arrays, no pickles. A file
that is missing, shorter, damaged or of another version counts as absent and is rendered again; a
folder that cannot be written only costs the time to render. Files are written whole or not at all.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drnn_core.data.generated.factors import FACTORS
from drnn_core.data.generated.rendering import GENERATED_VERSION

SIDE = 32
_PIXELS = 3 * SIDE * SIDE
_MASK = SIDE * SIDE // 8
_FACTS = 4 * len(FACTORS)
_DIGEST = 32


class Block(NamedTuple):
    """Rendered images of consecutive seeds.

    Attributes:
        pixels: (n, 3, 32, 32) uint8.
        masks: (n, 32, 32) bool.
        factors: (n, len(FACTORS)) float32.
    """

    pixels: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    factors: NDArray[np.float32]


def cache_folder() -> Path | None:
    """``$XDG_CACHE_HOME/loopscope``, by default ``~/.cache/loopscope``; None without a home."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    if named and Path(named).is_absolute():
        return Path(named) / "loopscope"
    try:
        return Path.home() / ".cache" / "loopscope"
    except RuntimeError:
        return None


def block_path(folder: Path, first: int, rows: int) -> Path:
    """The file for seeds first .. first + rows - 1."""
    return folder / f"generated-v{GENERATED_VERSION}-{first}-{rows}.bin"


def read_block(folder: Path | None, first: int, rows: int) -> Block | None:
    """The cached block, or None where there is no sound one."""
    if folder is None:
        return None
    try:
        data = block_path(folder, first, rows).read_bytes()
    except OSError:
        return None
    body = memoryview(data)[_DIGEST:]
    if len(body) != rows * (_PIXELS + _MASK + _FACTS):
        return None
    if _digest(first, rows, body) != data[:_DIGEST]:
        return None
    pixels, masks, factors = (
        np.frombuffer(body, np.uint8, rows * size, rows * start)
        for start, size in ((0, _PIXELS), (_PIXELS, _MASK), (_PIXELS + _MASK, _FACTS))
    )
    return Block(
        pixels.reshape(rows, 3, SIDE, SIDE),
        np.unpackbits(masks).reshape(rows, SIDE, SIDE).astype(np.bool_),
        factors.view("<f4").reshape(rows, len(FACTORS)).astype(np.float32),
    )


def write_block(folder: Path | None, first: int, block: Block) -> None:
    """Keep a block, if the folder lets us."""
    if folder is None:
        return
    rows = len(block.pixels)
    arrays = (block.pixels, np.packbits(block.masks), block.factors.astype("<f4"))
    body = memoryview(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays))
    with contextlib.suppress(OSError):
        write_whole(block_path(folder, first, rows), _digest(first, rows, body) + bytes(body))


def _digest(first: int, rows: int, body: memoryview) -> bytes:
    digest = hashlib.sha256(f"generated {GENERATED_VERSION} {first} {rows}".encode())
    digest.update(body)
    return digest.digest()


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, as ``store.files`` does, which stands above this package.

    Raises:
        OSError: no space, no permission.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.partial")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    if os.name != "nt":  # Windows has no such call; its rename is journalled
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
