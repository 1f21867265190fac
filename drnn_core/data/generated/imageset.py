"""``GeneratedSet``: the generated images as a labelled image set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from drnn_core.data.generated import cache
from drnn_core.data.generated.draws import labels_of
from drnn_core.data.generated.factors import FACTORS
from drnn_core.data.generated.rendering import GENERATED_CLASSES, GENERATED_VERSION, render
from drnn_core.data.sets import Indices, Pixels, as_picture, fingerprint_of

if TYPE_CHECKING:
    from torch import Tensor

Progress = Callable[[int, int], None]

DEFAULT_COUNT = {"train": 20_000, "test": 5_000}
FIRST_SEED = {"train": 0, "test": 1_000_000}
_MOST = 1_000_000

# Images per file of the cache, and how many images a call renders one by one rather than the
# blocks that they are in.
_BLOCK = 1000
_FEW = 64


class GeneratedSet:
    """Images of consecutive seeds; an ``ImageSet`` with masks and difficulty columns.

    Labels and ids cost nothing. Pixels, masks and columns are rendered when they are asked for
    (about 4 ms an image) and kept in the cache folder, block by block. The factors are columns.

    Args:
        split: "train" (seeds from 0) or "test" (seeds from 1,000,000): never the same seed.
        count: images; by default 20,000 and 5,000. A smaller set is the start of a larger one.
        progress: called with (done, total) while images are rendered.
        folder: of the cache; by default ``cache_folder()``. None: as by default.

    Raises:
        ValueError: no such split, or a count out of 1..1,000,000.
    """

    def __init__(
        self,
        split: Literal["train", "test"],
        count: int | None = None,
        progress: Progress | None = None,
        folder: Path | None = None,
    ) -> None:
        if split not in FIRST_SEED:
            raise ValueError(f"expected the split 'train' or 'test', got {split!r}")
        count = DEFAULT_COUNT[split] if count is None else count
        if not 1 <= count <= _MOST:
            raise ValueError(f"expected between 1 and {_MOST:,} generated images, got {count}")
        self.name = f"generated ({split})"
        self.classes = GENERATED_CLASSES
        self.seeds = FIRST_SEED[split] + np.arange(count, dtype=np.int64)
        self.ids: Sequence[str] = [f"g{seed}" for seed in self.seeds.tolist()]
        self.labels = labels_of(self.seeds)
        self.fingerprint = _fingerprint(split, count)
        self._progress = progress
        self._folder = folder or cache.cache_folder()
        # zeros takes no memory before it is written
        self._pixels = np.zeros((count, 3, cache.SIDE, cache.SIDE), dtype=np.uint8)
        self._masks = np.zeros((count, cache.SIDE, cache.SIDE), dtype=np.bool_)
        self._factors = np.zeros((count, len(FACTORS)), dtype=np.float32)
        self._ready = np.zeros(count, dtype=np.bool_)

    def __len__(self) -> int:
        """N."""
        return len(self.seeds)

    def images(self, indices: Indices) -> Tensor:
        """See ``ImageSet``: (B, 3, H, W) uint8, 32 x 32."""
        import torch

        return torch.from_numpy(self.arrays(indices))

    def arrays(self, indices: Indices) -> Pixels:
        """See ``ImageSet``."""
        where = self._made(indices)
        return self._pixels[where]

    def picture(self, index: int) -> Image.Image:
        """See ``ImageSet``."""
        return as_picture(self.arrays([index])[0])

    def masks(self, indices: Indices) -> NDArray[np.bool_]:
        """(B, 32, 32) bool: pixels that show the object by half or more."""
        return self._masks[self._made(indices)]

    @property
    def columns(self) -> dict[str, NDArray[np.float32]]:
        """Name of the factor -> (N,) float32; units: see ``Factors``. Renders the whole set."""
        self._made(np.arange(len(self)))
        return {name: self._factors[:, place] for place, name in enumerate(FACTORS)}

    def _made(self, indices: Indices) -> NDArray[np.int64]:
        # through arange, so that negative positions count from the end and others raise
        where = np.arange(len(self))[np.asarray(indices, dtype=np.int64)]
        missing = np.unique(where[~self._ready[where]])
        if len(missing):
            self._make(missing)
        return where

    def _make(self, missing: NDArray[np.int64]) -> None:
        starts: list[int] = np.unique(missing // _BLOCK * _BLOCK).tolist()
        blocks = [start for start in starts if not self._read(start)]
        left = missing[~self._ready[missing]]
        if len(left) <= _FEW:
            self._render(left, 0, 0)
            return
        total = sum(min(_BLOCK, len(self) - start) for start in blocks)
        done = 0
        for start in blocks:
            stop = min(start + _BLOCK, len(self))
            self._render(np.arange(start, stop), done, total)
            done += stop - start
            block = cache.Block(
                self._pixels[start:stop], self._masks[start:stop], self._factors[start:stop]
            )
            cache.write_block(self._folder, int(self.seeds[start]), block)

    def _read(self, start: int) -> bool:
        """Fill a block from the cache: its own file, or that of the longer block."""
        rows = min(_BLOCK, len(self) - start)
        first = int(self.seeds[start])
        block = cache.read_block(self._folder, first, _BLOCK)
        if block is None and rows < _BLOCK:
            block = cache.read_block(self._folder, first, rows)
        if block is None:
            return False
        self._pixels[start : start + rows] = block.pixels[:rows]
        self._masks[start : start + rows] = block.masks[:rows]
        self._factors[start : start + rows] = block.factors[:rows]
        self._ready[start : start + rows] = True
        return True

    def _render(self, where: NDArray[np.int64], done: int, total: int) -> None:
        for step, index in enumerate(where.tolist(), start=1):
            rendered = render(int(self.seeds[index]), cache.SIDE)
            self._pixels[index] = rendered.image.transpose(2, 0, 1)
            self._masks[index] = rendered.mask
            self._factors[index] = [rendered.factors[name] for name in FACTORS]
            self._ready[index] = True
            if self._progress and total and (step % 100 == 0 or step == len(where)):
                self._progress(done + step, total)


def _fingerprint(split: str, count: int) -> str:
    """Of the definition: the version stands for every rendered byte."""
    parts = ["generated", GENERATED_VERSION, split, str(FIRST_SEED[split]), str(count)]
    return fingerprint_of(part.encode() for part in [*parts, *GENERATED_CLASSES])
