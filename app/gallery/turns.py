"""Pictures first: after a click, charts wait until the browser has drawn the gallery.

A browser draws charts and pictures on one thread, and Streamlit sends it all that has changed at
once: the pictures that somebody asked for would stand behind every chart. So a page that shows
other images than before gives the gallery a turn, a name that its script sends back once every
tile in view is drawn, and goes on when it came, or after ``MOST`` seconds without it.

The first gallery of a session gets none: its browser may still be loading scripts.
"""

from __future__ import annotations

import secrets
from threading import Event

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from streamlit.runtime import exists as somebody_is_served

MOST = 0.4  # seconds; with a browser on the same machine it takes a third of that
_BYTES = 16
_open: dict[str, Event] = {}


def give(key: str, stamp: str) -> str | None:
    """A turn for the gallery ``key``, if it is to show something else than it did; else None."""
    before, turn = _names(key)
    shown = st.session_state.get(before)
    st.session_state[before] = stamp
    _open.pop(st.session_state.pop(turn, ""), None)  # that nobody waited for
    if shown in (None, stamp) or not somebody_is_served():
        return None
    found = secrets.token_hex(_BYTES)
    st.session_state[turn] = found
    _open[found] = Event()
    return found


def wait(key: str) -> None:
    """Until the gallery ``key`` is drawn, where it has a turn, and never longer than ``MOST``."""
    turn = st.session_state.pop(_names(key)[1], None)
    if turn is None:
        return
    try:
        _open[turn].wait(MOST)
    finally:
        _open.pop(turn, None)


def painted(request: Request) -> Response:
    """The gallery's answer: its turn is over. An unknown one may have lasted too long."""
    turn = _open.get(request.path_params["turn"])
    if turn is not None:
        turn.set()
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


def _names(key: str) -> tuple[str, str]:
    return f"{key}_shown", f"{key}_turn"
