"""Gates that let the same share of every batch in, and biases that follow."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import Tensor

from drnn_core.analysis.gradient_norms import gradient_norms
from drnn_core.commands.gradient_watch import GradientWatch, loss_of
from drnn_core.evaluation import measure
from drnn_core.models.gate import gate_bias, gate_head
from drnn_core.training.batch_cut import batch_share, set_shares
from drnn_core.training.calibration import calibrate_gates
from drnn_core.training.losses import rate_loss
from tests.tiny_runs import PREPROCESSING, tiny_images, tiny_network
from tests.training.small import Silent, trainer, training


@pytest.mark.parametrize("first_loop", ["gated", "always"])
def test_every_batch_holds_the_share_at_the_first_question(first_loop: str) -> None:
    network = tiny_network(first_loop=first_loop).train()
    gates = [block.gate for _, block in network.recursive_blocks() if block.gate is not None]
    set_shares(gates, 0.7)
    size = network.recipe.image_size
    for _ in range(3):
        trace = network(torch.randn(50, 3, size, size)).trace
        at = 0
        for block in network.layout:
            first = at + (first_loop == "always")
            assert int(trace.asked[:, first].sum()) == 50
            assert int(trace.ran[:, first].sum()) == 35
            at += block.loops


def test_the_loss_leaves_the_first_question_alone() -> None:
    network = tiny_network().train()
    gates = [block.gate for _, block in network.recursive_blocks() if block.gate is not None]
    set_shares(gates, 0.7)
    size = network.recipe.image_size
    trace = network(torch.randn(50, 3, size, size)).trace
    (slope,) = torch.autograd.grad(rate_loss(trace, 0.7, "batch"), trace.prob)
    firsts = [0, network.layout[0].loops]
    assert float(slope[:, firsts].abs().max()) < 1e-6
    assert torch.equal(rate_loss(trace, 0.7, "batch"), rate_loss(trace, 0.7, "sampled"))


def test_the_recipe_says_who_cuts() -> None:
    assert batch_share(training(rate_loss="batch"), 0.7) == 0.7
    assert batch_share(training(rate_loss="sampled"), 0.7) is None
    assert batch_share(training(rate_loss="batch"), None) is None


def test_a_training_cuts_at_its_target(tmp_path: Path) -> None:
    shares: list[float | Tensor | None] = []
    run = trainer(tmp_path, rate_loss="batch", target_falls=(0.2, 0.6), calibrate_gates=True)

    def stop() -> bool:
        shares.extend({gate.share for gate in run.steering.gates})
        return False

    assert run.run(Silent(), stop).finished
    assert shares == pytest.approx([1, 1, 1, 0.925, 0.85, 0.775, 0.7, 0.7, 0.7, 0.7])


@pytest.mark.parametrize("calibrated", [True, False])
def test_every_evaluation_has_its_thresholds(tmp_path: Path, calibrated: bool) -> None:
    """Of the training images, as they are, gates let their share in after every epoch."""
    run = trainer(tmp_path, rate_loss="batch", calibrate_gates=calibrated)
    seen: list[float] = []

    class Asking(Silent):
        def on_epoch(self, point: dict[str, object], measures: object) -> None:
            found = measure(run.network, run.train_set, run.preprocessing)
            seen.append(found.rate)

    run.run(Asking())
    assert seen == pytest.approx([0.7, 0.7], abs=0.02)


def test_where_training_begins_no_threshold_matters(tmp_path: Path) -> None:
    """Whatever the biases are, the batches are cut alike and the weights learn the same."""
    runs = [trainer(tmp_path / str(bias), rate_loss="batch") for bias in (0, 7)]
    for gate in runs[1].steering.gates:
        gate_bias(gate).fill_(7.0)
    one, other = (dict(run.network.named_parameters()) for run in runs)
    for run in runs:
        run.run(Silent(), lambda run=run: run.position.step >= 4)
    for name, value in one.items():
        if not name.endswith("gate.fc.2.bias"):
            torch.testing.assert_close(other[name], value, rtol=1e-3, atol=1e-4)


def test_it_goes_on_where_it_stood_to_the_bit(tmp_path: Path) -> None:
    whole = trainer(tmp_path / "whole", rate_loss="batch", calibrate_gates=True)
    whole.run(Silent())
    for stop in (3, 5, 7, 99):
        part = trainer(tmp_path / "part", rate_loss="batch", calibrate_gates=True)
        assert part.resume() == (stop != 3)
        part.run(Silent(), lambda part=part, stop=stop: part.position.step >= stop)
    values = part.network.state_dict()
    assert all(torch.equal(values[name], v) for name, v in whole.network.state_dict().items())


def test_the_last_calibration_changes_chances_and_no_decision(tmp_path: Path) -> None:
    """Chances become those of training: logits in units of their deviation."""
    network, images = tiny_network().eval(), tiny_images(200)
    scaled = copy.deepcopy(network)
    for _, block in scaled.recursive_blocks():
        assert block.gate is not None
        for value in (gate_head(block.gate).weight, gate_head(block.gate).bias):
            value.detach().mul_(40)
    for each in (network, scaled):
        calibrate_gates(each, images, PREPROCESSING, 0.7, unit=True)
    pixels = PREPROCESSING.normalise(images.images(range(200)))
    with torch.no_grad():
        trace, same = network(pixels).trace, scaled(pixels).trace
    assert torch.equal(trace.ran, same.ran)
    logits = torch.logit(same.prob[:, 0])
    assert float(logits.std()) == pytest.approx(1, rel=0.02)


def test_the_gradients_are_watched_as_they_are_trained(tmp_path: Path) -> None:
    found = []
    for kind in ("sampled", "batch"):
        run = trainer(tmp_path / kind, rate_loss=kind)
        watch = GradientWatch(
            tmp_path, run.network, run.recipe, run.train_set, run.preprocessing, 0, 2, 20
        )
        found.append(watch.measure(1))
        share = 0.7 if kind == "batch" else None
        loss = loss_of(run.network, run.recipe, watch.labels)
        noise = 1 - 0.5 / 0.6
        assert found[-1] == gradient_norms(run.network, watch.pixels, loss, 0, noise, share)
    assert found[0] != found[1]
