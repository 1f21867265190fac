"""Saving a figure: as a picture (PNG, SVG), and the numbers behind it (CSV, Parquet).

The picture is made by Plotly in the browser, from what is on the screen; the tables are made by
the server when they are asked for.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.components.v2 import component

_ASSETS = Path(__file__).resolve().parent / "assets"

# What makes a table, or the table; a callable is asked only when somebody saves it.
Data = pd.DataFrame | Callable[[], pd.DataFrame]


def figure_key(key: str) -> str:
    """Key, and so the style class, of the container that holds the figure ``key``."""
    return "figure-" + re.sub(r"[^a-zA-Z0-9_-]", "-", key)


def figure_menu(name: str, key: str, data: Data | None) -> None:
    """A button in the corner of a figure that opens the ways to save it.

    Args:
        name: of the files, without an ending.
        key: of the figure.
        data: the numbers behind it, a row for each mark; None offers the picture only.
    """
    with st.popover("⤓ Save", type="tertiary", width="content"):
        _pictures()(key=f"{key}-pictures", data={"figure": figure_key(key), "name": name})
        if data is not None:
            tables(name, data, key)


def tables(name: str, data: Data, key: str, label: str = "") -> None:
    """Two buttons that save a table as CSV and as Parquet.

    Args:
        name: of the files, without an ending.
        data: the table.
        key: of the buttons.
        label: what is saved, where that is not plain: "Records" makes "Records as CSV".
    """
    for ending, encode in (("csv", csv_bytes), ("parquet", parquet_bytes)):
        form = "CSV" if ending == "csv" else "Parquet"
        st.download_button(
            f"{label} as {form}" if label else form,
            lambda encode=encode: encode(data() if callable(data) else data),
            f"{name}.{ending}",
            on_click="ignore",
            width="stretch",
            key=f"{key}-{ending}",
        )


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """A table as CSV, UTF-8, with a header; a list is written as "[2, 1]"."""
    plain = frame.copy()
    for column in frame.columns:
        if frame[column].dtype == object:
            plain[column] = [_plain(value) for value in frame[column]]
    return plain.to_csv(index=False).encode()


def parquet_bytes(frame: pd.DataFrame) -> bytes:
    """A table as Parquet, with the columns' own types."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _plain(value: Any) -> Any:
    if not isinstance(value, np.ndarray | list | tuple):
        return value
    numbers = cast(Iterable[float], value)
    return f"[{', '.join('' if math.isnan(one) else f'{one:.6g}' for one in numbers)}]"


@cache
def _pictures() -> Callable[..., Any]:
    return component(
        "loopscope_figure_pictures",
        html=(
            '<div class="pictures"><button type="button" data-format="png">PNG</button>'
            '<button type="button" data-format="svg">SVG</button>'
            '<span role="status"></span></div>'
        ),
        css=(_ASSETS / "pictures.css").read_text("utf-8"),
        js=(_ASSETS / "pictures.js").read_text("utf-8"),
    )
