"""The gallery among the images of a mask, such as those with a number in a range.

The gallery's routes know no session: a page leaves the mask here, under a hash of what it is, and
the hash stands in the query, as ``app/gallery/own.py`` does with a user's order.
"""

from __future__ import annotations

import hashlib
from urllib.parse import parse_qs, urlencode

import numpy as np
from numpy.typing import NDArray

from app.bounded import BoundedCache
from app.query import QueryError

AMONG = "among"

_KEPT_BYTES = 32 << 20  # more than a hundred masks of the largest table in memory
_kept: BoundedCache[str, NDArray[np.uint8]] = BoundedCache(_KEPT_BYTES, lambda bits: bits.nbytes)


def among(query: str, mask: NDArray[np.bool_]) -> str:
    """A query among the images of an (N,) mask; it is kept for those who ask with it."""
    bits = np.packbits(mask)
    token = hashlib.sha256(bits.tobytes()).hexdigest()
    _kept.put(token, bits)
    return "&".join(filter(None, [query, urlencode({AMONG: token})]))


def only_among(query: str, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those positions that are in the mask that a query names; all where it names none.

    Raises:
        QueryError: the mask is not kept any more, or is of fewer records.
    """
    values = parse_qs(query)
    if AMONG not in values:
        return rows
    bits = _kept.get(values[AMONG][0])
    if bits is None:
        raise QueryError("the filter by a column is not at hand any more; reload the page")
    if len(rows) and rows.max() >= 8 * len(bits):
        raise QueryError("the filter by a column is of other records; reload the page")
    return rows[np.unpackbits(bits)[rows] == 1]
