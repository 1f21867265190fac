"""``load_split``: one name for every source of images that the command line takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np

from drnn_core.data import folders, parquet
from drnn_core.data.sets import DataError, ImageSet, LazySet, Subset
from drnn_core.data.transforms import Preprocessing

Split = Literal["train", "test"]
Progress = Callable[[int, int], None]

# Sets up to this size are decoded once into memory; larger ones are decoded batch by batch.
_MEMORY_BYTES = 2 << 30


def load_split(
    source: str,
    split: Split,
    image_size: int = 32,
    limit: int | None = None,
    sizing: Preprocessing | None = None,
    progress: Progress | None = None,
    originals: bool = False,
) -> ImageSet:
    """Open a split of a data source.

    Args:
        source: "generated", or a folder: torchvision's CIFAR10 or ImageNet, an ImageFolder tree,
            or image Parquet.
        split: "train" or "test" (a folder's ``val`` counts as test).
        image_size: height and width of the images in pixels.
        limit: the first images only, for trials.
        sizing: how pictures of other sizes are brought to ``image_size``; by default the
            shorter side is scaled to it and the centre cropped.
        progress: called with (done, total) while images are decoded.
        originals: ``picture`` will be asked for pictures as they came, so they are not decoded
            into memory at ``image_size`` beforehand.

    Raises:
        DataError: the source is none of these, or damaged.
    """
    sizing = sizing or _plain_sizing(image_size)
    if source == "generated":
        return _generated(split, limit, progress, sizing)
    images = _open(source, split, sizing)
    if limit is not None and limit < len(images):
        images = Subset(images, np.arange(limit, dtype=np.int64))
    small = len(images) * 3 * sizing.image_size**2 <= _MEMORY_BYTES
    if isinstance(images, LazySet) and small and not originals:
        return images.in_memory(progress)
    return images


def _generated(
    split: Split, limit: int | None, progress: Progress | None, sizing: Preprocessing
) -> ImageSet:
    from drnn_core.data.generated import (
        DEFAULT_COUNT,
        GENERATED_SIZE,
        GeneratedSet,
        LargeGeneratedSet,
    )

    # Not a Subset: the start of a generated set is one by itself, with a fingerprint of its own.
    count = min(limit or DEFAULT_COUNT[split], DEFAULT_COUNT[split])
    if sizing.image_size == sizing.resize == GENERATED_SIZE:
        return GeneratedSet(split, count, progress)
    return LargeGeneratedSet(split, sizing, count, progress)


def _open(source: str, split: Split, sizing: Preprocessing) -> ImageSet:
    folder = Path(source)
    if not folder.is_dir():
        raise DataError(
            f"expected 'generated' or a folder of images, got {source!r}, which is no folder"
        )
    if folders.is_cifar10(folder):
        return folders.load_cifar10(folder, split, sizing)
    if parquet.parquet_files(folder, split):
        return parquet.load_parquet(folder, split, sizing)
    if folders.split_folder(folder, split) is not None:
        return folders.load_image_folder(folder, split, sizing)
    raise DataError(
        f"found no {split} images in {folder}: expected torchvision's cifar-10-batches-py, "
        f"{split}*.parquet, or a folder train/ or val/ with a sub-folder for each class"
    )


def _plain_sizing(image_size: int) -> Preprocessing:
    return Preprocessing(image_size, image_size, True, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
