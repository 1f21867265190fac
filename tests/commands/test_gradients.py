"""Gradients measured along a training, which sees nothing of it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from drnn_core.analysis.gradient_norms import gradient_norms
from drnn_core.commands.gradient_watch import GradientWatch, loss_of, watched
from drnn_core.commands.reporting import Silent
from drnn_core.store.gradients import GRADIENTS, GradientsError, finite, read_gradients
from drnn_core.training.loop import Trainer
from tests.training.small import image_set, trainer


def trained(folder: Path, stop: int = 99, **changes: Any) -> Trainer:
    """Train until after step ``stop``, 5 an epoch, or go on with it."""
    training = trainer(folder, **changes)
    training.resume()
    training.run(watched(Silent(), training, images=8), lambda: training.position.step >= stop)
    return training


def watch_of(training: Trainer, images: int = 8) -> GradientWatch:
    return watched(Silent(), training, images).watch


def test_the_training_sees_nothing_of_it(tmp_path: Path) -> None:
    alone, beside = trainer(tmp_path / "alone"), trained(tmp_path / "beside")
    alone.run(Silent())
    state = alone.network.state_dict()
    for name, tensor in beside.network.state_dict().items():
        assert torch.equal(tensor, state[name]), name


def test_what_is_kept(tmp_path: Path) -> None:
    training = trained(tmp_path, rate_weight=3.0)
    stored = read_gradients(tmp_path)
    assert [point.epoch for point in stored.points] == [0, 1, 2]
    assert (stored.recipe, stored.seed, stored.images) == ("small", 0, 8)
    assert stored.data_fingerprint == training.train_set.fingerprint
    assert [(place.block, place.loop) for place in stored.places[::2]] == [
        ("2.2", 0),
        ("2.2", 1),
        ("3.2", 0),
        ("3.2", 1),
    ]
    # the calibration of the gates, which follows, changes no convolution
    weights = [float(block.body.conv1.weight.detach().norm())  # type: ignore[union-attr]
               for _, block in training.network.recursive_blocks()]  # fmt: skip
    found = stored.points[-1].columns["weight_norm"]
    assert [found[0], found[4]] == [finite(weight) for weight in weights]
    assert stored.points[0].columns["weight_norm"] != found
    frame = stored.table()
    assert (frame[["grad_norm", "input_grad_norm"]] > 0).all(axis=None)


def test_an_interrupted_training_keeps_the_same(tmp_path: Path) -> None:
    trained(tmp_path / "whole")
    for stop in (3, 7, 99):
        trained(tmp_path / "parts", stop)
    whole, parts = ((tmp_path / name / GRADIENTS).read_bytes() for name in ("whole", "parts"))
    assert whole == parts


def test_points_beyond_the_saved_state_are_measured_anew(tmp_path: Path) -> None:
    trained(tmp_path / "run")
    watch = watch_of(trainer(tmp_path / "other"))
    watch.folder = tmp_path / "run"
    watch.go_on(1)
    assert [point.epoch for point in watch.points] == [0, 1]
    assert watch.after(1) is None
    assert watch.after(3) is None, "not one of the chosen epochs"
    assert watch.after(2) is not None
    (tmp_path / "run" / GRADIENTS).write_text("{}")
    with pytest.raises(GradientsError):
        watch.go_on(1)


@pytest.mark.parametrize("changes", [{"rate_weight": 3.0}, {"rate_loss": "both"}])
def test_the_loss_is_the_training_loops(tmp_path: Path, changes: dict[str, Any]) -> None:
    training = trainer(tmp_path, **changes)
    watch = watch_of(training)
    torch.manual_seed(0)
    training.network.train()
    output = training.network(watch.pixels)
    wanted = training._loss(output, watch.labels, training.network.recipe.target)
    found = loss_of(training.network, training.recipe, watch.labels)(output)
    assert torch.equal(wanted, found)
    assert not torch.equal(found, torch.nn.functional.cross_entropy(output.logits, watch.labels))


def test_the_rate_losss_target_falls_as_in_the_training(tmp_path: Path) -> None:
    training = trainer(tmp_path, target_falls=(0.0, 0.5))
    watch = watch_of(training)
    output = training.network.train()(watch.pixels)
    for done, target in ((0.0, 1.0), (0.25, 0.85), (1.0, 0.7)):
        loss = loss_of(training.network, training.recipe, watch.labels, done)
        assert torch.equal(loss(output), training._loss(output, watch.labels, target))


def test_images_stand_as_they_are(tmp_path: Path) -> None:
    training = trainer(tmp_path)
    watch = watch_of(training, 4)
    images = image_set(40, 1)
    keep = [0, 13, 26, 39]
    assert torch.equal(watch.pixels, training.preprocessing.normalise(images.images(keep)))
    assert watch.labels.tolist() == images.labels[keep].tolist()
    loss = loss_of(training.network, training.recipe, watch.labels)
    assert watch.measure(0) == gradient_norms(training.network, watch.pixels, loss, noise=1.0)
    recipe = training.recipe.training
    assert recipe.noise_until == 0.6
    assert watch.measure(1) == gradient_norms(
        training.network, watch.pixels, loss, noise=1 - 0.5 / 0.6
    )


def test_updates_of_fixed_shapes_are_watched_as_others_are(tmp_path: Path) -> None:
    """Their gates read numbers drawn ahead, which a pass beside the training leaves alone."""
    trained(tmp_path / "plain")
    alone, beside = (trainer(tmp_path / name) for name in ("alone", "beside"))
    fixed = [
        Trainer(
            training.network,
            training.recipe,
            training.train_set,
            training.test_set,
            training.preprocessing,
            dataclasses.replace(training.settings, fixed_shapes=True),
        )
        for training in (alone, beside)
    ]
    fixed[0].run(Silent())
    fixed[1].run(watched(Silent(), fixed[1], images=8))
    state = fixed[0].network.state_dict()
    for name, tensor in fixed[1].network.state_dict().items():
        assert torch.equal(tensor, state[name]), name
    plain, others = (read_gradients(tmp_path / name).table() for name in ("plain", "beside"))
    pd.testing.assert_frame_equal(plain, others, rtol=1e-3)
