"""Where the pictures of records come from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app import cache, images
from app.images import NoPictures, Pictures, pictures_of
from app.inspection.sources import record_picture
from app.settings import DATA_VARIABLE
from drnn_core.data.datasets import load_split
from drnn_core.data.generated import render
from drnn_core.data.transforms import Preprocessing
from tests.app.fake_runs import fake_run


def opened(folder: Path) -> Pictures | NoPictures:
    run = cache.open_run(folder)
    return pictures_of(run, cache.table(run))


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """An ImageFolder tree of ten classes with two test images each."""
    random = np.random.default_rng(0)
    for split in ("train", "val"):
        for label in range(10):
            folder = tmp_path / "photographs" / split / f"class{label}"
            folder.mkdir(parents=True)
            for number in range(2):
                pixels = random.integers(0, 256, (32, 32, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")
    return tmp_path / "photographs"


def test_generated_images_by_seed(shelf: Path) -> None:
    found = opened(shelf / "dr")
    assert isinstance(found, Pictures)
    assert found.drawn
    pixels = found.pixels(np.array([5, 2]))
    assert pixels.shape == (2, 32, 32, 3)
    assert (pixels[0] == render(1_000_005).image).all()
    assert (pixels[1] == render(1_000_002).image).all()


def test_a_folder_of_the_same_images(
    tmp_path: Path, photographs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = load_split(str(photographs), "test", 32)
    fake_run(tmp_path / "run", 20, of=(split.name, split.fingerprint))
    monkeypatch.setenv(DATA_VARIABLE, str(photographs))
    found = opened(tmp_path / "run")
    assert isinstance(found, Pictures)
    assert not found.drawn
    wanted = np.asarray(split.images([3, 19])).transpose(0, 2, 3, 1)
    assert (found.pixels(np.array([3, 19])) == wanted).all()


def test_a_folder_of_other_images_is_refused(
    shelf: Path, photographs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(photographs))
    found = opened(shelf / "elsewhere")
    assert isinstance(found, NoPictures)
    assert "holds other images" in found.reason


def test_a_missing_folder_is_a_sentence(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA_VARIABLE, "/nowhere/at/all")
    found = opened(shelf / "elsewhere")
    assert isinstance(found, NoPictures)
    assert "/nowhere/at/all" in found.reason


def test_a_folder_that_comes_later_is_found(
    tmp_path: Path, photographs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = load_split(str(photographs), "test")
    fake_run(tmp_path / "run", len(split), of=(split.name, split.fingerprint))
    later = tmp_path / "later"
    monkeypatch.setenv(DATA_VARIABLE, str(later))
    assert isinstance(opened(tmp_path / "run"), NoPictures)
    later.symlink_to(photographs)
    assert isinstance(opened(tmp_path / "run"), Pictures)


def test_without_a_folder_the_way_is_told(shelf: Path) -> None:
    found = opened(shelf / "elsewhere")
    assert isinstance(found, NoPictures)
    assert "drnn app --data" in found.reason


def test_rendering_ahead_is_for_small_sets_and_once(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []

    class Process:
        def __init__(self, command: list[str], **_: object) -> None:
            started.append(command[-2:])

        def terminate(self) -> None: ...

        def wait(self) -> None: ...

    monkeypatch.setattr(images.subprocess, "Popen", Process)
    header = cache.table(cache.open_run(shelf / "dr")).header
    for _ in range(3):
        images.render_ahead(header)
    assert started == [["test", "300"]]
    import dataclasses

    images.render_ahead(dataclasses.replace(header, rows=50_000))
    assert len(started) == 1


def test_pictures_are_brought_to_size_as_the_run_does_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gallery shows what the network saw, and Inspect predicts the very same pixels."""
    random = np.random.default_rng(1)
    for split in ("train", "val"):
        for name in ("a", "b"):
            folder = tmp_path / "photographs" / split / name
            folder.mkdir(parents=True)
            pixels = random.integers(0, 256, (50, 70, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "x.png")
    sizing = Preprocessing(28, 32, False, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    images = load_split(str(tmp_path / "photographs"), "test", sizing=sizing)
    fake_run(tmp_path / "run", images=images, preprocessing=sizing)
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "photographs"))
    found = opened(tmp_path / "run")
    assert isinstance(found, Pictures)
    wanted = images.images([1])[0].permute(1, 2, 0).numpy()
    assert (found.pixels(np.array([1]))[0] == wanted).all()
    picture = record_picture(cache.open_run(tmp_path / "run"), 1)
    assert picture.size == (70, 50), "as it came"
    assert (sizing.prepare(picture.open(28)).permute(1, 2, 0).numpy() == wanted).all()
