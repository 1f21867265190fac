"""Running the network anew: two buttons, and how far it is."""

from __future__ import annotations

import streamlit as st

from app import waiting
from app.budget import points
from app.budget.controls import Setting
from app.budget.points import View
from app.images import NoPictures, Pictures
from app.jobs import JOBS
from app.waiting import Wait, Words


def panel(view: View, setting: Setting, pictures: Pictures | NoPictures) -> None:
    """What can be run: where the sliders stand, and the whole curve."""
    known = view.point(setting.blocks) is not None and view.images == _images_of(view, setting)
    exact = view.bounds(setting.blocks).unchanged == len(view.table.frame)
    lacking = [t for t in view.grid if view.point(view.uniform(t)) is None]
    if st.button(
        "Run the network here",
        disabled=isinstance(pictures, NoPictures) or known or exact,
        help=_why(pictures, known, exact),
    ) and isinstance(pictures, Pictures):
        points.start(view, setting.blocks, pictures)
    if (
        lacking
        and st.button(
            f"Run the whole curve ({len(lacking)} thresholds)",
            disabled=isinstance(pictures, NoPictures),
            help=_why(pictures, known=False, exact=False),
        )
        and isinstance(pictures, Pictures)
    ):
        for threshold in lacking:
            points.start(view, view.uniform(threshold), pictures)


def progress(view: View, setting: Setting) -> None:
    """How far the jobs of this session are, while there are any."""
    wanted = [setting.blocks, *(view.uniform(threshold) for threshold in view.grid)]
    wanted = list(dict.fromkeys(wanted))
    for thresholds in wanted[:1]:
        job = view.job(thresholds)
        if job is not None and job.state == "failed":
            st.error(f"The network could not be run: {job.problem}")
    keys = tuple(view.key(thresholds) for thresholds, _ in points.waiting(view, wanted))
    if keys:
        words = Words("Running", "Opening the network…", more="more thresholds after it")
        wait = Wait(JOBS, keys, words)
        waiting.show("budget_runs", wait, wait.leave)


def _images_of(view: View, setting: Setting) -> int:
    point = view.point(setting.blocks)
    return 0 if point is None else point.found.n


def _why(pictures: Pictures | NoPictures, known: bool, exact: bool) -> str:
    if isinstance(pictures, NoPictures):
        return pictures.in_markdown
    if exact:
        return "Nothing changes here: the records are exact."
    if known:
        return "The network has been run here, with these images."
    return (
        "Only the images whose path may change pass through the network; in the background, one "
        "after another with what others asked for. Some minutes for 10,000 images."
    )
