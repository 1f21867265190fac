"""The network as a picture in which a block is chosen by a click."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components import v2

_ASSETS = Path(__file__).resolve().parent / "assets"


def pick_block(key: str, markup: str, selected: str, on_pick: Callable[[str], None]) -> None:
    """Show a drawing of ``app.pathpicture`` whose recursive blocks can be clicked.

    Args:
        key: of the component.
        markup: of the drawing. Nothing cleans it.
        selected: name of the block that is marked.
        on_pick: called with a block's name before the page runs again.
    """

    def picked() -> None:
        on_pick(str(st.session_state[key].get("picked", "")))

    _component()(key=key, data={"markup": markup, "selected": selected}, on_picked_change=picked)


@cache
def _component() -> Callable[..., Any]:
    return v2.component(
        "loopscope_blocks",
        html='<div class="blocks"></div>',
        css=(_ASSETS / "blocks.css").read_text("utf-8"),
        js=(_ASSETS / "blocks.js").read_text("utf-8"),
    )
