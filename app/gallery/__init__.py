"""The gallery: a virtualised grid of thousands of images with a detail view.

A Streamlit component (components v2). Its script comes in parts that are put together here;
``routes`` serves what it shows.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from streamlit.components.v2 import component

from app.gallery import turns

_ASSETS = Path(__file__).resolve().parent / "assets"
_SCRIPTS = ("pages.js", "tile.js", "pair.js", "grid.js", "detail.js", "gallery.js")


@cache
def _component() -> Callable[..., Any]:
    script = "\n".join((_ASSETS / name).read_text("utf-8") for name in _SCRIPTS)
    return component(
        "loopscope_gallery",
        html=(_ASSETS / "gallery.html").read_text("utf-8"),
        css=(_ASSETS / "gallery.css").read_text("utf-8"),
        js=script,
    )


def gallery(
    source: dict[str, Any],
    key: str,
    opened: int | None,
    on_image: Callable[[], None],
    on_inspect: Callable[[], None],
) -> None:
    """Show a source (``app.gallery.source.describe``).

    Args:
        source: what to show.
        key: of the component; ``st.session_state[key]`` holds ``image`` (index of the open image
            or None) and, for one run, ``inspect`` (index of the image to inspect).
        opened: position of the image that is open at first, or None.
        on_image: called when another image was opened, or closed.
        on_inspect: called when an image is to be inspected.
    """
    _component()(
        key=key,
        data={"source": source, "open": opened, "turn": turns.give(key, source["stamp"])},
        on_image_change=on_image,
        on_inspect_change=on_inspect,
    )
