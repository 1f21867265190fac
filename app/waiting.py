"""Waiting for jobs: a bar that the browser keeps up to date by itself, and a page drawn anew.

Streamlit can run a piece of a page every second, and did here. But it sends with every request
the page that the browser knew at that time: a request between a click on the navigation and the
server's answer leads back to the page that was left, and the click is lost. So our script asks
our own route how far the work is, and asks Streamlit only once, when more of it has ended, and
never shortly after a click (``assets/waiting.js``).
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from streamlit.components import v2

from app.jobs import Job, Jobs, me

_ASSETS = Path(__file__).resolve().parent / "assets"
_PREFIX = "/waiting"
_BYTES = 16
_MOST = 1024  # that are waited for, of all sessions


class Words(NamedTuple):
    """How the bar tells of the work.

    Attributes:
        doing: what is done, such as "Measuring".
        opening: before the first image, such as "Opening the images…".
        things: what progress counts.
        more: what further jobs are, after their number.
    """

    doing: str
    opening: str = "Opening the images…"
    things: str = "images"
    more: str = "more to come"


class Wait(NamedTuple):
    """What is waited for: some jobs, by their keys, and the words for them."""

    jobs: Jobs
    keys: tuple[Hashable, ...]
    words: Words

    def leave(self) -> None:
        """This session waits for none of them any more; a callback."""
        for key in self.keys:
            self.jobs.leave(key, me())


_lock = threading.Lock()
_open: OrderedDict[str, Wait] = OrderedDict()


def show(
    key: str, wait: Wait, cancel: Callable[[], None] | None = None, whole: bool = True
) -> None:
    """The bar, until one more of the jobs has ended; then the page, or its fragment, runs again.

    Args:
        key: of the component and of the button.
        wait: for these jobs, of which one at least has not ended.
        cancel: called when it is cancelled; None offers no way to.
        whole: run the whole page, not only the fragment that this stands in.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        _component()(
            key=key,
            data={"url": f"{_PREFIX}/{_name(key, wait)}", "now": told(wait)},
            on_ended_change=st.rerun if whole else _nothing,
        )
        if cancel is not None:
            st.button("Cancel", on_click=_cancelling(cancel, whole), key=f"cancel {key}")


def told(wait: Wait) -> dict[str, Any]:
    """How far the jobs are, as ``assets/waiting.js`` reads it.

    Returns:
        ``text``, ``share`` (0 to 1, or None before it is known), and ``ended``: how many of the
        jobs have, or are not known any more.
    """
    found = [(key, wait.jobs.get(key)) for key in wait.keys]
    left = [(key, job) for key, job in found if job is not None and not job.ended]
    ended = len(found) - len(left)
    if not left:
        return {"text": f"{wait.words.doing}: done", "share": 1.0, "ended": ended}
    key, job = next((each for each in left if each[1].state == "running"), left[0])
    text = f"{wait.words.doing}: {_stage(wait, key, job)}"
    if len(left) > 1:
        text += f"; {len(left) - 1} {wait.words.more}"
    share = job.done / job.total if job.total else None
    return {"text": text, "share": share, "ended": ended}


def _stage(wait: Wait, key: Hashable, job: Job) -> str:
    if job.state == "waiting":
        others = wait.jobs.before(key)
        return f"{others} others come first" if others != 1 else "1 other comes first"
    if not job.total:
        return wait.words.opening
    return f"{job.done:,} of {job.total:,} {wait.words.things}"


def _name(key: str, wait: Wait) -> str:
    """A name that only this session's browser knows, the same while the same is waited for."""
    place = f"{key}_waiting"
    name: str = st.session_state.get(place, "")
    with _lock:
        if _open.get(name) != wait:
            _open.pop(name, None)
            name = secrets.token_hex(_BYTES)
            _open[name] = wait
            while len(_open) > _MOST:
                _open.popitem(last=False)
    st.session_state[place] = name
    return name


def _cancelling(cancel: Callable[[], None], whole: bool) -> Callable[[], None]:
    def cancelled() -> None:
        cancel()
        if whole:
            st.rerun()

    return cancelled


def _nothing() -> None:
    """Streamlit runs what the component stands in."""


def far(request: Request) -> Response:
    """How far the jobs of a name are."""
    with _lock:
        wait = _open.get(request.path_params["name"])
    if wait is None:
        raise HTTPException(404, "nothing is waited for under this name")
    return JSONResponse(told(wait), headers={"Cache-Control": "no-store"})


@cache
def _component() -> Callable[..., Any]:
    return v2.component(
        "loopscope_waiting",
        html='<div class="waiting"><div class="words"></div><div class="bar"><i></i></div></div>',
        css=(_ASSETS / "waiting.css").read_text("utf-8"),
        js=(_ASSETS / "waiting.js").read_text("utf-8"),
    )


ROUTES = [Route(f"{_PREFIX}/{{name}}", far)]
