"""Sources at ImageNet's size: its names, pictures of 224 pixels, sets that stay on disk."""

from __future__ import annotations

import io
import pickle
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from drnn_core._torchvision import functional, torchvision
from drnn_core.data import parquet
from drnn_core.data.datasets import load_split
from drnn_core.data.generated import FACTORS, GeneratedSet, render
from drnn_core.data.measuring import measure_preprocessing
from drnn_core.data.sets import DataError, LazySet, MemorySet
from drnn_core.data.transforms import Preprocessing
from drnn_core.recipes import NETWORKS
from tests.hostile_pictures import Bomb

SIZING = Preprocessing.of_network(NETWORKS["dr_resnet53_l3"])
NAMES = {
    "n01440764": ("tench", "Tinca tinca"),
    "n02012849": ("crane",),
    "n03126707": ("crane",),
    "n01530575": ("brambling", "Fringilla montifringilla"),
}


def picture(seed: int, width: int = 300, height: int = 240) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()


@pytest.fixture
def imagenet(tmp_path: Path) -> Path:
    """The folder that torchvision.datasets.ImageNet leaves, with four classes of two pictures."""
    torch.save((NAMES, ["n01440764"]), tmp_path / "meta.bin")
    for split in ("train", "val"):
        for place, wnid in enumerate(NAMES):
            folder = tmp_path / split / wnid
            folder.mkdir(parents=True)
            for number in range(2):
                file = folder / f"{wnid}_{number}.JPEG"
                file.write_bytes(jpeg(picture(10 * place + number, 300 + number, 240)))
    return tmp_path


def test_imagenets_classes_have_names_and_torchvisions_labels(imagenet: Path) -> None:
    ours = load_split(str(imagenet), "test", 224, sizing=SIZING)
    theirs: Any = torchvision.datasets.ImageNet(str(imagenet), "val")
    assert ours.name == "ImageNet"
    assert ours.classes == ("tench", "brambling", "crane (n02012849)", "crane (n03126707)")
    assert ours.labels.tolist() == [label for _, label in theirs.samples]
    assert list(ours.ids) == [
        Path(file).relative_to(imagenet / "val").as_posix() for file, _ in theirs.samples
    ]
    for name, synonyms in zip(ours.classes, theirs.classes, strict=True):
        assert name.split(" (")[0] == synonyms[0]


def test_pictures_are_scaled_to_256_and_cropped_to_224(imagenet: Path) -> None:
    """Section 4.2, both sides to 256: the same as torchvision's functions in a row."""
    images = load_split(str(imagenet), "test", 224, sizing=SIZING)
    theirs: Any = torchvision.datasets.ImageNet(str(imagenet), "val")
    change: Any = functional()
    for index in range(len(images)):
        scaled = change.resize(
            theirs[index][0], [256, 256], torchvision.transforms.InterpolationMode.LANCZOS
        )
        expected = np.asarray(change.center_crop(scaled, [224, 224]))
        assert np.array_equal(images.images([index])[0].permute(1, 2, 0).numpy(), expected)


def test_originals_stay_within_reach(imagenet: Path) -> None:
    decoded = load_split(str(imagenet), "train", 224, sizing=SIZING)
    lazy = load_split(str(imagenet), "train", 224, sizing=SIZING, originals=True)
    assert isinstance(decoded, MemorySet)
    assert isinstance(lazy, LazySet)
    assert lazy.picture(3).size == (301, 240)
    assert decoded.picture(3).size == (224, 224)
    assert torch.equal(lazy.images(range(8)), decoded.images(range(8)))
    assert lazy.fingerprint == decoded.fingerprint


def test_meta_of_other_folders_and_damaged_meta_are_sentences(
    imagenet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (imagenet / "val" / "n99999999").mkdir()
    with pytest.raises(DataError, match=r"folders named by the WordNet ids .*'n99999999'"):
        load_split(str(imagenet), "test", 224)
    monkeypatch.setattr(Bomb, "path", str(tmp_path / "executed"))
    for data in (b"", b"no pickle", pickle.dumps((Bomb(), []))):
        (imagenet / "meta.bin").write_bytes(data)
        with pytest.raises(DataError, match=r"meta.bin is damaged .*remove it"):
            load_split(str(imagenet), "test", 224)
    assert not (tmp_path / "executed").exists(), "nothing from a file is ever executed"


def test_a_folder_without_meta_is_named_by_its_folders(imagenet: Path) -> None:
    (imagenet / "meta.bin").unlink()
    assert load_split(str(imagenet), "test", 224).classes == tuple(sorted(NAMES))


def write_rows(file: Path, labels: list[int], rows: int, first: int = 0) -> None:
    images = [
        {"bytes": jpeg(picture(first + index)), "path": f"{first + index}.jpg"}
        for index in range(len(labels))
    ]
    table = pa.table({"image": images, "label": pa.array(labels, pa.int64())})
    pq.write_table(table, file, row_group_size=rows)


def test_large_parquet_is_read_by_row_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_rows(tmp_path / "train-00000-of-00002.parquet", [0, 1, 2, 0, 1], rows=2)
    write_rows(tmp_path / "train-00001-of-00002.parquet", [2, 2, 0], rows=1, first=5)
    small = load_split(str(tmp_path), "train", 224, sizing=SIZING, originals=True)
    monkeypatch.setattr(parquet, "_MEMORY_BYTES", 0)
    large = load_split(str(tmp_path), "train", 224, sizing=SIZING, originals=True)
    again = load_split(str(tmp_path), "train", 224, sizing=SIZING, originals=True)
    order = [7, 0, 4, 5, 2, 1, 6, 3]
    assert torch.equal(large.images(order), small.images(order))
    assert large.labels.tolist() == small.labels.tolist() == [0, 1, 2, 0, 1, 2, 2, 0]
    assert list(large.ids) == [f"{index}.jpg" for index in range(8)]
    assert large.fingerprint == again.fingerprint
    write_rows(tmp_path / "train-00001-of-00002.parquet", [2, 2, 0], rows=1, first=6)
    assert load_split(str(tmp_path), "train", 224).fingerprint != large.fingerprint


def test_a_test_split_with_secret_labels_gives_way_to_the_validations(tmp_path: Path) -> None:
    write_rows(tmp_path / "test-00000-of-00001.parquet", [-1, -1], rows=2)
    with pytest.raises(DataError, match="found no test images"):
        load_split(str(tmp_path), "test", 32)
    write_rows(tmp_path / "validation-00000-of-00001.parquet", [1, 0, 1], rows=2)
    assert load_split(str(tmp_path), "test", 32).labels.tolist() == [1, 0, 1]


def test_generated_images_are_drawn_at_the_networks_size() -> None:
    images = load_split("generated", "test", 224, limit=5, sizing=SIZING)
    small = GeneratedSet("test", 5)
    assert len(images) == 5
    assert images.labels.tolist() == small.labels.tolist()
    assert images.fingerprint != small.fingerprint
    scene = render(1_000_003, 256)
    assert np.array_equal(images.images([3])[0].permute(1, 2, 0), scene.image[16:240, 16:240])
    assert np.array_equal(np.asarray(images.picture(3)), scene.image)
    masks = images.masks([3])
    assert masks is not None
    assert np.array_equal(masks[0], scene.mask[16:240, 16:240])
    assert images.columns["blur"].tolist() == small.columns["blur"].tolist()
    assert set(images.columns) == set(FACTORS)


def test_generated_images_of_an_impossible_size_are_a_sentence() -> None:
    with pytest.raises(DataError, match="16 to 512 pixels, got 600"):
        load_split("generated", "train", 600)


def test_moments_of_large_images_by_hand_with_the_sizing_taken_along() -> None:
    pixels = torch.randint(0, 256, (30, 3, 80, 80), dtype=torch.uint8)
    pixels[:, 1] //= 2
    images = MemorySet("m", ("a",), [""] * 30, np.zeros(30, dtype=np.int64), "", pixels)
    sizing = Preprocessing(80, 90, False, (0, 0, 0), (1, 1, 1))
    found = measure_preprocessing(images, sizing)
    assert (found.image_size, found.resize, found.keep_aspect) == (80, 90, False)
    values = pixels.numpy().astype(np.float64) / 255
    assert found.mean == pytest.approx(values.mean(axis=(0, 2, 3)), abs=6e-5)
    assert found.std == pytest.approx(values.std(axis=(0, 2, 3), ddof=1), abs=6e-5)


def test_recipes_say_how_pictures_are_brought_to_size() -> None:
    assert (SIZING.image_size, SIZING.resize, SIZING.keep_aspect) == (224, 256, False)
    cifar = Preprocessing.of_network(NETWORKS["resnet20"])
    assert (cifar.image_size, cifar.resize, cifar.keep_aspect) == (32, 32, True)


def test_pictures_are_decoded_side_by_side_in_order(imagenet: Path) -> None:
    """Two decoders meet inside: with a lock around them this would never end."""
    lazy = load_split(str(imagenet), "train", 64, originals=True)
    assert isinstance(lazy, LazySet)
    decode = lazy.decode
    both = threading.Barrier(2, timeout=20)
    opened = Image.open

    def meet(*args: Any, **kwargs: Any) -> Image.Image:
        both.wait()
        return opened(*args, **kwargs)

    expected = [decode(index) for index in range(2)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Image, "open", meet)
        found: dict[int, torch.Tensor] = {}
        threads = [
            threading.Thread(target=lambda i=i: found.update({i: decode(i)})) for i in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert all(np.array_equal(found[index], expected[index]) for index in range(2))
