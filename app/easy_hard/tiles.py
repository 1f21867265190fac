"""The gallery of figure 9: one class a column, easy images over hard ones, each a link."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from streamlit.components import v2

from app.cache import Table
from app.easy_hard.comparison import View
from app.images import Pictures
from app.numbers import percent

_ASSETS = Path(__file__).resolve().parent / "assets"
_LOSSLESS = 48  # pixels a side up to which a picture is sent as it is
_TOGETHER = 50  # pictures read at once: sets that draw theirs draw whole blocks for more


def show(key: str, source: dict[str, Any], on_inspect: Callable[[], None]) -> None:
    """Show a ``describe``d gallery.

    Args:
        key: of the component; in ``on_inspect``, ``st.session_state[key]["inspect"]`` is the index
            of the image to inspect.
        source: what to show.
        on_inspect: called before the page runs again.
    """
    _component()(key=key, data=source, on_inspect_change=on_inspect)


def describe(view: View, rows: int, loops_max: int, pictures: Pictures | None) -> dict[str, Any]:
    """What the component needs to know.

    Args:
        view: of the page; each class that it shows is a column.
        rows: of easy and of hard images at most.
        loops_max: of the network.
        pictures: None where they are not at hand.
    """
    columns: list[dict[str, Any]] = []
    for gallery in view.shown:
        column: dict[str, Any] = {"name": view.classes[gallery.label]}
        for end, part in (("easy", gallery.easy), ("hard", gallery.hard)):
            some = view.to_show(part, rows)
            column[end] = _tiles(view.table, some, view.classes, pictures)
            column[f"{end}Loops"] = _range(view.table, part)
            column[f"{end}Count"] = len(part)
            column[f"{end}Of"] = _of(len(some), len(part))
            column[f"{end}Last"] = view.last_of(part) if len(part) else ""
        columns.append(column)
    version = hashlib.sha256(repr(columns).encode()).hexdigest()[:16]
    return {
        "columns": columns,
        "rows": {end: max((len(each[end]) for each in columns), default=0) for end in _ENDS},
        "loopsMax": loops_max,
        "inspect": f"/inspect?{urlencode({'run': view.run.name})}&record=",
        "version": f"{view.run.name}-{version}",
    }


def _of(shown: int, count: int) -> str:
    """How many of an end are shown: "3 of 877"; "" of none."""
    if not count:
        return ""
    return f"{shown} of {count:,}" if shown < count else f"all {count:,}"


_ENDS = ("easy", "hard")


def pixels_of(
    read: Callable[[NDArray[np.int64]], NDArray[np.uint8]], indices: NDArray[np.int64]
) -> list[NDArray[np.uint8]]:
    """The pictures at positions of the split, (side, side, 3) each."""
    parts = [indices[first : first + _TOGETHER] for first in range(0, len(indices), _TOGETHER)]
    return [picture for part in parts for picture in read(part)]


def _tiles(
    table: Table, rows: NDArray[np.int64], classes: Sequence[str], pictures: Pictures | None
) -> list[dict[str, Any]]:
    part = table.frame[["index", "prediction", "correct", "loops", "confidence"]].iloc[rows]
    indices = part["index"].to_numpy().astype(np.int64)
    drawn = (
        [""] * len(part)
        if pictures is None
        else [_data_uri(picture) for picture in pixels_of(pictures.small, indices)]
    )
    return [
        {
            "index": int(index),
            "answer": "" if correct else classes[int(prediction)],
            "loops": int(loops),
            "confidence": percent(float(confidence)),
            "picture": picture,
        }
        for (index, prediction, correct, loops, confidence), picture in zip(
            part.itertuples(index=False), drawn, strict=True
        )
    ]


def _range(table: Table, rows: NDArray[np.int64]) -> str:
    """Loops of the images, "2" or "2–4"; "" of none."""
    if not len(rows):
        return ""
    loops = table.frame["loops"].to_numpy()[rows]
    low, high = int(loops.min()), int(loops.max())
    return f"{low}" if low == high else f"{low}–{high}"


def _data_uri(pixels: NDArray[np.uint8]) -> str:
    buffer = io.BytesIO()
    image = Image.fromarray(pixels)
    kind = "PNG" if max(image.size) <= _LOSSLESS else "JPEG"
    options: dict[str, Any] = {} if kind == "PNG" else {"quality": 88, "subsampling": 0}
    image.save(buffer, kind, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"


@cache
def _component() -> Callable[..., Any]:
    return v2.component(
        "loopscope_easy_hard",
        html='<div class="easy-hard"></div>',
        css=(_ASSETS / "tiles.css").read_text("utf-8"),
        js=(_ASSETS / "tiles.js").read_text("utf-8"),
    )
