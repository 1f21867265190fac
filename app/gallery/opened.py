"""The image whose detail view is open in a gallery, in the address."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

IMAGE = "image"  # its index in the records


def opened(rows: NDArray[np.int64]) -> int | None:
    """Position, among the rows shown, of the image that the address names, if it is there."""
    named = st.query_params.get(IMAGE, "")
    if not (named.isascii() and named.isdigit() and len(named) < 10):
        return None
    found = np.flatnonzero(rows == int(named))
    return int(found[0]) if len(found) else None


def remember(gallery: str) -> None:
    """Put the image that is open in a gallery, by its key, into the address; in a callback."""
    index = st.session_state[gallery].get("image")
    if index is None:
        st.query_params.pop(IMAGE, None)
    else:
        st.query_params[IMAGE] = str(index)
