"""What a batch holds follows from seed and step, not from threads, processes or earlier batches."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from drnn_core.data import decoding
from drnn_core.data.augment import ScaleAugmentation, random_crop_flip
from drnn_core.data.sets import DataError, LazySet, MemorySet, Pixels
from drnn_core.data.transforms import Preprocessing
from drnn_core.models.world import ALONE, World
from drnn_core.training.batches import Batches
from drnn_core.training.seeds import epoch_order, generator
from tests.training.small import training

CPU = torch.device("cpu")
# mean 0 and deviation 1/255: normalised pixels are the pixels
AS_IS = Preprocessing(16, 20, False, (0, 0, 0), (1 / 255, 1 / 255, 1 / 255))
WAYS: list[dict[str, Any]] = [
    {"augment": "crop"},
    {"augment": "scale"},
    {"augment": "scale", "photometric": 0.4},
]


def pictures() -> LazySet:
    """Twenty pictures of 40 x 30 pixels, shown at 16."""
    draw = np.random.default_rng(0)
    sources = [
        Image.fromarray(draw.integers(0, 256, (30, 40, 3), dtype=np.uint8)) for _ in range(20)
    ]
    return LazySet(
        "pictures",
        ("a", "b"),
        [str(index) for index in range(20)],
        np.arange(20) % 2,
        "f",
        decode=lambda index: AS_IS.pixels(sources[index]),
        original=lambda index: sources[index],
    )


def batches(world: World = ALONE, epochs: int = 2, **way: Any) -> Batches:
    how = dataclasses.replace(training(), batch=6, **way)
    return Batches(pictures(), how, AS_IS, 5, epochs, world)


@pytest.fixture(autouse=True)
def _other_threads() -> Iterator[None]:
    yield
    decoding._threads.cache_clear()
    torch.set_num_threads(1)


def all_of(made: Batches) -> list[Tensor]:
    found = [made.batch(step, CPU)[0] for step in range(made.steps)]
    made.close()
    return found


def equal(one: list[Tensor], other: list[Tensor]) -> bool:
    return len(one) == len(other) and all(map(torch.equal, one, other))


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_batch_does_not_depend_on_those_before_it(way: dict[str, Any]) -> None:
    expected = all_of(batches(**way))
    for step in (5, 1, 1, 3):
        made = batches(**way)
        assert torch.equal(made.batch(step, CPU)[0], expected[step])
        made.close()
    assert not torch.equal(expected[0], expected[1])


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("threads", [1, 5])
def test_the_number_of_threads_changes_nothing(
    way: dict[str, Any], threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = all_of(batches(**way))
    decoding._threads.cache_clear()
    monkeypatch.setattr(decoding, "_count", lambda: threads)
    assert equal(all_of(batches(**way)), expected)
    torch.set_num_threads(3)
    assert equal(all_of(batches(**way)), expected)


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_processes_share_the_whole_batch(way: dict[str, Any], size: int) -> None:
    whole = batches(**way)
    parts = [batches(World(rank, size), **way) for rank in range(size)]
    for step in range(whole.steps):
        images, labels = whole.batch(step, CPU)
        found = [part.batch(step, CPU) for part in parts]
        assert torch.equal(torch.cat([each[0] for each in found]), images)
        assert torch.equal(torch.cat([each[1] for each in found]), labels)
    for each in (whole, *parts):
        each.close()


def test_crops_are_those_of_the_function() -> None:
    made, source = batches(augment="crop"), pictures()
    images, labels = made.batch(4, CPU)
    made.close()
    indices = epoch_order(5, 1, 20)[6:12]  # the second batch of the second epoch
    expected = random_crop_flip(source.images(indices), 1, generator(5, "augment", 4))
    assert torch.equal(images.round().to(torch.uint8), expected)
    assert labels.tolist() == [index % 2 for index in indices.tolist()]


def test_parts_are_cut_from_the_pictures_as_they_came() -> None:
    made, source = batches(augment="scale"), pictures()
    images, _ = made.batch(0, CPU)
    made.close()
    scale = ScaleAugmentation(16)
    rows = scale.draw(6, generator(5, "augment", 0)).tolist()
    for image, index, row in zip(images, epoch_order(5, 0, 20)[:6].tolist(), rows, strict=True):
        picture = source.picture(index)
        assert picture.size == (40, 30)
        assert torch.equal(image.round().to(torch.uint8), scale(picture, row))


def test_a_set_in_memory_is_cut_from_its_pixels() -> None:
    images = pictures().in_memory()
    assert isinstance(images, MemorySet)
    how = dataclasses.replace(training(), batch=6, augment="scale")
    made = Batches(images, how, AS_IS, 5, 1)
    found = made.batch(0, CPU)[0]
    made.close()
    row = ScaleAugmentation(16).draw(6, generator(5, "augment", 0))[0].tolist()
    first = int(epoch_order(5, 0, 20)[0])
    expected = ScaleAugmentation(16)(images.picture(first), row)
    assert torch.equal(found[0].round().to(torch.uint8), expected)


def test_the_next_batch_is_decoded_while_this_one_is_used() -> None:
    """The decoder of the second batch runs without anybody asking for it; after the last none."""
    asked = threading.Semaphore(0)
    source = pictures()
    decode = source.decode

    def noted(index: int) -> Pixels:
        asked.release()
        return decode(index)

    watched = dataclasses.replace(source, decode=noted)
    made = Batches(watched, dataclasses.replace(training(), batch=6), AS_IS, 5, 1)
    made.batch(0, CPU)
    for _ in range(12):
        assert asked.acquire(timeout=20), "six pictures of the first batch, six of the second"
    made.batch(2, CPU)
    made.close()
    names = {thread.name for thread in threading.enumerate()}
    assert not any(name.startswith("batches") for name in names)
    while asked.acquire(blocking=False):
        pass
    made.batch(2, CPU)
    made.close()
    left = sum(asked.acquire(blocking=False) for _ in range(7))
    assert left == 6, "no batch comes after the last"


def test_a_damaged_picture_ahead_is_reported_when_its_batch_is_due() -> None:
    source = pictures()
    bad = int(epoch_order(5, 0, 20)[8])

    def broken(index: int) -> Pixels:
        if index == bad:
            raise DataError("7.jpg is damaged")
        return source.decode(index)

    watched = dataclasses.replace(source, decode=broken)
    made = Batches(watched, dataclasses.replace(training(), batch=6), AS_IS, 5, 1)
    made.batch(0, CPU)
    with pytest.raises(DataError, match=r"7\.jpg is damaged"):
        made.batch(1, CPU)
    made.close()


def test_a_batch_that_the_processes_cannot_share_is_a_sentence() -> None:
    with pytest.raises(ValueError, match="4 processes can share evenly, got 6"):
        batches(World(0, 4))
