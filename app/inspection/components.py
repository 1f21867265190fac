"""Our small components: picking one of many pictures, pasting one, and showing a drawing.

Streamlit has neither a grid of clickable thumbnails nor a way to paste a picture into its
uploader, and takes SVG out of HTML. All are plain scripts without a build and fetch nothing.
"""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from streamlit.components import v2

_ASSETS = Path(__file__).resolve().parent / "assets"
_SPRITE_COLUMNS = 16
_SMALL = 96  # pixels


def pick(
    key: str,
    label: str,
    tiles: Sequence[NDArray[np.uint8]],
    items: list[dict[str, Any]],
    selected: str,
    on_pick: Callable[[], None],
    table: bool = False,
) -> None:
    """Let the user pick one of many pictures.

    Args:
        key: of the component; in ``on_pick``, ``st.session_state[key]["picked"]`` is an id.
        label: what is to be picked, for screen readers.
        tiles: a (side, side, 3) uint8 thumbnail of each picture, all of one side.
        items: as many: ``id`` and ``title``; for a table also ``name``, ``answer``,
            ``confidence`` (0 to 1), ``percent`` (the same in words), ``loops``, and ``blocks``
            (of ``name``, ``ran``, ``most``).
        selected: the id that is shown as picked.
        on_pick: called before the page runs again.
        table: compare predictions in a table rather than show thumbnails only.
    """
    sprite = _sprite(tiles)
    version = hashlib.sha256(repr((items, sprite)).encode()).hexdigest()[:16]
    data = {
        "label": label,
        "sprite": sprite,
        "columns": _SPRITE_COLUMNS,
        "rows": -(-len(tiles) // _SPRITE_COLUMNS),
        "items": items,
        "selected": selected,
        "table": table,
        "version": version,
    }
    _picker()(key=key, data=data, on_picked_change=on_pick)


def paste_button() -> None:
    """A button, and the whole page, that take a picture from the clipboard into the uploader."""
    _paster()(key="paste")


def drawing(markup: str, key: str) -> None:
    """Show a picture of ours, SVG in HTML: ``st.html`` would take the SVG out.

    Nothing cleans ``markup``: whatever comes from outside must be escaped in it.
    """
    _drawing()(key=key, data={"markup": markup})


def data_uri(pixels: NDArray[np.uint8]) -> str:
    """(H, W, 3 or 4) uint8 as a PNG in a ``data:`` address."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def small_uri(pixels: NDArray[np.uint8]) -> str:
    """``data_uri`` of a picture that is drawn small: a large one is shrunk first."""
    image = Image.fromarray(pixels)
    image.thumbnail((_SMALL, _SMALL))
    return data_uri(np.asarray(image, np.uint8))


def _sprite(tiles: Sequence[NDArray[np.uint8]]) -> str:
    """All thumbnails in one picture, row by row."""
    side = tiles[0].shape[0]
    rows = -(-len(tiles) // _SPRITE_COLUMNS)
    sheet = np.zeros((rows * side, _SPRITE_COLUMNS * side, 3), np.uint8)
    for position, tile in enumerate(tiles):
        top, left = (side * place for place in divmod(position, _SPRITE_COLUMNS))
        sheet[top : top + side, left : left + side] = tile
    return data_uri(sheet)


@cache
def _drawing() -> Callable[..., Any]:
    return v2.component(
        "loopscope_drawing",
        html='<div class="drawing"></div>',
        css=(_ASSETS / "drawing.css").read_text("utf-8"),
        js=(_ASSETS / "drawing.js").read_text("utf-8"),
    )


@cache
def _picker() -> Callable[..., Any]:
    return v2.component(
        "loopscope_picker",
        html='<div class="picker"></div>',
        css=(_ASSETS / "picker.css").read_text("utf-8"),
        js=(_ASSETS / "picker.js").read_text("utf-8"),
    )


@cache
def _paster() -> Callable[..., Any]:
    return v2.component(
        "loopscope_paste",
        html=(
            '<div class="paste"><button type="button">Paste a picture</button>'
            "<span>or press <kbd>Ctrl</kbd> <kbd>V</kbd> anywhere on this page</span>"
            '<span class="said" role="status"></span></div>'
        ),
        css=(_ASSETS / "paste.css").read_text("utf-8"),
        js=(_ASSETS / "paste.js").read_text("utf-8"),
    )
