"""Image folders: torchvision's CIFAR10 folder and ImageFolder trees."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from drnn_core.data.pictures import PictureError, decode_picture
from drnn_core.data.sets import DataError, ImageSet, LazySet, MemorySet, fingerprint_of
from drnn_core.data.transforms import Preprocessing

_SPLIT_NAMES = {"train": ("train",), "test": ("test", "validation", "val")}
_SUFFIXES = (".jpeg", ".jpg", ".png", ".webp")
_IMAGENET_META = "meta.bin"  # what torchvision.datasets.ImageNet writes beside train/ and val/


def is_cifar10(folder: Path) -> bool:
    """Whether this is a folder that torchvision's CIFAR10 takes as its root."""
    return (folder / "cifar-10-batches-py").is_dir()


def load_cifar10(folder: Path, split: str, sizing: Preprocessing | None = None) -> ImageSet:
    """CIFAR-10 from torchvision's folder, which checks the files' published checksums.

    Args:
        folder: torchvision's root.
        split: "train" or "test".
        sizing: brings the pictures to another size when they are asked for; by default, and
            where it leaves 32 pixels as they are, they stand in memory.

    Raises:
        DataError: the folder is incomplete or its files are damaged.
    """
    import torch

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
    images = MemorySet("CIFAR-10", classes, ids, labels, fingerprint, pixels)
    if sizing is None or sizing.image_size == sizing.resize == pixels.shape[-1]:
        return images
    return LazySet(
        "CIFAR-10",
        classes,
        ids,
        labels,
        fingerprint_of([fingerprint.encode(), str(sizing.image_size).encode()]),
        decode=lambda index: sizing.pixels(images.picture(index)),
        original=images.picture,
    )


def split_folder(folder: Path, split: str) -> Path | None:
    """The sub-folder of an ImageFolder tree that holds a split, or None.

    A ``test`` without class folders, as ImageNet's, whose labels are kept secret, gives way to the
    validation's.
    """
    there = [folder / name for name in _SPLIT_NAMES[split] if (folder / name).is_dir()]
    return next((root for root in there if _class_folders(root)), there[0] if there else None)


def _class_folders(root: Path) -> tuple[str, ...]:
    """Names of the folders, in order, but for hidden ones, which programs leave behind."""
    names = (entry.name for entry in root.iterdir() if entry.is_dir())
    return tuple(sorted(name for name in names if not name.startswith(".")))


def load_image_folder(folder: Path, split: str, sizing: Preprocessing) -> LazySet:
    """An ImageFolder tree: ``train/<class>/<picture>`` and ``val/<class>/<picture>``.

    Labels are positions among the sorted names of the class folders, as torchvision's. Beside
    torchvision's ``meta.bin`` of ImageNet, where class folders are WordNet ids, the classes get
    the names that it gives them.

    Raises:
        DataError: no such split, no classes, no pictures, or a ``meta.bin`` that does not fit.
    """
    root = split_folder(folder, split)
    if root is None:
        raise DataError(f"expected a folder {' or '.join(_SPLIT_NAMES[split])} in {folder}")
    folders = _class_folders(root)
    ids, sizes = _pictures(root, folders)
    if not ids:
        raise DataError(
            f"expected pictures ({', '.join(_SUFFIXES)}) in {root}/<class>/, found none"
        )
    places = {name: place for place, name in enumerate(folders)}
    labels = np.asarray([places[name.partition("/")[0]] for name in ids], dtype=np.int64)

    def original(index: int) -> Image.Image:
        file = root / ids[index]
        try:
            return decode_picture(file.read_bytes(), file.name, own=True)
        except (PictureError, OSError) as error:
            raise DataError(f"{file}: {error}") from error

    is_imagenet = (folder / _IMAGENET_META).is_file()
    classes = _imagenet_names(folder, folders) if is_imagenet else folders
    head = json.dumps([classes, sizing.image_size, ids, ",".join(map(str, sizes))]).encode()
    return LazySet(
        "ImageNet" if is_imagenet else folder.name,
        classes,
        ids,
        labels,
        fingerprint_of([head, labels.tobytes()]),
        decode=lambda index: sizing.pixels(original(index)),
        original=original,
    )


def _pictures(root: Path, classes: tuple[str, ...]) -> tuple[list[str], list[int]]:
    """Paths below ``root`` ("class/file.jpg"), in order, and sizes in bytes; of millions too."""
    found: list[tuple[str, int]] = []
    for name in classes:
        inside: list[tuple[tuple[str, ...], int]] = []
        for folder, _, files in os.walk(root / name):
            above = Path(folder).relative_to(root).parts
            inside += [
                ((*above, file), Path(folder, file).stat().st_size)
                for file in files
                if file.lower().endswith(_SUFFIXES)
            ]
        found += [("/".join(parts), size) for parts, size in sorted(inside)]
    return [name for name, _ in found], [size for _, size in found]


def _imagenet_names(folder: Path, wnids: tuple[str, ...]) -> tuple[str, ...]:
    """First synonym of each WordNet id; with the id where two classes would share a name.

    Raises:
        DataError: ``meta.bin`` is damaged or does not know an id.
    """
    from drnn_core._torchvision import torchvision

    try:
        # weights_only: torchvision's own reader runs no code from the file
        synonyms: dict[str, Any] = torchvision.datasets.imagenet.load_meta_file(str(folder))[0]
        names = [str(synonyms[wnid][0]) for wnid in wnids]
    except KeyError as error:
        raise DataError(
            f"expected folders named by the WordNet ids of {folder / _IMAGENET_META}, "
            f"found {error}; remove the folder, or the file for a plain folder of images"
        ) from error
    except Exception as error:  # torch.load raises whatever it stumbles over
        raise DataError(
            f"{folder / _IMAGENET_META} is damaged ({type(error).__name__}); let "
            "torchvision.datasets.ImageNet write it anew, or remove it for the ids as names"
        ) from error
    shared = {name for name, count in Counter(names).items() if count > 1}
    return tuple(
        f"{name} ({wnid})" if name in shared else name
        for name, wnid in zip(names, wnids, strict=True)
    )
