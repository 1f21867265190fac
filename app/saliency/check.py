"""The sanity check by random weights: choices, progress, figure, verdicts, maps."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pandas as pd
import streamlit as st

from app import cache, charts, waiting
from app.images import NoPictures, Pictures
from app.jobs import Job
from app.methods import METHOD_TITLES
from app.numbers import between, number
from app.saliency import check_texts, controls, work
from app.saliency.check_figure import Checks, check_figure, check_table, level_names
from app.saliency.overlay import image_html, overlay
from app.saliency.subject import View
from app.saliency.work import Scene
from app.waiting import Wait, Words
from drnn_core.analysis.bootstrap import Estimate
from drnn_core.analysis.evidence import Method
from drnn_core.analysis.saliency_sanity import SanityCheck
from drnn_core.analysis.sampling import spread_sample

_FIGURE = "check_figure"


@st.fragment
def show(view: View, pictures: Pictures | NoPictures) -> None:
    """The section; a fragment, so that its choices redraw nothing else."""
    check_texts.title()
    if isinstance(pictures, NoPictures):
        st.info(f"The check needs the pictures. {pictures.in_markdown}")
        return
    methods, count = controls.check_boxes()
    if not methods:
        work.leave_others(work.CHECKS, [])
        return
    try:
        with st.spinner("Loading the network…", show_time=True):
            scene = Scene(view, cache.predictor(view.run), pictures)
    except (ValueError, OSError) as error:
        st.error(f"The network cannot be loaded: {error}")
        return
    jobs: dict[Method, tuple[Hashable, Job]] = {
        method: work.check_of(scene, method, count) for method in methods
    }
    work.leave_others(work.CHECKS, [key for key, _ in jobs.values()])
    for method, (_, job) in jobs.items():
        if job.state == "failed":
            st.error(f"{METHOD_TITLES[method]} could not be checked: {job.problem}")
    to_come = tuple(key for key, job in jobs.values() if not job.ended)
    if to_come:
        wait = Wait(work.CHECKS, to_come, Words("Checking"))
        waiting.show("saliency_checks", wait, controls.stop_checks, whole=False)
    found: dict[Method, SanityCheck] = {
        method: job.result for method, (_, job) in jobs.items() if job.state == "done"
    }
    if found:
        _results(scene, found, count)


def _results(scene: Scene, found: Checks, count: int) -> None:
    _verdicts(found)
    left, right = st.columns([5, 6], gap="large")
    with left:
        check_texts.figure_title()
        charts.show(
            check_figure(found, charts.palette()),
            f"{scene.view.run.name} sanity check",
            key=_FIGURE,
            data=lambda: check_table(found),
            alt=check_texts.alt(found),
        )
    with right:
        _maps(scene, found, count)


def _verdicts(found: Checks) -> None:
    rows = [
        {
            "method": METHOD_TITLES[method],
            "maps": f"{check_texts.MARKS[check.verdict]} {check.verdict}",
            "ρ": _shown(check.levels[-1].rank),
            "SSIM": _shown(check.levels[-1].ssim),
            "of other images": _shown(check.strangers),
        }
        for method, check in found.items()
    ]
    check_texts.verdict_title(next(iter(found.values())))
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        width="stretch",
        column_config=check_texts.verdict_columns(),
    )


def _maps(scene: Scene, found: Checks, count: int) -> None:
    """One image's maps, a row for each method: the trained network's and those after it."""
    frame = scene.view.table.frame
    rows = spread_sample(len(frame), count)  # fewer, where there are no more records
    with st.container(horizontal=True, vertical_alignment="center"):
        check_texts.strip_title()
        place = int(
            st.number_input(
                "Image of the check", 1, len(rows), 1, key="shown", width=110,
                label_visibility="collapsed", bind="query-params",
            )
        ) - 1  # fmt: skip
    index = np.array([frame["index"].to_numpy()[rows[place]]], dtype=np.int64)
    seen = scene.pictures.pixels(index)[0]
    names = level_names(next(iter(found.values())))
    cells = [f"<span>{name}</span>" for name in ["", "picture", *names]]
    for method, check in found.items():
        cells.append(f"<b>{METHOD_TITLES[method]}</b>")
        cells.append(image_html(seen, "the picture"))
        for name, level in zip(names, check.levels, strict=True):
            drawn = overlay(seen, level.maps[place], None)
            words = f"evidence by {METHOD_TITLES[method]}, random weights: {name}"
            cells.append(image_html(drawn, words))
    columns = f"minmax(70px,auto) repeat({len(names) + 1},minmax(44px,1fr))"
    st.html(
        f'<div style="overflow-x:auto"><div style="display:grid;grid-template-columns:{columns};'
        'gap:6px;align-items:center;font-size:12px;min-width:430px">'
        f"{''.join(cells)}</div></div>"
    )


def _shown(found: Estimate) -> str:
    return f"{number(found.value)} ({between(found.low, found.high)})"
