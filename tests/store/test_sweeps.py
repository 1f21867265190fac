"""Sweeps kept in a run: what is written comes back, and what is damaged or foreign is refused."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from drnn_core.inference.recording import record_run
from drnn_core.store.sealed import write_sealed
from drnn_core.store.sweeps import (
    KeptPoint,
    KeptSweep,
    SweepError,
    kept_sweeps,
    read_sweep,
    sweep_path,
    sweep_problems,
    write_sweep,
)
from tests.tiny_runs import tiny_images, tiny_run

MEAN = (0.5, 0.25, 0.75)
POINTS = tuple(
    KeptPoint(strength, strength / 2, (2 + strength, 2.0, 3.5), MEAN, MEAN, (0.0, 0.0, 0.0))
    for strength in (0.0, 2.5, 5.0)
)
KEPT = KeptSweep("blur", "px of 32", "ab" * 32, "tiny", "cd" * 32, 20, 0, 0.95, POINTS)


def test_a_sweep_comes_back(tmp_path: Path) -> None:
    write_sweep(tmp_path, KEPT)
    assert read_sweep(tmp_path, "blur") == KEPT
    assert kept_sweeps(tmp_path) == ["blur"]
    write_sweep(tmp_path, dataclasses.replace(KEPT, images=30))
    assert read_sweep(tmp_path, "blur").images == 30
    assert sweep_problems(tmp_path, "ab" * 32) == []


def test_it_is_small_and_rounded(tmp_path: Path) -> None:
    point = dataclasses.replace(POINTS[0], loops=(1 / 3, 1 / 7, 2 / 3))
    write_sweep(tmp_path, dataclasses.replace(KEPT, points=(point,) * 11))
    assert read_sweep(tmp_path, "blur").points[4].loops == (0.33333, 0.14286, 0.66667)
    assert sweep_path(tmp_path, "blur").stat().st_size < 6000


def changed(folder: Path, **changes: Any) -> None:
    write_sweep(folder, KEPT)
    path = sweep_path(folder, "blur")
    write_sealed(path, {**json.loads(path.read_text()), **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "a newer version"),
        ({"factor": "noise"}, "expected a sweep of blur, got one of noise"),
        ({"points": []}, "expected 1 to 1000 points, got 0"),
        ({"points": [{"strength": "0"}]}, "'strength' to be a number"),
        ({"images": 0}, "'images' to be a whole number from 1"),
        ({"points": [{**dataclasses.asdict(POINTS[0]), "loops": [1, 2]}]}, "'loops' to be a mean"),
        ({"points": [{**dataclasses.asdict(POINTS[0]), "error": None}]}, "'error' to be a list"),
    ],
    ids=str,
)
def test_what_is_no_sweep(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    changed(tmp_path, **changes)
    with pytest.raises(SweepError, match=message):
        read_sweep(tmp_path, "blur")
    ((name, sentence),) = sweep_problems(tmp_path, "ab" * 32)
    assert name == "sweeps/blur.json"
    assert "expected" in sentence


def test_a_missing_one_says_how_to_write_it(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match=r"drnn sweep .* --factor jpeg --keep"):
        read_sweep(tmp_path, "jpeg")


def test_verify_compares_the_images_with_those_of_the_records(tmp_path: Path) -> None:
    images = tiny_images()
    tiny_run(tmp_path)
    write_sweep(tmp_path, KEPT)
    assert sweep_problems(tmp_path, "ab" * 32) == [], "no records, nothing contradicts"
    record_run(tmp_path, images)
    ((name, sentence),) = sweep_problems(tmp_path, "ab" * 32)
    assert name == "sweeps/blur.json"
    assert "is of other images (tiny) than the records (tiny, 60); write it anew" in sentence
    write_sweep(tmp_path, dataclasses.replace(KEPT, data_fingerprint=images.fingerprint))
    assert sweep_problems(tmp_path, "ab" * 32) == []


def test_what_verify_finds(tmp_path: Path) -> None:
    write_sweep(tmp_path, KEPT)
    ((_, sentence),) = sweep_problems(tmp_path, "00" * 32)
    assert "other weights" in sentence
    path = sweep_path(tmp_path, "blur")
    path.write_text(json.dumps(json.loads(path.read_text())))
    ((_, sentence),) = sweep_problems(tmp_path, "ab" * 32)
    assert "reformatted" in sentence
    path.write_bytes(path.read_bytes()[:50])
    (path.parent / "notes.txt").write_text("x")
    problems = dict(sweep_problems(tmp_path, "ab" * 32))
    assert "damaged" in problems["sweeps/blur.json"]
    assert "no sweep" in problems["sweeps/notes.txt"]
