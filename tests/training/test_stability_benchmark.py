"""The map of learning rates: what a training is called, and that none is trained twice."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
import torch

from benchmarks.stability import grid, train, train_all
from benchmarks.stability_record import Configuration, Record, Result
from drnn_core.models.registry import create_model
from drnn_core.recipes import Recipe
from drnn_core.training.loop import Trainer
from tests.training.small import CLASSES, Silent, image_set, trainer, training

CONFIGURATION = Configuration("naive", 2, 0.05, 0, 2, 40)


class Small:
    """A laboratory of tiny images."""

    def __init__(self) -> None:
        self.train_set, self.alone, self.made = image_set(40, 1), Lock(), 0

    def trainer(self, configuration: Configuration, folder: Path) -> Trainer:
        self.made += 1
        of = trainer(folder, configuration.seed, configuration.epochs)
        torch.manual_seed(configuration.seed)
        shape: dict[str, Any] = {"blocks": (1, 2, 2), "widths": (4, 8, 8), "image_size": 8}
        network = create_model("r_resnet16_l2", len(CLASSES), norm=configuration.norm, **shape)
        how = dataclasses.replace(training(), lr=configuration.rate)
        return Trainer(
            network,
            Recipe("small", network.recipe, how),
            of.train_set,
            of.test_set,
            of.preprocessing,
            of.settings,
        )


def lab() -> Any:
    return Small()


def test_a_training(tmp_path: Path) -> None:
    found = train(CONFIGURATION, lab())
    assert found is not None
    assert found.outcome == "trained"
    assert found.updates == 10
    alone = lab().trainer(CONFIGURATION, tmp_path)
    report = Norms(alone)
    result = alone.run(report)
    assert found.losses == tuple(round(point["train_loss"], 5) for point in result.curve)
    assert found.error == result.curve[-1]["test_error"]
    assert found.largest_gradient == pytest.approx(max(report.norms), rel=1e-4)
    assert found.batch_error is not None


class Norms(Silent):
    """Keeps the norm of each update's gradient, which stands until the next."""

    def __init__(self, watched: Trainer) -> None:
        super().__init__()
        self.watched, self.norms = watched, list[float]()

    def on_step(self, progress: object) -> None:
        gradients = [each.grad for each in self.watched.network.parameters()]
        squares = [float(each.square().sum()) for each in gradients if each is not None]
        self.norms.append(sum(squares) ** 0.5)


def test_what_diverges() -> None:
    broken = train(dataclasses.replace(CONFIGURATION, rate=1e30), lab())
    assert broken is not None
    assert broken.outcome == "not finite"
    assert broken.error is broken.batch_error is None
    assert 0 < broken.largest_gradient < 1e3, "of the update before it"
    assert broken.updates < 10
    wild = train(dataclasses.replace(CONFIGURATION, rate=1e3), lab())
    assert wild is not None
    assert wild.outcome == "above chance"
    assert wild.losses[-1] > 1.0986


def test_none_is_trained_twice(tmp_path: Path) -> None:
    path = tmp_path / "found.jsonl"
    rates = [dataclasses.replace(CONFIGURATION, rate=rate) for rate in (0.05, 0.1)]
    train_all(rates, lab(), Record(path), 2, lambda: True)
    assert Record(path).found == {}, "stopped before the first"
    train_all(rates[:1], lab(), Record(path), 1, lambda: False)
    again, record = lab(), Record(path)
    train_all([each for each in rates if each not in record.found], again, record, 2, lambda: False)
    assert again.made == 1
    assert set(Record(path).found) == set(rates)
    assert all(isinstance(found, Result) for found in Record(path).found.values())


def test_a_training_that_is_stopped_leaves_no_result() -> None:
    assert train(CONFIGURATION, lab(), lambda: True) is None


def test_the_grid_has_one_loop_once() -> None:
    wanted = argparse.Namespace(
        loops=[1, 2], rates=[0.1, 0.2], seeds=[0, 1], norms=["naive", "lvbn"], epochs=5, images=40
    )
    found = list(grid(wanted))
    assert len(found) == len(set(found)) == 4 + 8
    assert {each.norm for each in found if each.loops == 1} == {"one loop"}
