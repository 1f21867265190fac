"""Sliders between two ends that depend on the run."""

from __future__ import annotations

from typing import TypeVar

import streamlit as st

_BEFORE = "_before"
_Number = TypeVar("_Number", int, float)


def follow_ends(
    key: str, ends: tuple[_Number, _Number], value: tuple[_Number, _Number] | None = None
) -> None:
    """Set the slider of this key anew where its ends are others than before; call before it.

    Streamlit would draw another slider and come back, under the same key, to what it kept of an
    older one, even beyond the new ends. The first time a value that the address gives stays.

    Args:
        key: of the slider, whose value is a range.
        ends: where it begins and ends now.
        value: what it is set to, all of it unless given; it follows where it was not moved, too.
    """
    state = st.session_state
    now = ends, ends if value is None else value
    ends_before, value_before = before = state.get(key + _BEFORE, now)
    if before != now and (ends_before != ends or state.get(key) == value_before):
        state[key] = now[1]
    state[key + _BEFORE] = now
