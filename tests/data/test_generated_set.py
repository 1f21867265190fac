"""The generated image set: splits, lazy rendering, and a cache that heals itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from drnn_core.data.generated import (
    DEFAULT_COUNT,
    FACTORS,
    GENERATED_CLASSES,
    GeneratedSet,
    cache,
    imageset,
    render,
)
from drnn_core.data.generated.draws import labels_of


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder, and blocks small enough for a test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(imageset, "_BLOCK", 10)
    monkeypatch.setattr(imageset, "_FEW", 2)
    return tmp_path / "loopscope"


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Seeds rendered by the set, in order."""
    seeds: list[int] = []

    def counted(seed: int, size: int = 32) -> object:
        seeds.append(seed)
        return render(seed, size)

    monkeypatch.setattr(imageset, "render", counted)
    return seeds


def test_the_splits_share_no_seed_and_are_balanced(rendered: list[int]) -> None:
    train, test = GeneratedSet("train"), GeneratedSet("test")
    assert (len(train), len(test)) == (DEFAULT_COUNT["train"], DEFAULT_COUNT["test"])
    assert not set(train.ids) & set(test.ids)
    assert len(set(train.ids)) == len(train)
    assert np.bincount(train.labels, minlength=10).tolist() == [2000] * 10
    assert np.bincount(test.labels, minlength=10).tolist() == [500] * 10
    assert train.fingerprint != test.fingerprint
    assert test.classes == GENERATED_CLASSES
    assert len(GENERATED_CLASSES) == 10
    assert rendered == []


def test_the_largest_splits_still_share_no_seed() -> None:
    ends = {split: first + imageset._MOST for split, first in imageset.FIRST_SEED.items()}
    assert ends["train"] <= imageset.FIRST_SEED["test"]


def test_ids_name_the_seed_and_labels_are_those_of_the_images(home: Path) -> None:
    images = GeneratedSet("test", 12)
    assert images.ids[:2] == ["g1000000", "g1000001"]
    for index in range(12):
        assert render(int(images.ids[index][1:])).label == images.labels[index]


def test_labels_of_one_decade_are_not_in_order() -> None:
    orders = {tuple(labels_of(np.arange(k * 10, k * 10 + 10)).tolist()) for k in range(50)}
    assert len(orders) == 50
    assert all(sorted(order) == list(range(10)) for order in orders)


def test_images_masks_and_columns_are_those_of_render(home: Path) -> None:
    images = GeneratedSet("train", 12)
    pixels, masks = images.images(range(12)), images.masks(range(12))
    assert pixels.shape == (12, 3, 32, 32)
    assert pixels.dtype == torch.uint8
    assert masks.shape == (12, 32, 32)
    assert tuple(images.columns) == FACTORS
    for index in range(12):
        expected = render(index)
        assert np.array_equal(pixels[index].permute(1, 2, 0).numpy(), expected.image)
        assert np.array_equal(masks[index], expected.mask)
        for name in FACTORS:
            assert images.columns[name][index] == np.float32(expected.factors[name])


def test_a_few_images_are_rendered_alone(home: Path, rendered: list[int]) -> None:
    images = GeneratedSet("train", 1000)
    images.images([700, 3])
    images.masks(torch.tensor([3]))
    images.images([])
    assert rendered == [3, 700]
    assert not home.exists()


def test_positions_count_from_the_end_and_others_are_refused(home: Path) -> None:
    images = GeneratedSet("train", 5)
    assert torch.equal(images.images([-1]), images.images([4]))
    with pytest.raises(IndexError):
        images.images([5])


def test_a_split_is_rendered_once(home: Path, rendered: list[int]) -> None:
    first = GeneratedSet("train", 25).images(range(25))
    assert rendered == list(range(25))
    assert len(list(home.iterdir())) == 3
    again = GeneratedSet("train", 25)
    assert torch.equal(again.images(range(25)), first)
    assert again.columns["blur"].shape == (25,)
    assert len(rendered) == 25
    # a shorter set is the start of the longer one
    assert torch.equal(GeneratedSet("train", 14).images(range(14)), first[:14])
    assert len(rendered) == 25


def test_progress_is_told(home: Path) -> None:
    told: list[tuple[int, int]] = []
    images = GeneratedSet("test", 25, progress=lambda done, total: told.append((done, total)))
    images.images([0, 5, 9, 24])
    assert told == [(10, 15), (15, 15)]
    _ = images.columns
    assert told[2:] == [(10, 10)]


@pytest.mark.parametrize("damage", ["flip", "short", "long", "empty", "other version"])
def test_a_damaged_cache_is_rendered_again(
    home: Path, rendered: list[int], monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    sound = GeneratedSet("train", 10).images(range(10))
    (file,) = home.iterdir()
    data = file.read_bytes()
    if damage == "flip":
        middle = len(data) // 2
        file.write_bytes(data[:middle] + bytes([data[middle] ^ 4]) + data[middle + 1 :])
    elif damage == "short":
        file.write_bytes(data[:-7])
    elif damage == "long":
        file.write_bytes(data + b"\0")
    elif damage == "empty":
        file.write_bytes(b"")
    else:
        monkeypatch.setattr(cache, "GENERATED_VERSION", "another")
        # an old file under the new name must not pass for it either
        file.rename(cache.block_path(home, 0, 10))
    assert torch.equal(GeneratedSet("train", 10).images(range(10)), sound)
    assert len(rendered) == 20
    assert torch.equal(GeneratedSet("train", 10).images(range(10)), sound)
    assert len(rendered) == 20


def test_every_byte_of_the_cache_is_covered_by_its_hash(home: Path) -> None:
    GeneratedSet("train", 5).images(range(5))
    (file,) = home.iterdir()
    data = file.read_bytes()
    assert cache.read_block(home, 0, 5) is not None
    for place in np.linspace(0, len(data) - 1, 60).astype(int).tolist():
        file.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert cache.read_block(home, 0, 5) is None, place


def test_a_cache_that_cannot_be_written_only_costs_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imageset, "_FEW", 0)
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert GeneratedSet("train", 3, folder=blocked / "cache").images([0, 1, 2]).shape[0] == 3
    assert blocked.read_text() == "not a folder"


def test_without_a_home_nothing_is_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("no home")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(cache.Path, "home", homeless)
    monkeypatch.setattr(imageset, "_FEW", 0)
    assert cache.cache_folder() is None
    assert GeneratedSet("train", 2).images([0, 1]).shape[0] == 2


def test_a_relative_cache_folder_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    monkeypatch.setenv("HOME", "/nowhere")
    assert cache.cache_folder() == Path("/nowhere/.cache/loopscope")


def test_a_failed_write_leaves_no_rubbish(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache.os, "fsync", full)
    assert GeneratedSet("train", 5).images(range(5)).shape[0] == 5
    assert list(home.iterdir()) == []


def test_the_fingerprint_is_of_what_is_in_the_set() -> None:
    assert GeneratedSet("test").fingerprint == GeneratedSet("test", 5000).fingerprint
    # shipped runs carry this one: it may change only with GENERATED_VERSION
    assert GeneratedSet("test").fingerprint.startswith("6336fc3542904102")
    assert GeneratedSet("test").fingerprint != GeneratedSet("test", 4999).fingerprint


@pytest.mark.parametrize("count", [0, -3, 1_000_001])
def test_a_count_out_of_range_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="expected between 1 and 1,000,000"):
        GeneratedSet("train", count)


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(ValueError, match="expected the split 'train' or 'test', got 'val'"):
        GeneratedSet("val")  # type: ignore[arg-type]
