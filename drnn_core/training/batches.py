"""The batches of a training: which images, augmented how. All of it follows from seed and step.

Pictures that have to be decoded are fetched one batch ahead in the background, and on all cores
(``data/decoding.py``); what a batch holds depends on neither.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import cast

import torch
from torch import Tensor

from drnn_core.data.augment import ScaleAugmentation, random_crop_flip
from drnn_core.data.decoding import in_threads
from drnn_core.data.sets import ImageSet, MemorySet
from drnn_core.data.transforms import Preprocessing
from drnn_core.models.world import ALONE, World
from drnn_core.recipes import TrainingRecipe
from drnn_core.training.seeds import epoch_order, generator


class Batches:
    """This process's part of every training batch.

    Args:
        images: the training set.
        training: batch size over all processes, and augmentation.
        preprocessing: of the network.
        seed: of the training.
        epochs: after which no batch is fetched ahead.
        world: the processes that share each batch.

    Raises:
        ValueError: fewer images than one batch, or a batch that the processes cannot share.
    """

    def __init__(
        self,
        images: ImageSet,
        training: TrainingRecipe,
        preprocessing: Preprocessing,
        seed: int,
        epochs: int,
        world: World = ALONE,
    ) -> None:
        self.images, self.training, self.preprocessing = images, training, preprocessing
        self.seed, self.world = seed, world
        self.steps_per_epoch = len(images) // training.batch
        if not self.steps_per_epoch:
            raise ValueError(
                f"expected at least one batch of {training.batch} training images, "
                f"got {len(images)}"
            )
        self.own = world.part(training.batch)
        self.steps = self.steps_per_epoch * epochs
        self._scale = ScaleAugmentation(preprocessing.image_size, training.photometric)
        # pixels that stand in memory are there faster than another thread is asked for them
        self._looks_ahead = training.augment == "scale" or not isinstance(images, MemorySet)
        self._thread: ThreadPoolExecutor | None = None
        self._next: tuple[int, Future[tuple[Tensor, Tensor]]] | None = None
        self._order: tuple[int, Tensor] | None = None

    def batch(self, step: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Normalised images (B, 3, H, W) and labels (B,) of update ``step``, 0-based.

        Raises:
            DataError: a picture cannot be decoded.
        """
        pixels, labels = self._fetched(step)
        pixels = pixels.to(device, non_blocking=True)
        if self.training.augment == "crop":
            draw = generator(self.seed, "augment", step)
            pixels = random_crop_flip(
                pixels, self.training.pad, draw, self.world.rank, self.world.size
            )
        return self.preprocessing.normalise(pixels), labels.to(device, non_blocking=True)

    def close(self) -> None:
        """End the background thread; a later batch starts another."""
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)
        self._thread = self._next = None

    def _fetched(self, step: int) -> tuple[Tensor, Tensor]:
        if not self._looks_ahead:
            return self._fetch(step)
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="batches")
        ahead = self._next
        if ahead is None or ahead[0] != step:
            ahead = step, self._thread.submit(self._fetch, step)
        found = ahead[1].result()
        self._next = None
        if step + 1 < self.steps:
            self._next = step + 1, self._thread.submit(self._fetch, step + 1)
        return found

    def _fetch(self, step: int) -> tuple[Tensor, Tensor]:
        """Pixels (B, 3, H, W) uint8, of the augmented size, and labels (B,); one at a time."""
        indices = self._indices(step)[self.own]
        labels = torch.from_numpy(self.images.labels)[indices]
        if self.training.augment == "crop":
            return self._pinned(self.images.images(indices)), labels
        draws = self._scale.draw(self.training.batch, generator(self.seed, "augment", step))
        rows = cast("list[list[float]]", draws[self.own].tolist())
        drawn = list(zip(cast("list[int]", indices.tolist()), rows, strict=True))
        return self._pinned(torch.stack(in_threads(self._augmented, drawn))), labels

    def _augmented(self, drawn: tuple[int, list[float]]) -> Tensor:
        index, row = drawn
        return self._scale(self.images.picture(index), row)

    def _pinned(self, pixels: Tensor) -> Tensor:
        return pixels.pin_memory() if self.world.device.type == "cuda" else pixels

    def _indices(self, step: int) -> Tensor:
        """(batch,) the images of a step, over all processes."""
        epoch, place = divmod(step, self.steps_per_epoch)
        if self._order is None or self._order[0] != epoch:
            self._order = epoch, epoch_order(self.seed, epoch, len(self.images))
        size = self.training.batch
        return self._order[1][place * size : (place + 1) * size]
