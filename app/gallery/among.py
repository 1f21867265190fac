"""The gallery among the images of a mask, such as those with a number in a range.

A page leaves the mask for the gallery's routes, see ``app/gallery/left.py``.
"""

from __future__ import annotations

from urllib.parse import parse_qs

import numpy as np
from numpy.typing import NDArray

from app.gallery.left import Left
from app.query import QueryError

AMONG = "among"

_KEPT_BYTES = 32 << 20  # more than a hundred masks of the largest table in memory
_left: Left[NDArray[np.uint8]] = Left(
    AMONG, "the filter by a column", _KEPT_BYTES, lambda bits: bits.nbytes
)


def among(query: str, mask: NDArray[np.bool_]) -> str:
    """A query among the images of an (N,) mask; it is kept for those who ask with it."""
    bits = np.packbits(mask)
    return _left.leave(query, bits.tobytes(), bits)


def only_among(query: str, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those positions that are in the mask that a query names; all where it names none.

    Raises:
        QueryError: the mask is not kept any more, or is of fewer records.
    """
    bits = _left.named_in(parse_qs(query))
    if bits is None:
        return rows
    if len(rows) and rows.max() >= 8 * len(bits):
        raise QueryError("the filter by a column is of other records; reload the page")
    return rows[np.unpackbits(bits)[rows] == 1]
