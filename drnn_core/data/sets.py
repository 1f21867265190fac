"""Image sets: what every source of labelled images looks like to the rest of the project."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from drnn_core.data.decoding import in_threads

if TYPE_CHECKING:  # who only looks at pictures needs no torch
    from torch import Tensor

Indices: TypeAlias = "Sequence[int] | NDArray[np.int64] | Tensor"
Pixels: TypeAlias = "NDArray[np.uint8]"


class DataError(ValueError):
    """A data source that cannot be read; the message says what was expected and what to do."""


class ImageSet(Protocol):
    """N labelled images of one size, in a fixed order.

    Attributes:
        name: of the source, for example "CIFAR-10 (image Parquet)".
        classes: class names; a label is a position among them.
        ids: N stable names, independent of the order.
        labels: (N,) int64.
        fingerprint: SHA-256 (hex) of the content; equal sets have equal fingerprints.
        columns: further known facts, (N,) each, such as the difficulty factors of ``generated``.
    """

    name: str
    classes: tuple[str, ...]
    ids: Sequence[str]
    labels: NDArray[np.int64]
    fingerprint: str

    @property
    def columns(self) -> dict[str, NDArray[np.float32]]:
        """See above; a set may work them out only when they are asked for."""
        ...

    def __len__(self) -> int:
        """N."""
        ...

    def images(self, indices: Indices) -> Tensor:
        """(B, 3, H, W) uint8: the images at ``indices``."""
        ...

    def arrays(self, indices: Indices) -> Pixels:
        """(B, 3, H, W) uint8: the same for NumPy."""
        ...

    def picture(self, index: int) -> Image.Image:
        """Image ``index`` as it was before it was brought to size, where that is known; RGB."""
        ...

    def masks(self, indices: Indices) -> NDArray[np.bool_] | None:
        """(B, H, W) bool, where the object is visible; None where nobody knows."""
        ...


@dataclass
class MemorySet:
    """An image set whose pixels stand decoded in memory: (N, 3, H, W) uint8."""

    name: str
    classes: tuple[str, ...]
    ids: Sequence[str]
    labels: NDArray[np.int64]
    fingerprint: str
    pixels: Tensor
    columns: dict[str, NDArray[np.float32]] = field(default_factory=dict[str, NDArray[np.float32]])

    def __len__(self) -> int:
        """N."""
        return len(self.labels)

    def images(self, indices: Indices) -> Tensor:
        """See ``ImageSet``."""
        import torch

        return self.pixels[torch.as_tensor(indices)]

    def arrays(self, indices: Indices) -> Pixels:
        """See ``ImageSet``."""
        return self.images(indices).numpy()

    def picture(self, index: int) -> Image.Image:
        """See ``ImageSet``: the pixels in memory, which are all that is left."""
        return as_picture(self.pixels[index].numpy())

    def masks(self, indices: Indices) -> None:
        """Photographs come without object masks."""
        del indices


@dataclass
class LazySet:
    """An image set too large for memory: ``decode(i)`` gives (3, H, W) uint8 when asked.

    ``original(i)`` gives the picture that ``decode`` brings to size; several threads may call
    either at once.
    """

    name: str
    classes: tuple[str, ...]
    ids: Sequence[str]
    labels: NDArray[np.int64]
    fingerprint: str
    decode: Callable[[int], Pixels]
    columns: dict[str, NDArray[np.float32]] = field(default_factory=dict[str, NDArray[np.float32]])
    original: Callable[[int], Image.Image] | None = None

    def __len__(self) -> int:
        """N."""
        return len(self.labels)

    def images(self, indices: Indices) -> Tensor:
        """See ``ImageSet``."""
        import torch

        return torch.from_numpy(self.arrays(indices))

    def arrays(self, indices: Indices) -> Pixels:
        """See ``ImageSet``."""
        wanted: list[int] = np.asarray(indices, dtype=np.int64).tolist()
        return np.stack(in_threads(self.decode, wanted))

    def picture(self, index: int) -> Image.Image:
        """See ``ImageSet``."""
        return as_picture(self.decode(index)) if self.original is None else self.original(index)

    def masks(self, indices: Indices) -> None:
        """Photographs come without object masks."""
        del indices

    def in_memory(self, progress: Callable[[int, int], None] | None = None) -> MemorySet:
        """Decode every image once."""
        import torch

        decoded: list[Tensor] = []
        for start in range(0, len(self), 1000):
            decoded.append(self.images(range(start, min(start + 1000, len(self)))))
            if progress:
                progress(start + len(decoded[-1]), len(self))
        return MemorySet(
            self.name,
            self.classes,
            self.ids,
            self.labels,
            self.fingerprint,
            torch.cat(decoded),
            self.columns,
        )


class Subset:
    """Some images of a set, in a given order, for example a hundred at even distances."""

    def __init__(self, parent: ImageSet, keep: NDArray[np.int64]) -> None:
        self.parent = parent
        self.keep = keep
        self.name = f"{parent.name}, {len(keep):,} of {len(parent):,}"
        self.classes = parent.classes
        self.ids: Sequence[str] = [parent.ids[int(index)] for index in keep]
        self.labels = parent.labels[keep]
        self.fingerprint = fingerprint_of([parent.fingerprint.encode(), keep.tobytes()])

    @property
    def columns(self) -> dict[str, NDArray[np.float32]]:
        """See ``ImageSet``: the parent works them out for all of its images."""
        return {name: values[self.keep] for name, values in self.parent.columns.items()}

    def __len__(self) -> int:
        """N."""
        return len(self.keep)

    def images(self, indices: Indices) -> Tensor:
        """See ``ImageSet``."""
        return self.parent.images(self.keep[np.asarray(indices)])

    def arrays(self, indices: Indices) -> Pixels:
        """See ``ImageSet``."""
        return self.parent.arrays(self.keep[np.asarray(indices)])

    def picture(self, index: int) -> Image.Image:
        """See ``ImageSet``."""
        return self.parent.picture(int(self.keep[index]))

    def masks(self, indices: Indices) -> NDArray[np.bool_] | None:
        """See ``ImageSet``."""
        return self.parent.masks(self.keep[np.asarray(indices)])


def as_picture(pixels: Pixels) -> Image.Image:
    """(3, H, W) uint8 -> an RGB picture."""
    return Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))


def fingerprint_of(parts: Iterable[bytes]) -> str:
    """SHA-256 (hex) of parts, each with its length, so that no two lists of parts collide."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()
