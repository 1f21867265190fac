"""The pictures that the records speak of, where they are at hand.

Pictures come from ``generated`` by seed, or from the ``--data`` source; either only if its
fingerprint is the one that the records were made from. Otherwise there are none, and the pages
say how to get them.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from app.cache import Run, Table
from app.markdown import escaped
from app.settings import settings
from drnn_core.data.datasets import load_split
from drnn_core.data.generated import GENERATED_SIZE, GeneratedSet, LargeGeneratedSet
from drnn_core.data.sets import DataError, ImageSet
from drnn_core.data.transforms import Preprocessing
from drnn_core.store.records import RecordsHeader

_SETS_KEPT = 3
_SMALL = 96  # pixels of a picture that is drawn to be looked at among many
_SECONDS_KEPT = 3600

Reader = Callable[[NDArray[np.int64]], NDArray[np.uint8]]


@dataclass(frozen=True)
class Pictures:
    """The images of a run's records.

    Attributes:
        size: height and width in pixels.
        pixels: positions in the split (B,) -> (B, size, size, 3) uint8, as the network sees them
            before normalisation.
        small: the same to look at, (B, side, side, 3), where that is quicker; or ``pixels``.
        original: position in the split -> the picture as it came, before it was brought to size.
        images: the set itself, for what runs the network anew.
        name: of the image set.
        drawn: the images are drawn when asked for, a few milliseconds each, and kept.
    """

    size: int
    pixels: Reader
    small: Reader
    original: Callable[[int], Image.Image]
    images: ImageSet
    name: str
    drawn: bool = False

    @classmethod
    def of(cls, images: ImageSet, size: int, small: ImageSet | None = None) -> Pictures:
        """The pictures of a set; ``small`` holds them smaller."""
        drawn = type(images) is GeneratedSet
        reader = _reader(images)
        few = reader if small is None else _reader(small)
        return cls(size, reader, few, images.picture, images, images.name, drawn)


@dataclass(frozen=True)
class NoPictures:
    """Why there are none, and what to do, in one or two sentences."""

    reason: str

    @property
    def in_markdown(self) -> str:
        """The reason for pages; it names the image set and folders as they are called."""
        return escaped(self.reason)


def pictures_of(run: Run, table: Table) -> Pictures | NoPictures:
    """The pictures of a run's records; the first call may have to read a whole image set."""
    assert run.info is not None
    try:
        return _pictures(table.header, run.info.preprocessing, settings().data)
    except (DataError, OSError) as error:  # not kept: the folder may be there the next time
        return NoPictures(f"The pictures cannot be shown: {error}.")


@st.cache_resource(max_entries=_SETS_KEPT, ttl=_SECONDS_KEPT, show_spinner=False)
def _pictures(
    header: RecordsHeader, sizing: Preprocessing, data: str | None
) -> Pictures | NoPictures:
    size = sizing.image_size
    if drawn := _generated(header, sizing):
        return drawn
    images = None
    if data and data != "generated":
        # The originals stay where they are: the pages show a few of many.
        images = load_split(data, _split(header), size, sizing=sizing, originals=True)
        if images.fingerprint != header.data_fingerprint:
            return NoPictures(
                f"The pictures cannot be shown: the records are of {header.dataset}, and {data} "
                f"holds other images ({images.name})."
            )
    if images is None:
        return NoPictures(
            f"The pictures of {header.dataset} are not part of Loopscope. To see them, start the "
            "app with their folder: drnn app --data FOLDER"
        )
    return Pictures.of(images, size)


def _split(header: RecordsHeader) -> Literal["train", "test"]:
    return "train" if header.split == "train" else "test"


def _generated(header: RecordsHeader, sizing: Preprocessing) -> Pictures | None:
    """The pictures of the generated set that the records are of, if they are of one."""
    split = _split(header)
    whole = GeneratedSet(split)
    counts = {len(whole), min(header.rows, len(whole))}
    if sizing.image_size == sizing.resize == GENERATED_SIZE:
        for count in counts:
            images = GeneratedSet(split, count)
            if images.fingerprint == header.data_fingerprint:
                return Pictures.of(images, sizing.image_size)
        return None
    scale = min(1.0, _SMALL / sizing.image_size)
    side, resize = round(scale * sizing.image_size), round(scale * sizing.resize)
    few = replace(sizing, image_size=side, resize=max(side, resize))
    for count in counts:
        try:
            large = LargeGeneratedSet(split, sizing, count)
            if large.fingerprint == header.data_fingerprint:
                small = LargeGeneratedSet(split, few, count)
                return Pictures.of(large, sizing.image_size, small)
        except DataError:  # no scene can be drawn at this size, so the records are of another set
            return None
    return None


def _reader(images: ImageSet) -> Reader:
    def pixels(indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        return np.ascontiguousarray(images.arrays(indices).transpose(0, 2, 3, 1))

    return pixels


# More than this takes minutes of a processor; the gallery draws what comes into view anyway.
_MOST_AHEAD = 10_000

_RENDER = """
import os, sys
os.nice(19)
from drnn_core.data.generated import GENERATED_SIZE, GeneratedSet, LargeGeneratedSet
images = GeneratedSet(sys.argv[1], int(sys.argv[2]))
for first in range(0, len(images), 1000):
    images.arrays(range(first, min(first + 1000, len(images))))
"""


@st.cache_resource(max_entries=_SETS_KEPT, show_spinner=False)
def render_ahead(header: RecordsHeader) -> None:
    """Fill the cache of generated images in a process of its own, behind everything else.

    An image takes milliseconds to draw; the gallery draws what comes into view itself and finds
    the rest in the cache folder once this is through. Does nothing when called again.
    """
    if header.rows > _MOST_AHEAD:
        return
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
    process = subprocess.Popen(
        [sys.executable, "-c", _RENDER, _split(header), str(header.rows)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    atexit.register(process.terminate)
    threading.Thread(target=process.wait, daemon=True).start()  # no zombie is left
