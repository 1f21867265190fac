"""Images with the lowest and the highest values of the chosen statistic, with their evidence."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app import cache, waiting
from app.images import NoPictures, Pictures
from app.markdown import escaped
from app.methods import METHOD_TITLES
from app.numbers import number
from app.saliency import texts, work
from app.saliency.overlay import image_html, overlay
from app.saliency.subject import Choice, View
from app.saliency.work import Attributed, Scene
from app.waiting import Wait, Words

EACH = 4
_WIDTH = 92  # pixels of a tile
_PATIENCE = 0.6  # seconds that the page waits for the maps before it goes on without

Rows = NDArray[np.int64]


def ends(view: View, choice: Choice) -> tuple[Rows, Rows]:
    """Rows of the records with the lowest and with the highest values, the outermost first."""
    values = view.values[choice.name].astype(np.float64)
    there = np.flatnonzero(view.keep & np.isfinite(values))
    order = there[np.argsort(values[there], kind="stable")]
    each = min(EACH, len(order) // 2)
    return order[:each], order[::-1][:each]


@st.fragment
def show(view: View, choice: Choice, pictures: Pictures | NoPictures) -> None:
    """Two rows of images; a fragment, so that opening one draws nothing anew."""
    texts.examples_title(choice)
    low, high = ends(view, choice)
    if not len(low):
        st.caption("Fewer than two images have a value.")
        return
    if isinstance(pictures, NoPictures):
        st.caption(pictures.in_markdown)
    rows = np.concatenate([low, high])
    found, to_come = _maps(view, choice, pictures, rows)
    halves = zip(st.columns(2, gap="large"), ("Lowest", "Highest"), (low, high), strict=True)
    place = 0
    for half, name, part in halves:
        with half:
            st.markdown(f"**{name} {choice.phrase}**")
            with st.container(horizontal=True, gap="small"):
                for row in part:
                    _tile(view, choice, int(row), pictures, found, place)
                    place += 1
    if found is not None:
        texts.maps_note(choice, found.masks is not None)
    if to_come is not None:
        words = Words(f"Evidence by {_method(choice)}")
        waiting.show("saliency_maps", Wait(work.MAPS, (to_come,), words), whole=False)


def _maps(
    view: View, choice: Choice, pictures: Pictures | NoPictures, rows: Rows
) -> tuple[Attributed | None, Hashable]:
    """The evidence of the rows if it is there, and the key of the job if it is to come."""
    if choice.method is None or isinstance(pictures, NoPictures):
        work.leave_others(work.MAPS, [])
        return None, None
    try:
        scene = Scene(view, cache.predictor(view.run), pictures)
    except (ValueError, OSError) as error:
        st.caption(f"Their evidence cannot be shown: {error}")
        return None, None
    key, _ = work.maps_of(scene, choice.method, rows)
    work.leave_others(work.MAPS, [key])
    job = work.MAPS.wait(key, _PATIENCE)
    if job.state == "failed":
        st.caption(f"Their evidence cannot be shown: {job.problem}")
    return job.result if job.state == "done" else None, None if job.ended else key


def _tile(
    view: View,
    choice: Choice,
    row: int,
    pictures: Pictures | NoPictures,
    found: Attributed | None,
    place: int,
) -> None:
    record = view.table.frame.iloc[row]
    name = view.classes[int(record["label"])]
    index = int(record["index"])
    words = f"image {index}, {name}, {int(record['loops'])} loops"
    with st.container(width=_WIDTH, gap="xxsmall"):
        drawn = ""
        if isinstance(pictures, Pictures):
            seen = pictures.small(np.array([index], dtype=np.int64))[0]
            drawn = image_html(seen, words)
        if found is not None:
            mask = None if found.masks is None else found.masks[place]
            evidence = overlay(found.seen[place], found.maps[place], mask)
            drawn += '<div style="height:4px"></div>'
            drawn += image_html(evidence, f"evidence by {_method(choice)} of {words}")
        if drawn:
            st.html(drawn)
        value = number(float(view.values[choice.name][row]), ".3g")
        st.caption(f"{value}  \n{escaped(name)}, {int(record['loops'])} loops")
        if isinstance(pictures, Pictures) and st.button(
            f"Inspect {index:,}", key=f"inspect {row}", type="tertiary", width="content"
        ):
            query = {"run": view.run.name, "record": str(index)}
            if choice.method is not None:
                query["method"] = METHOD_TITLES[choice.method]
            st.switch_page("views/inspect.py", query_params=query)


def _method(choice: Choice) -> str:
    return "" if choice.method is None else METHOD_TITLES[choice.method]
