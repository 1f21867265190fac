"""Right or wrong answers, and classes: the filters that several pages have in their sidebar.

Each key is also the name in the address; a filter at its default is not in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from app import ranges

CLASSES, ANSWER = "class", "answer"

_EVERY = "all"
_ANSWERS: dict[str, bool | None] = {_EVERY: None, "right": True, "wrong": False}
_Param = Literal["query-params"]
_BIND: _Param = "query-params"


def answer_and_classes(classes: Sequence[str]) -> tuple[bool | None, tuple[int, ...]]:
    """Right or wrong answers, and classes; in the sidebar."""
    st.subheader("Filter")
    chosen = st.segmented_control(
        "Answer", list(_ANSWERS), default=_EVERY, required=True, key=ANSWER, bind=_BIND,
        help="Whether the predicted class is the true one.",
    )  # fmt: skip
    names = st.multiselect(
        "Class", classes, key=CLASSES, bind=_BIND, placeholder="all classes",
        help="The image's true class; type to search.",
    )  # fmt: skip
    return _ANSWERS[chosen or _EVERY], tuple(sorted(classes.index(name) for name in names))


def forget_strangers(classes: Sequence[str]) -> None:
    """Drop classes that the chosen run does not have, such as those of the one before."""
    state = st.session_state
    known = [name for name in state.get(CLASSES, []) if name in classes]
    if CLASSES in state and known != state[CLASSES]:
        state[CLASSES] = known


def clear() -> None:
    """All classes, answers and numbers again; a callback.

    Values are set and not forgotten: a forgotten one would come back from the address.
    """
    st.session_state.update({CLASSES: [], ANSWER: _EVERY})
    ranges.clear()
