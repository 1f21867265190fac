"""Image folders: torchvision's CIFAR10 folder and ImageFolder trees."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from drnn_core.data.pictures import PictureError, decode_picture
from drnn_core.data.sets import DataError, LazySet, MemorySet, fingerprint_of
from drnn_core.data.transforms import Preprocessing

_SPLIT_NAMES = {"train": ("train",), "test": ("val", "test", "validation")}
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


def is_cifar10(folder: Path) -> bool:
    """Whether this is a folder that torchvision's CIFAR10 takes as its root."""
    return (folder / "cifar-10-batches-py").is_dir()


def load_cifar10(folder: Path, split: str) -> MemorySet:
    """CIFAR-10 from torchvision's folder, which checks the files' published checksums.

    Raises:
        DataError: the folder is incomplete or its files are damaged.
    """
    from drnn_core._torchvision import torchvision

    try:
        source: Any = torchvision.datasets.CIFAR10(str(folder), train=split == "train")
    except (RuntimeError, OSError) as error:
        raise DataError(f"cannot read CIFAR-10 in {folder}: {error}") from error
    pixels = torch.from_numpy(np.asarray(source.data)).permute(0, 3, 1, 2).contiguous()
    labels = np.asarray(source.targets, dtype=np.int64)
    classes = tuple(str(name) for name in source.classes)
    ids = [f"{split}/{index:05d}" for index in range(len(labels))]
    head = json.dumps([classes, split]).encode()
    fingerprint = fingerprint_of([head, labels.tobytes(), pixels.numpy().tobytes()])
    return MemorySet("CIFAR-10", classes, ids, labels, fingerprint, pixels)


def split_folder(folder: Path, split: str) -> Path | None:
    """The sub-folder of an ImageFolder tree that holds a split, or None."""
    for name in _SPLIT_NAMES[split]:
        if (folder / name).is_dir():
            return folder / name
    return None


def load_image_folder(folder: Path, split: str, sizing: Preprocessing) -> LazySet:
    """An ImageFolder tree: ``train/<class>/<picture>`` and ``val/<class>/<picture>``.

    Raises:
        DataError: no such split, no classes, or no pictures.
    """
    root = split_folder(folder, split)
    if root is None:
        raise DataError(f"expected a folder {' or '.join(_SPLIT_NAMES[split])} in {folder}")
    classes = tuple(sorted(entry.name for entry in root.iterdir() if entry.is_dir()))
    files = [
        (file, label)
        for label, name in enumerate(classes)
        for file in sorted((root / name).rglob("*"))
        if file.suffix.lower() in _SUFFIXES
    ]
    if not files:
        raise DataError(
            f"expected pictures ({', '.join(sorted(_SUFFIXES))}) in {root}/<class>/, found none"
        )
    ids = [file.relative_to(root).as_posix() for file, _ in files]
    labels = np.asarray([label for _, label in files], dtype=np.int64)

    def decode(index: int) -> Tensor:
        file = files[index][0]
        try:
            return sizing.prepare(decode_picture(file.read_bytes(), file.name))
        except (PictureError, OSError) as error:
            raise DataError(f"{file}: {error}") from error

    sizes = ",".join(str(file.stat().st_size) for file, _ in files)
    head = json.dumps([classes, sizing.image_size, ids, sizes]).encode()
    fingerprint = fingerprint_of([head, labels.tobytes()])
    return LazySet(folder.name, classes, ids, labels, fingerprint, decode)
