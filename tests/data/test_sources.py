"""Every source that --data takes, made here on disk: the same images come out of each."""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from drnn_core.data import folders
from drnn_core.data.classes import check_same_classes
from drnn_core.data.datasets import load_split
from drnn_core.data.generated import GeneratedSet
from drnn_core.data.sets import DataError, LazySet, MemorySet, Pixels, Subset

CLASSES = ["cat", "dog"]
NO_ROWS = pa.table(
    {
        "image": pa.array([], pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        "label": pa.array([], pa.int64()),
    }
)


def pictures(count: int, size: int = 32) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def write_parquet(folder: Path, pixels: np.ndarray, labels: list[int], **options: object) -> None:
    names = options.get("names", CLASSES)
    features = {"label": {"_type": "ClassLabel", "names": names}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})} if names else None
    images = [{"bytes": png(p), "path": f"{i}.png"} for i, p in enumerate(pixels)]
    table = pa.table({"image": images, "label": pa.array(labels, pa.int64())})
    folder.mkdir(exist_ok=True)
    file = folder / str(options.get("file", "test.parquet"))
    pq.write_table(table.replace_schema_metadata(metadata), file)


def write_folder(folder: Path, pixels: np.ndarray, labels: list[int]) -> None:
    for index, (image, label) in enumerate(zip(pixels, labels, strict=True)):
        place = folder / "val" / CLASSES[label]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{index}.png").write_bytes(png(image))


def test_parquet_gives_the_pixels_labels_and_names(tmp_path: Path) -> None:
    pixels = pictures(5)
    write_parquet(tmp_path, pixels, [0, 1, 1, 0, 1])
    found = load_split(str(tmp_path), "test")
    assert isinstance(found, MemorySet), "a small set is decoded once"
    assert found.classes == ("cat", "dog")
    assert found.labels.tolist() == [0, 1, 1, 0, 1]
    assert list(found.ids) == [f"{i}.png" for i in range(5)]
    assert np.array_equal(found.images([4, 0]).permute(0, 2, 3, 1).numpy(), pixels[[4, 0]])


def test_parquet_in_several_files_reads_in_their_order(tmp_path: Path) -> None:
    pixels = pictures(4)
    write_parquet(tmp_path, pixels[:2], [0, 1], file="train-00000-of-00002.parquet")
    write_parquet(tmp_path, pixels[2:], [1, 1], file="train-00001-of-00002.parquet")
    found = load_split(str(tmp_path), "train")
    assert found.labels.tolist() == [0, 1, 1, 1]
    assert len(set(found.ids)) == 4, "repeated paths are replaced by positions"


def test_parquet_tells_classes_of_one_name_apart(tmp_path: Path) -> None:
    write_parquet(tmp_path, pictures(3), [0, 2, 1], names=["crane", "dog", "crane"])
    images = load_split(str(tmp_path), "test")
    assert images.classes == ("crane (label 0)", "dog", "crane (label 2)")
    check_same_classes(images, images)


def test_parquet_without_names_numbers_its_classes(tmp_path: Path) -> None:
    write_parquet(tmp_path, pictures(3), [0, 2, 1], names=None)
    assert load_split(str(tmp_path), "test").classes == ("0", "1", "2")


def test_fingerprints_follow_the_content(tmp_path: Path) -> None:
    pixels = pictures(3)
    write_parquet(tmp_path / "a", pixels, [0, 1, 1])
    write_parquet(tmp_path / "b", pixels, [0, 1, 1])
    write_parquet(tmp_path / "c", pixels, [0, 1, 0])
    changed = pixels.copy()
    changed[2, 3, 4, 1] ^= 1
    write_parquet(tmp_path / "d", changed, [0, 1, 1])
    prints = [load_split(str(tmp_path / name), "test").fingerprint for name in "abcd"]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3


def test_image_folder(tmp_path: Path) -> None:
    pixels = pictures(4, size=40)
    write_folder(tmp_path, pixels, [1, 0, 1, 0])
    found = load_split(str(tmp_path), "test", image_size=40)
    assert found.classes == ("cat", "dog")
    assert found.labels.tolist() == [0, 0, 1, 1]
    assert list(found.ids) == ["cat/1.png", "cat/3.png", "dog/0.png", "dog/2.png"]
    order = [1, 3, 0, 2]
    assert np.array_equal(found.images(range(4)).permute(0, 2, 3, 1).numpy(), pixels[order])


def test_of_a_test_and_a_validation_split_the_test_is_taken(tmp_path: Path) -> None:
    write_folder(tmp_path, pictures(5), [0, 1, 1, 0, 1])
    write_parquet(tmp_path / "parquet", pictures(5), [0, 1, 1, 0, 1], file="val.parquet")
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "secret.png").write_bytes(png(pictures(1)[0]))
    assert len(load_split(str(tmp_path), "test")) == 5, "a test without classes has no labels"
    (tmp_path / "val").rename(tmp_path / "kept")
    write_folder(tmp_path, pictures(3), [0, 1, 1])
    (tmp_path / "test" / "secret.png").unlink()
    (tmp_path / "test").rmdir()
    (tmp_path / "val").rename(tmp_path / "test")
    (tmp_path / "kept").rename(tmp_path / "val")
    write_parquet(tmp_path / "parquet", pictures(3), [0, 1, 1])
    for folder in (tmp_path, tmp_path / "parquet"):
        assert len(load_split(str(folder), "test")) == 3


def test_hidden_folders_are_no_classes(tmp_path: Path) -> None:
    write_folder(tmp_path, pictures(2), [0, 1])
    (tmp_path / "val" / ".ipynb_checkpoints").mkdir()
    assert load_split(str(tmp_path), "test").classes == ("cat", "dog")


def test_splits_of_other_classes_are_told_apart() -> None:
    def of(*classes: str) -> MemorySet:
        labels = np.zeros(1, dtype=np.int64)
        return MemorySet("m", classes, ["a"], labels, "", torch.zeros(1, 3, 8, 8).byte())

    check_same_classes(of("cat", "dog"), of("cat", "dog"))
    with pytest.raises(
        DataError,
        match="training set's 2 classes, got 3; the first that differs is label 1: expected 'dog', "
        "got 'cow'; give both splits",
    ):
        check_same_classes(of("cat", "dog"), of("cat", "cow", "dog"))
    with pytest.raises(DataError, match=r"got 1; .* label 1: expected 'dog', got none"):
        check_same_classes(of("cat", "dog"), of("cat"))


def test_classes_of_one_name_are_refused() -> None:
    """A run names each class once: it could be trained, and never written."""
    labels = np.zeros(1, dtype=np.int64)
    names = ("crane", "dog", "crane", "cat", "dog", "crane")
    images = MemorySet("m", names, ["a"], labels, "", torch.zeros(1, 3, 8, 8).byte())
    with pytest.raises(
        DataError, match="each of the 6 classes to have a name of its own, got 'crane', 'dog' more"
    ):
        check_same_classes(images, images)


@pytest.mark.parametrize(
    ("others", "message"),
    [
        (["dog", "cat"], "label 0: expected 'cat', got 'dog'"),
        (["cat", "dog", "cow"], "label 2: expected none, got 'cow'"),
        (None, "got 0; the first that differs is label 0: expected 'cat', got none"),
    ],
)
def test_files_that_name_other_classes_are_refused(
    tmp_path: Path, others: list[str] | None, message: str
) -> None:
    write_parquet(tmp_path, pictures(2), [0, 1], file="train-0.parquet")
    write_parquet(tmp_path, pictures(2), [0, 1], names=others, file="train-1.parquet")
    with pytest.raises(DataError, match=message) as caught:
        load_split(str(tmp_path), "train")
    assert "train-0.parquet" in str(caught.value)
    assert "train-1.parquet" in str(caught.value)


def test_image_folder_brings_pictures_to_size(tmp_path: Path) -> None:
    write_folder(tmp_path, pictures(2, size=50), [0, 1])
    assert load_split(str(tmp_path), "test").images([0, 1]).shape == (2, 3, 32, 32)


def test_cifar10_of_torchvision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A miniature of the published folder; only its checksums are replaced."""
    from drnn_core._torchvision import torchvision

    pixels = pictures(6)
    root = tmp_path / "cifar-10-batches-py"
    root.mkdir()
    batch = {"data": pixels.transpose(0, 3, 1, 2).reshape(6, -1), "labels": [0, 1, 1, 0, 1, 0]}
    (root / "test_batch").write_bytes(pickle.dumps(batch))
    (root / "batches.meta").write_bytes(pickle.dumps({"label_names": CLASSES}))
    source = torchvision.datasets.CIFAR10
    with pytest.raises(DataError, match="cannot read CIFAR-10"):
        folders.load_cifar10(tmp_path, "test")  # its files are not the published ones
    monkeypatch.setattr(source, "_check_integrity", lambda self: True)
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda *_: True)
    found = load_split(str(tmp_path), "test")
    assert found.classes == ("cat", "dog")
    assert found.labels.tolist() == [0, 1, 1, 0, 1, 0]
    assert np.array_equal(found.images(range(6)).permute(0, 2, 3, 1).numpy(), pixels)
    larger = load_split(str(tmp_path), "test", image_size=64, originals=True)
    assert larger.images([2, 3]).shape == (2, 3, 64, 64)
    assert np.array_equal(np.asarray(larger.picture(2)), pixels[2])
    assert larger.fingerprint != found.fingerprint


def test_a_limit_keeps_the_first_images_and_says_so(tmp_path: Path) -> None:
    write_parquet(tmp_path, pictures(5), [0, 1, 1, 0, 1])
    whole, part = load_split(str(tmp_path), "test"), load_split(str(tmp_path), "test", limit=2)
    assert isinstance(part, Subset)
    assert part.labels.tolist() == [0, 1]
    assert torch.equal(part.images([1]), whole.images([1]))
    assert part.fingerprint != whole.fingerprint


def test_a_part_of_a_generated_set_renders_no_other_images(tmp_path: Path) -> None:
    whole = GeneratedSet("test", 100, folder=tmp_path)
    part = Subset(whole, np.array([3, 70]))
    assert part.images([1]).shape == (1, 3, 32, 32)
    assert np.flatnonzero(whole._ready).tolist() == [70]
    assert part.columns["blur"].tolist() == whole.columns["blur"][[3, 70]].tolist()


@pytest.mark.parametrize(
    ("labels", "names", "message"),
    [
        ([0, None, 1], CLASSES, "got an empty one in row 1"),
        ([0, 1, -1], CLASSES, r"labels from 0 to 1 \(2 classes are named\) in .*got -1 in row 2"),
        ([0, 1, 7, 9], CLASSES, r"labels from 0 to 1 \(2 classes are named\) in .*got 7 in row 2"),
        ([None, 1], None, "got an empty one in row 0"),
        ([4, -2], None, r"labels from 0 to 32767 \(no classes are named\) in .*got -2 in row 1"),
        ([4, 2**40], None, r"labels from 0 to 32767 .*got 1099511627776 in row 1"),
        ([32_768], None, "got 32768 in row 0"),
    ],
)
def test_a_label_that_names_no_class_is_a_sentence(
    tmp_path: Path, labels: list[int], names: list[str] | None, message: str
) -> None:
    write_parquet(tmp_path, pictures(2), [0, 1], names=names, file="test-0.parquet")
    write_parquet(tmp_path, pictures(len(labels)), labels, names=names, file="test-1.parquet")
    with pytest.raises(DataError, match=message) as caught:
        load_split(str(tmp_path), "test")
    assert "test-1.parquet" in str(caught.value)


def test_labels_that_are_no_numbers_are_a_sentence(tmp_path: Path) -> None:
    table = pa.table({"image": [{"bytes": png(pictures(1)[0]), "path": "0.png"}], "label": ["cat"]})
    pq.write_table(table, tmp_path / "test.parquet")
    with pytest.raises(DataError, match=r"whole numbers in the column label of .*, got string"):
        load_split(str(tmp_path), "test")


@pytest.mark.parametrize(
    ("content", "path", "message"),
    [
        (pa.string(), pa.string(), "image{bytes: string, path: string}"),
        (pa.binary(), pa.int64(), "image{bytes: binary, path: int64}"),
        (pa.list_(pa.uint8()), pa.string(), "image{bytes: list<"),
    ],
)
def test_an_image_of_other_types_is_a_sentence(
    tmp_path: Path, content: pa.DataType, path: pa.DataType, message: str
) -> None:
    image = pa.array([None], pa.struct([("bytes", content), ("path", path)]))
    pq.write_table(pa.table({"image": image, "label": [0]}), tmp_path / "test.parquet")
    with pytest.raises(DataError, match="expected columns image") as caught:
        load_split(str(tmp_path), "test")
    assert f"got {message}" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "path"),
    [
        (pa.large_binary(), pa.large_string()),
        (pa.binary_view(), pa.string_view()),
        (pa.binary(), pa.null()),
        (pa.binary(), pa.dictionary(pa.int32(), pa.string())),
    ],
)
def test_types_that_hold_the_same_are_read(
    tmp_path: Path, content: pa.DataType, path: pa.DataType
) -> None:
    names = pa.array([None] if path == pa.null() else ["a.png"]).cast(path)
    pixels = pictures(1)
    blobs = pa.array([png(pixels[0])], content)
    image = pa.StructArray.from_arrays([blobs, names], ["bytes", "path"])
    pq.write_table(pa.table({"image": image, "label": [0]}), tmp_path / "test.parquet")
    found = load_split(str(tmp_path), "test")
    assert np.array_equal(found.images([0]).permute(0, 2, 3, 1).numpy(), pixels)
    assert list(found.ids) == ["test/000000" if path == pa.null() else "a.png"]


def test_a_lazy_set_decodes_when_asked_and_whole_on_request(tmp_path: Path) -> None:
    asked: list[int] = []

    def decode(index: int) -> Pixels:
        asked.append(index)
        return np.full((3, 2, 2), index, dtype=np.uint8)

    lazy = LazySet("l", ("a",), ["0", "1", "2"], np.zeros(3, dtype=np.int64), "f", decode)
    assert lazy.images(np.array([2, 0]))[:, 0, 0, 0].tolist() == [2, 0]
    assert asked == [2, 0]
    assert torch.equal(lazy.in_memory().images([1]), lazy.images([1]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: None, "found no test images in .*: expected torchvision's"),
        (
            lambda folder: pq.write_table(NO_ROWS, folder / "test.parquet"),
            "expected images in .*test.parquet, found no row",
        ),
        (lambda folder: (folder / "val").mkdir(), r"expected pictures \(.jpeg, .jpg"),
        (
            lambda folder: (folder / "test.parquet").write_bytes(b"PAR1 no table PAR1"),
            "expected image Parquet with columns",
        ),
        (
            lambda folder: pq.write_table(pa.table({"x": [1]}), folder / "test.parquet"),
            "expected image Parquet with columns|expected columns image",
        ),
    ],
)
def test_what_is_no_source_is_a_sentence(tmp_path: Path, make: object, message: str) -> None:
    make(tmp_path)  # type: ignore[operator]
    with pytest.raises(DataError, match=message):
        load_split(str(tmp_path), "test")


def test_a_missing_folder_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected 'generated' or a folder of images, got .*nope"):
        load_split(str(tmp_path / "nope"), "test")


def test_a_damaged_picture_names_itself(tmp_path: Path) -> None:
    write_folder(tmp_path, pictures(2), [0, 1])
    (tmp_path / "val" / "dog" / "1.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"val/dog/1\.png"):
        load_split(str(tmp_path), "test")
