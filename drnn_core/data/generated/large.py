"""The generated images at other sizes than 32 pixels: the same scenes, drawn finer."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from drnn_core.data.decoding import in_threads
from drnn_core.data.generated.imageset import GeneratedSet, Progress
from drnn_core.data.generated.rendering import SIZES, Rendered, render
from drnn_core.data.sets import DataError, Indices, Pixels, fingerprint_of
from drnn_core.data.transforms import Preprocessing


class LargeGeneratedSet(GeneratedSet):
    """A ``GeneratedSet`` whose pictures are drawn at the size that a network scales them to.

    Labels, ids and columns are those of the small set. Pictures are drawn whenever they are asked
    for (about 0.2 s each at 256 pixels) and kept nowhere.

    Args:
        split, count, progress, folder: see ``GeneratedSet``.
        sizing: pictures of ``sizing.resize`` pixels are drawn and cropped to its image size.

    Raises:
        DataError: a size at which the scenes cannot be drawn.
    """

    def __init__(
        self,
        split: Literal["train", "test"],
        sizing: Preprocessing,
        count: int | None = None,
        progress: Progress | None = None,
        folder: Path | None = None,
    ) -> None:
        super().__init__(split, count, progress, folder)
        if not SIZES[0] <= sizing.resize <= SIZES[1]:
            raise DataError(
                f"expected generated images of {SIZES[0]} to {SIZES[1]} pixels, got "
                f"{sizing.resize}; train on 'generated' with a network of another image size"
            )
        self.sizing = sizing
        self.name = f"generated ({split}), {sizing.image_size} px"
        size = f"{sizing.image_size} of {sizing.resize} px"
        self.fingerprint = fingerprint_of([self.fingerprint.encode(), size.encode()])

    def arrays(self, indices: Indices) -> Pixels:
        """See ``ImageSet``: (B, 3, image_size, image_size) uint8."""
        return np.stack(in_threads(self._image, self._places(indices)))

    def picture(self, index: int) -> Image.Image:
        """See ``ImageSet``: the whole scene, ``sizing.resize`` pixels high and wide."""
        return Image.fromarray(self._rendered(index).image)

    def masks(self, indices: Indices) -> NDArray[np.bool_]:
        """(B, image_size, image_size) bool: pixels that show the object by half or more."""
        return np.stack(in_threads(self._mask, self._places(indices)))

    def _image(self, index: int) -> Pixels:
        return self.sizing.pixels(self.picture(index))

    def _mask(self, index: int) -> NDArray[np.bool_]:
        edge = (self.sizing.resize - self.sizing.image_size) // 2
        inside = slice(edge, edge + self.sizing.image_size)
        return self._rendered(index).mask[inside, inside]

    def _rendered(self, index: int) -> Rendered:
        return render(int(self.seeds[index]), self.sizing.resize)

    def _places(self, indices: Indices) -> list[int]:
        # through arange, so that negative positions count from the end and others raise
        return np.arange(len(self))[np.asarray(indices, dtype=np.int64)].tolist()
