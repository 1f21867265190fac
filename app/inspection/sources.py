"""Pictures that come with labels: the shipped samples, and the images of a run's records."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image

from app import cache
from app.images import NoPictures, pictures_of
from app.inspection.pictures import FINER_SIDE, Picture, png_of, seed_of
from drnn_core.data.generated import GENERATED_SIZE, render
from drnn_core.data.samples import MANIFEST, read_samples

SAMPLES_FOLDER = Path(__file__).resolve().parents[2] / "data_samples"

_RECORDS_KEPT = 32


class NoSuchPictureError(ValueError):
    """An address that names no picture; the message says what is shown instead."""


def samples() -> dict[str, Picture]:
    """The shipped samples by id, in the order of their manifest.

    Raises:
        SamplesError: the folder is missing or damaged; the message says what to do.
    """
    return _samples(SAMPLES_FOLDER, cache.stamp_of(SAMPLES_FOLDER / MANIFEST))


def record_picture(run: cache.Run, index: int) -> Picture:
    """The image at a position of the split that a run's records are of.

    Raises:
        NoSuchPictureError: no records, no such row, or its pixels are not at hand.
    """
    assert run.info is not None
    try:
        table = cache.table(run)
    except (ValueError, OSError) as error:
        raise NoSuchPictureError(f"Image {index} cannot be opened: {error}") from error
    if not 0 <= index < table.header.rows:
        raise NoSuchPictureError(
            f"There is no image {index} in the records of this run: expected 0 to "
            f"{table.header.rows - 1}."
        )
    found = pictures_of(run, table)
    if isinstance(found, NoPictures):
        raise NoSuchPictureError(f"Image {index} cannot be opened. {found.reason}")
    row = table.records.at(np.array([index])).iloc[0]
    id_, truth = str(row["id"]), run.info.classes[int(row["label"])]
    written = f"{table.stamp}-{table.header.data_fingerprint[:12]}"
    key = f"record-{run.name}-{index}-{written}"  # what is kept of a picture is kept by its key
    return _record_picture(key, id_, truth, index, lambda: found.original(index))


@st.cache_resource(max_entries=_RECORDS_KEPT, show_spinner=False)
def _record_picture(
    key: str, id_: str, truth: str, index: int, _open: Callable[[], Image.Image]
) -> Picture:
    """One object for one image, so that what it derives from its pixels is derived once."""
    seed, original = seed_of(id_), np.asarray(_open(), np.uint8)
    if seed is not None and original.shape[0] == GENERATED_SIZE:  # too small to be looked at
        original = render(seed, FINER_SIDE).image
    return Picture(key, f"image {id_}", png_of(original), truth, seed, index)


@st.cache_resource(max_entries=2, show_spinner=False)
def _samples(folder: Path, stamp: tuple[int, int]) -> dict[str, Picture]:
    del stamp
    found: dict[str, Picture] = {}
    for sample in read_samples(folder, check_files=True):
        found[sample.id] = Picture(
            f"sample-{sample.id}",
            Path(sample.file).stem,
            (folder / sample.file).read_bytes(),
            sample.class_name,
            sample.seed,
        )
    return found
