"""An image set under one corruption."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from drnn_core.analysis.corruptions import corrupt
from drnn_core.data.sets import ImageSet, Indices, Pixels, as_picture, fingerprint_of


class CorruptedSet:
    """Some images of a set, corrupted; an ``ImageSet``.

    Args:
        parent: the images as they are.
        keep: (N,) which of them.
        name, strength, seed: see ``corrupt``; chance goes by the position in ``parent``.
    """

    def __init__(
        self, parent: ImageSet, keep: NDArray[np.int64], name: str, strength: float, seed: int = 0
    ) -> None:
        self.parent = parent
        self.keep = keep
        self.name = f"{parent.name}, {name} {strength:g}"
        self.classes = parent.classes
        self.ids: Sequence[str] = [parent.ids[int(index)] for index in keep]
        self.labels = parent.labels[keep]
        parts = [parent.fingerprint, name, repr(float(strength)), str(seed)]
        self.fingerprint = fingerprint_of([*(part.encode() for part in parts), keep.tobytes()])
        self._how = (name, strength, seed)

    @property
    def columns(self) -> dict[str, NDArray[np.float32]]:
        """None: what is known of the pictures as they were need not hold of these."""
        return {}

    def __len__(self) -> int:
        """N."""
        return len(self.keep)

    def images(self, indices: Indices) -> Tensor:
        """See ``ImageSet``."""
        there = self.keep[np.asarray(indices, dtype=np.int64)]
        name, strength, seed = self._how
        return corrupt(self.parent.images(there), name, strength, there, seed)

    def arrays(self, indices: Indices) -> Pixels:
        """See ``ImageSet``."""
        return self.images(indices).numpy()

    def picture(self, index: int) -> Image.Image:
        """See ``ImageSet``."""
        return as_picture(self.arrays([index])[0])

    def masks(self, indices: Indices) -> None:
        """None: the object may have moved, or lie under a box."""
        del indices
