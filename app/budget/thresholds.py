"""A slider of thresholds whose stops are where decisions change, and how a threshold is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import streamlit as st

_Param = Literal["query-params"]
_BIND: _Param = "query-params"


def name_of(threshold: float) -> str:
    """With all of its digits: near one half the last ones decide."""
    short = f"{threshold:g}"
    return short if float(short) == threshold else repr(float(threshold))


def slider(
    label: str, stops: Sequence[float], default: float, key: str, meaning: str | None = None
) -> float:
    """A slider over stops; a value of the address or of a click that lies between is one more.

    Args:
        label: above it.
        stops: from 0 to 1, rising.
        default: where it stands at first.
        key: of the value, in the state and in the address.
        meaning: on hover.
    """
    state = st.session_state
    if key not in state and (asked := _asked(key)) is not None:
        state[key] = asked
    offered = sorted({*stops, default, *([float(state[key])] if key in state else [])})
    chosen: object = st.select_slider(
        label, offered, default, format_func=name_of, key=key, bind=_BIND, help=meaning
    )
    return chosen if isinstance(chosen, float) else default


def _asked(key: str) -> float | None:
    """What the address asks for, however it is spelt; None of no threshold."""
    try:
        found = float(st.query_params.get(key, ""))
    except ValueError:
        return None
    return found if 0 <= found <= 1 else None
