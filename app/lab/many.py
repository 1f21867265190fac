"""The same factor over many test images: kept in the run, or swept here in the background."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import cast

import streamlit as st

from app import cache, waiting
from app.images import NoPictures, pictures_of
from app.jobs import JOBS, Tell, me
from app.waiting import Wait, Words
from drnn_core.store.sweeps import KeptSweep, SweepError, read_sweep, sweep_path

IMAGES = 200  # of a sweep that is made here
_KEPT = 64
_SECONDS_KEPT = 3600
_PIXELS_AT_ONCE = 32 * 32 * 32  # so that it can be cancelled soon


def sweep_of(run: cache.Run, factor: str) -> KeptSweep | None:
    """The sweep that the run keeps, else the one that was made here; None where there is none.

    Raises:
        SweepError: the kept one is damaged, or of other weights.
    """
    path = sweep_path(run.folder, factor)
    if not path.is_file():
        job = JOBS.get(_key(run, factor))
        return cast(KeptSweep, job.result) if job and job.state == "done" else None
    kept = _read(run.folder, factor, cache.stamp_of(path))
    assert run.info is not None
    if kept.weights_sha256 != run.info.weights_sha256:
        raise SweepError(
            f"the sweep in {path} is of other weights than the run's; write it anew with: "
            f"{_command(run, factor)}"
        )
    return kept


def offer(run: cache.Run, factor: str) -> None:
    """How to get a sweep of test images, where there is none; or how far it is."""
    key = _key(run, factor)
    job = JOBS.get(key)
    if job and not job.ended and me() in job.watchers:
        wait = Wait(JOBS, (key,), Words("Sweeping", things="pictures"))
        waiting.show("lab_swept", wait, wait.leave, whole=False)
        return
    if job and job.state == "failed":
        st.error(f"The test images could not be swept: {job.problem}")
    st.caption("To see the mean of many test images beside this picture, keep a sweep in the run:")
    st.code(_command(run, factor), language=None)
    st.button(
        f"Or sweep {IMAGES} test images here",
        on_click=_start,
        args=(run, factor),
        help="In the background; some seconds for small pictures, minutes for large ones.",
    )


def _start(run: cache.Run, factor: str) -> None:
    JOBS.start(_key(run, factor), lambda tell: _swept(run, factor, tell), me())


def _swept(run: cache.Run, factor: str, tell: Tell) -> KeptSweep:
    from drnn_core.analysis.sweep import STRENGTHS, Passes, summarise, sweep
    from drnn_core.commands.sweep import kept
    from drnn_core.inference.skipping import fast_forward

    assert run.info is not None
    pictures = pictures_of(run, cache.table(run))
    if isinstance(pictures, NoPictures):
        raise ValueError(pictures.reason)
    sizing = run.info.preprocessing
    batch = max(1, _PIXELS_AT_ONCE // sizing.image_size**2)
    network = cache.predictor(run).network
    how = Passes(tell, fast_forward(network, sizing.image_size), batch)
    swept = sweep(network, pictures.images, sizing, factor, STRENGTHS, IMAGES, how=how)
    return kept(summarise(swept), run.info, pictures.images, 0)


def _key(run: cache.Run, factor: str) -> Hashable:
    return "sweep", str(run.folder), cache.stamp_of(run.folder / "model.safetensors"), factor


def _command(run: cache.Run, factor: str) -> str:
    return f"drnn sweep {run.folder} --data D --factor {factor} --keep"


@st.cache_resource(max_entries=_KEPT, ttl=_SECONDS_KEPT, show_spinner=False)
def _read(folder: Path, factor: str, stamp: tuple[int, int]) -> KeptSweep:
    del stamp
    return read_sweep(folder, factor)
