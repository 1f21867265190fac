"""Which picture is inspected: the user's choice, kept in the session and in the address.

``sample=ID`` names a shipped sample and ``record=INDEX`` an image of the run's records; a picture
that the user brought has no address.
"""

from __future__ import annotations

import streamlit as st

from app import cache
from app.inspection.inbox import Inbox
from app.inspection.pictures import Picture
from app.inspection.sources import NoSuchPictureError, record_picture

SAMPLE, RECORD = "sample", "record"

_CHOSEN = "inspect_chosen"
_ADDRESS = "inspect_address"


def choose(kind: str, name: str) -> None:
    """Inspect this picture from now on; ``kind`` is SAMPLE, RECORD, or "upload"."""
    st.session_state[_CHOSEN] = (kind, name)
    for param in (SAMPLE, RECORD):
        if param == kind:
            st.query_params[param] = name
        else:
            st.query_params.pop(param, None)
    st.session_state[_ADDRESS] = _address()


def chosen_picture(
    run: cache.Run, samples: dict[str, Picture], inbox: Inbox
) -> tuple[Picture | None, str | None]:
    """The picture to inspect, and a sentence if it is not the one that was asked for.

    None where there is no picture at all: no samples and nothing uploaded.
    """
    _follow_address()
    kind, name = st.session_state.get(_CHOSEN, (None, ""))
    if kind == "upload" and name in inbox.pictures:
        return inbox.pictures[name], None
    problem = None
    if kind == SAMPLE:
        if name in samples:
            choose(SAMPLE, name)  # the address may have lost it on another page
            return samples[name], None
        problem = f"There is no sample called {name}."
    if kind == RECORD:
        try:
            picture = record_picture(run, _index(name))
        except NoSuchPictureError as error:
            problem = str(error)
        else:
            choose(RECORD, name)
            return picture, None
    return _default(samples, inbox), problem


def _follow_address() -> None:
    """Take what an address names that the user opened or edited, or another page led to."""
    address = _address()
    if address == st.session_state.get(_ADDRESS):
        return
    for param in (RECORD, SAMPLE):
        if param in address:
            choose(param, address[param])
            return


def _default(samples: dict[str, Picture], inbox: Inbox) -> Picture | None:
    """The newest picture that the user brought, else the first sample."""
    if inbox.pictures:
        return next(reversed(inbox.pictures.values()))
    return next(iter(samples.values()), None)


def _address() -> dict[str, str]:
    return {param: st.query_params[param] for param in (SAMPLE, RECORD) if param in st.query_params}


def _index(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise NoSuchPictureError(f"There is no image {text!r}: expected its number in the records.")
    return int(text)
