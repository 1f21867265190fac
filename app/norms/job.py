"""Measuring on the page: in the background, with progress, on a bounded sample."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

import streamlit as st

from app import cache, waiting
from app.images import NoPictures, pictures_of
from app.jobs import JOBS, Tell, me
from app.norms import controls
from app.settings import settings
from app.waiting import Wait, Words
from drnn_core.data.generated import GENERATED_CLASSES

if TYPE_CHECKING:
    from drnn_core.data.sets import ImageSet

SAMPLES = (500, 1000, 2000)
_BATCH = 25  # so that it can be cancelled soon


def offer(run: cache.Run) -> None:
    """How to get the statistics of a run that has none; or how far they are."""
    key = _key(run)
    job = JOBS.get(key)
    if job and not job.ended and me() in job.watchers:
        wait = Wait(JOBS, (key,), Words("Measuring"))
        waiting.show("norms_measured", wait, wait.leave)
        return
    if job and job.state == "failed":
        st.error(f"The norms could not be measured: {job.problem}")
    source, reason = _source(run)
    st.markdown("This command measures it, in some minutes, and keeps it with the run:")
    st.code(f"drnn norms {run.folder} --data {source or 'D'}", language=None)
    if reason:
        st.caption(reason)
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        images = st.selectbox(
            "Test images",
            SAMPLES,
            index=1,
            key=controls.SAMPLE,
            format_func=lambda each: f"{each:,}",
            width=140,
            help="Taken at even distances in the test set; of fewer, all. Half a minute to two "
            "minutes for 1,000 pictures of 32 pixels.",
        )
        st.button("Or measure here", on_click=_start, args=(run, images), type="primary")


def _start(run: cache.Run, limit: int) -> None:
    JOBS.start(_key(run), lambda tell: _measure(run, limit, tell), me())


def _measure(run: cache.Run, limit: int, tell: Tell) -> None:
    from drnn_core.commands.norm_measuring import measure_norms
    from drnn_core.inference.predictor import one_thread

    images = _images(run)
    measure_norms(run.folder, images, limit, _BATCH, progress=tell, computing=one_thread)


def _images(run: cache.Run) -> ImageSet:
    """The run's test images.

    Raises:
        ValueError: they are not at hand, or have other classes.
    """
    from drnn_core.commands.evaluate import check_classes
    from drnn_core.data.datasets import load_split

    assert run.info is not None
    if cache.recorded(run):
        pictures = pictures_of(run, cache.table(run))
        if isinstance(pictures, NoPictures):
            raise ValueError(pictures.reason)
        return pictures.images
    source, reason = _source(run)
    if source is None:
        raise ValueError(reason)
    sizing = run.info.preprocessing
    images = load_split(source, "test", sizing.image_size, sizing=sizing, originals=True)
    check_classes(run.info, images.classes, source)
    return images


def _source(run: cache.Run) -> tuple[str | None, str]:
    """What ``--data`` would take, as far as that is known here; and why not to measure here."""
    assert run.info is not None
    drawn = run.info.classes == GENERATED_CLASSES
    if not cache.recorded(run):
        source = "generated" if drawn else settings().data
        return source, "" if source else _NO_DATA
    try:
        pictures = pictures_of(run, cache.table(run))
    except (ValueError, OSError) as error:
        return None, f"Which images to take, the records say, but they cannot be read: {error}"
    if isinstance(pictures, NoPictures):
        return None, f"D is the data set of the records, a folder of images. {pictures.in_markdown}"
    return "generated" if drawn and pictures.name.startswith("generated") else settings().data, ""


_NO_DATA = (
    "D is its data set, a folder of images. Start the app with it (`drnn app --data D`) to measure "
    "here."
)


def _key(run: cache.Run) -> Hashable:
    """Of the work that is asked for or going on; what is done was for a file that is gone since."""
    weights = cache.stamp_of(run.folder / "model.safetensors")
    return JOBS.key_anew("norms", str(run.folder), weights)
