"""What running statistics cost, kept with a run: it comes back, and damage is found."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest

from drnn_core.inference.recording import record_run
from drnn_core.store.population import (
    BIASES,
    POPULATION,
    Evaluated,
    PopulationError,
    StoredPopulation,
    population_problems,
    read_population,
    write_population,
)
from drnn_core.store.sealed import write_sealed
from tests.tiny_runs import tiny_images, tiny_run

STORED = StoredPopulation(
    "ab" * 32, "tiny", "cd" * 32, 20, 5, "naive", Evaluated(7.5, 0.25, 3.0),
    Evaluated(8.0, 0.5, 3.5), ("2.2", "2.2"), ("norm1", "norm1"), (0, 1),
    dict.fromkeys(BIASES, (0.5, None)),
)  # fmt: skip


def test_it_comes_back(tmp_path: Path) -> None:
    write_population(tmp_path, STORED)
    assert read_population(tmp_path) == STORED
    assert population_problems(tmp_path, "ab" * 32) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "a newer version"),
        ({"batches": {"error": None, "loss": 1.0, "loops": 1.0}}, "'error' to be a number"),
        ({"loop": [0]}, "expected columns of 2 values"),
        ({"loop": [0, None]}, "expected columns of 2 values"),
        ({"mean_bias": [0.5]}, "expected columns of 2 values"),
        ({"images": 0}, "a whole number from 1"),
    ],
    ids=str,
)
def test_what_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    write_population(tmp_path, STORED)
    path = tmp_path / POPULATION
    write_sealed(path, {**json.loads(path.read_text()), **changes})
    with pytest.raises(PopulationError, match=message):
        read_population(tmp_path)
    (problem,) = population_problems(tmp_path, "ab" * 32)
    assert message in problem


def test_verify_compares_the_images_with_those_of_the_records(tmp_path: Path) -> None:
    images = tiny_images()
    tiny_run(tmp_path)
    write_population(tmp_path, STORED)
    assert population_problems(tmp_path, "ab" * 32) == [], "no records, nothing contradicts"
    record_run(tmp_path, images)
    (problem,) = population_problems(tmp_path, "ab" * 32)
    assert "is of other images (tiny) than the records (tiny, 60); write it anew" in problem
    write_population(tmp_path, dataclasses.replace(STORED, data_fingerprint=images.fingerprint))
    assert population_problems(tmp_path, "ab" * 32) == []


def test_what_verify_finds(tmp_path: Path) -> None:
    with pytest.raises(PopulationError, match="drnn population"):
        read_population(tmp_path)
    write_population(tmp_path, dataclasses.replace(STORED))
    (problem,) = population_problems(tmp_path, "00" * 32)
    assert "other weights" in problem
    path = tmp_path / POPULATION
    whole = path.read_text()
    path.write_text(whole.replace("7.5", "7.4"))
    assert population_problems(tmp_path, "ab" * 32)
    path.write_text(json.dumps(json.loads(whole)))
    (problem,) = population_problems(tmp_path, "ab" * 32)
    assert "reformatted" in problem


@pytest.mark.parametrize("loss", [math.inf, math.nan])
def test_a_loss_that_is_not_finite_is_kept_as_none(tmp_path: Path, loss: float) -> None:
    stored = dataclasses.replace(STORED, batches=Evaluated(90.0, loss, 1.0))
    write_population(tmp_path, stored)
    assert math.isnan(read_population(tmp_path).batches.loss)
