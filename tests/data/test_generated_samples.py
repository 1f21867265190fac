"""The shipped sample pictures are what their manifest says, and it reads nothing worse."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from drnn_core.data.generated import FACTORS, GENERATED_CLASSES, GeneratedSet, render
from drnn_core.data.samples import (
    MANIFEST,
    SAMPLE_SIZE,
    SamplesError,
    build,
    choose,
    difficulty,
    main,
    read_samples,
)

SHIPPED = Path(__file__).parents[2] / "data_samples"


def test_the_shipped_samples_are_sound() -> None:
    samples = read_samples(SHIPPED, check_files=True)
    ids = set(GeneratedSet("test").ids)
    assert len(samples) == len({sample.id for sample in samples}) == 60
    assert {sample.id for sample in samples} <= ids
    per_class = np.bincount([sample.label for sample in samples], minlength=10)
    assert per_class.tolist() == [6] * 10
    for label, name in enumerate(GENERATED_CLASSES):
        own = [sample.difficulty for sample in samples if sample.label == label]
        assert own == sorted(own)
        assert own[0] < 0.1
        assert own[-1] > 0.9
        assert {sample.class_name for sample in samples if sample.label == label} == {name}
    names = {path.name for path in SHIPPED.iterdir()}
    assert names == {MANIFEST} | {sample.file for sample in samples}
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 2_000_000


@pytest.mark.parametrize("place", [0, 17, 41, 59])
def test_a_shipped_sample_is_drawn_by_its_seed(place: int) -> None:
    sample = read_samples(SHIPPED)[place]
    expected = render(sample.seed, SAMPLE_SIZE)
    with Image.open(SHIPPED / sample.file) as picture:
        assert picture.mode == "RGB"
        assert np.array_equal(np.asarray(picture), expected.image)
    assert sample.label == expected.label
    assert sample.factors == pytest.approx(expected.factors, abs=1e-6)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    with pytest.MonkeyPatch.context() as small:
        small.setattr("drnn_core.data.samples.SAMPLE_SIZE", 20)
        build(folder, GeneratedSet("test", 60, folder=tmp_path_factory.mktemp("cache")))
    return folder


def test_what_is_built_can_be_read(built: Path) -> None:
    samples = read_samples(built, check_files=True)
    assert [sample.label for sample in samples] == [k for k in range(10) for _ in range(6)]
    assert samples[0].file == "bird-1.png"


def test_building_again_gives_the_same_bytes(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drnn_core.data.samples.SAMPLE_SIZE", 20)
    build(tmp_path, GeneratedSet("test", 60, folder=tmp_path / "cache"))
    assert len(list(built.iterdir())) == 61
    for path in tmp_path.glob("*.*"):
        assert path.read_bytes() == (built / path.name).read_bytes()


def test_the_command_says_what_it_drew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("drnn_core.data.samples.GeneratedSet", lambda _: GeneratedSet("test", 10))
    monkeypatch.setattr("drnn_core.data.samples.SAMPLE_SIZE", 16)
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith(f"60 sample pictures in {tmp_path}")


def test_difficulty_rises_with_every_factor() -> None:
    count = 50
    still = {name: np.full(count, 0.5, dtype=np.float32) for name in FACTORS}
    ramp = np.linspace(0, 1, count).astype(np.float32)
    for name in FACTORS:
        order = ramp[::-1] if name in {"contrast", "scale"} else ramp
        hardness = difficulty({**still, name: order})
        assert (np.diff(hardness) > 0).all(), name
        assert (hardness[0], hardness[-1]) == (0, 1)


def test_samples_span_each_class_from_easy_to_hard() -> None:
    labels = np.arange(1000) % 10
    hardness = np.random.default_rng(0).random(1000)
    chosen = choose(labels, hardness)
    assert len(set(chosen)) == 60
    assert labels[chosen].tolist() == [k for k in range(10) for _ in range(6)]
    for k in range(10):
        own = hardness[chosen[6 * k : 6 * k + 6]]
        assert (np.diff(own) > 0).all()
        assert own[-1] - own[0] > 0.8


def edited(built: Path, to: Path, change: dict[str, Any]) -> Path:
    shutil.copytree(built, to)
    value = json.loads((to / MANIFEST).read_text())
    value["samples"][0].update(change)
    (to / MANIFEST).write_text(json.dumps(value))
    return to


@pytest.mark.parametrize("file", ["../secret.png", "/etc/passwd", "a/b.png", "..", "", "a\\b.png"])
def test_a_manifest_cannot_name_files_elsewhere(built: Path, tmp_path: Path, file: str) -> None:
    folder = edited(built, tmp_path / "copy", {"file": file})
    with pytest.raises(SamplesError, match="expected a plain file name"):
        read_samples(folder)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"format": 1}',
        b'{"format": 1, "samples": [{}]}',
        b'{"format": 1, "samples": 3}',
    ],
)
def test_a_damaged_manifest_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / MANIFEST).write_bytes(content)
    with pytest.raises(SamplesError, match="make samples"):
        read_samples(tmp_path)


@pytest.mark.parametrize("change", [{"seed": "many"}, {"factors": {"blur": "x"}}, {"label": None}])
def test_a_damaged_entry_is_told(built: Path, tmp_path: Path, change: dict[str, Any]) -> None:
    folder = edited(built, tmp_path / "copy", change)
    with pytest.raises(SamplesError, match="make samples"):
        read_samples(folder)


def test_another_format_is_told(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text('{"format": 2, "samples": []}')
    with pytest.raises(SamplesError, match="expected samples of format 1"):
        read_samples(tmp_path)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(SamplesError, match="make samples"):
        read_samples(tmp_path / "nothing")


def test_a_changed_or_missing_picture_is_told(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(built, folder)
    (folder / "cup-2.png").write_bytes(b"other")
    with pytest.raises(SamplesError, match=r"cup-2\.png is not what its manifest says"):
        read_samples(folder, check_files=True)
    (folder / "cup-2.png").unlink()
    with pytest.raises(SamplesError, match=r"cannot read the sample cup-2\.png"):
        read_samples(folder, check_files=True)
    assert len(read_samples(folder)) == 60
