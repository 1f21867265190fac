"""Two processes with half of every batch each train what one process with all of it trains."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from drnn_core.data.measuring import measure_preprocessing
from drnn_core.models.gate import gate_head
from drnn_core.models.norm import NORM_KINDS
from drnn_core.models.registry import create_model
from drnn_core.models.world import ALONE, World
from drnn_core.recipes import Recipe
from drnn_core.training.loop import Trainer
from drnn_core.training.resume import RESUME_FILE
from drnn_core.training.seeds import derived_seed
from drnn_core.training.settings import Settings
from tests.tiny_runs import CLASSES, tiny_images
from tests.training.processes import in_processes
from tests.training.small import Silent, training

# Stochastic depth leaves whole bodies without gradients; "scale" augments by image.
FORMS: dict[str, dict[str, Any]] = {
    **{kind: {"norm": kind} for kind in NORM_KINDS},
    "both rates": {"rate_loss": "both"},
    "cut by the batch": {"rate_loss": "batch", "seed": 1, "calibrate_gates": True},
    "stochastic depth": {"network": "sd_resnet110", "survival": 0.4, "seed": 1},
    "scale": {"augment": "scale", "photometric": 0.4},
}
_TRAINING = ("rate_loss", "calibrate_gates", "augment", "photometric")
_HOW = training(calibrate_gates=False, noise_until=None)


def trainer(folder: Path, world: World, seed: int = 0, **form: Any) -> Trainer:
    """A narrow network at 16 pixels whose gates start half open; 12 steps in 2 epochs."""
    changes = {key: form.pop(key) for key in _TRAINING if key in form}
    torch.manual_seed(derived_seed(seed, "weights"))
    name = form.pop("network", "dr_resnet16_l2")
    network = create_model(
        name,
        num_classes=len(CLASSES),
        blocks=(1, 2, 2),
        widths=(4, 8, 8),
        image_size=16,
        gate_initial_rate=0.5,
        **form,
    )
    if changes.get("rate_loss") == "batch":
        # logits of fresh gates are flat; standardised, their rounding would be what is compared
        for _, block in network.recursive_blocks():
            if block.gate is not None:
                gate_head(block.gate).weight.detach().mul_(100)
    how = dataclasses.replace(_HOW, batch=12, lr=0.01, **changes)
    train_set, test_set = tiny_images(75), tiny_images(30, seed=1)
    return Trainer(
        network,
        Recipe("small", network.recipe, how),
        train_set,
        test_set,
        measure_preprocessing(train_set),
        Settings(folder, seed=seed, epochs=2, save_seconds=1e9),
        world,
    )


def outcome(trained: Trainer, report: Silent) -> dict[str, Any]:
    # no gates: no rates
    curve = [
        {name: value for name, value in point.items() if name != "seconds" and value is not None}
        for point in trained.position.curve
    ]
    momentum = {
        name: trained.optimizer.state[parameter]["momentum_buffer"]
        for name, parameter in trained.network.named_parameters()
        if parameter in trained.optimizer.state
    }
    return {
        "losses": report.losses,
        "curve": curve,
        "weights": trained.network.state_dict(),
        "momentum": momentum,
    }


def trained(folder: Path, world: World, **form: Any) -> dict[str, Any]:
    run, report = trainer(folder, world, **form), Silent()
    result = run.run(report)
    assert result.finished
    assert result.measures is not None
    return {**outcome(run, report), "measures": dataclasses.asdict(result.measures)}


def interrupted(folder: Path, world: World) -> dict[str, Any]:
    """Stopped after 4 steps, because the last process alone says so, and resumed twice."""
    losses: list[float] = []
    report, run = Silent(), trainer(folder, world)
    for stop in (4, 6, 99):
        run, report = trainer(folder, world), Silent()
        assert run.resume() == bool(losses)
        last = world.rank == world.size - 1
        result = run.run(report, lambda: last and run.position.step >= stop)  # noqa: B023
        assert result.finished == (stop == 99)
        losses += report.losses
    return {**outcome(run, report), "losses": losses}


def refusal(world: World, folder: Path) -> str:
    """What processes with different seeds say."""
    try:
        trainer(folder, world, seed=world.rank).run(Silent())
    except ValueError as error:
        return str(error)
    return ""


def work(world: World, folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: trained(folder / name, world, **form) for name, form in FORMS.items()
    }
    found["interrupted"] = interrupted(folder / "interrupted", world)
    limited = trainer(folder / "limited", world)
    # only the second process has run out of its time
    object.__setattr__(limited.settings, "minutes", 0.0 if world.rank else 99.0)
    found["limited"] = [limited.run(Silent()).finished, limited.position.step]
    found["refusal"] = refusal(world, folder / "refused")
    return found


def three(world: World, folder: Path) -> dict[str, Any]:
    whole = trained(folder / "whole", world)
    return {"whole": whole, "interrupted": interrupted(folder / "interrupted", world)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("processes")


@pytest.fixture(scope="module")
def both(folder: Path) -> list[dict[str, Any]]:
    """What the two processes found; they are started once."""
    return in_processes(2, work, folder)


@pytest.mark.parametrize("name", FORMS)
def test_two_processes_train_what_one_trains(
    name: str, both: list[dict[str, Any]], tmp_path: Path
) -> None:
    alone = trained(tmp_path, ALONE, **FORMS[name])
    for found in (each[name] for each in both):
        assert found["losses"] == pytest.approx(alone["losses"], rel=1e-5, abs=1e-5)
        weights: dict[str, Tensor] = found["weights"]
        assert weights.keys() == alone["weights"].keys()
        for key, value in alone["weights"].items():
            assert_close(
                weights[key], value, rtol=1e-5, atol=1e-5, msg=lambda m, k=key: f"{k}: {m}"
            )
        for mine, other in zip(found["curve"], alone["curve"], strict=True):
            assert mine == pytest.approx(other, rel=1e-5, abs=1e-5)
        assert found["measures"]["loss"] == pytest.approx(alone["measures"]["loss"], rel=1e-5)
        assert found["measures"]["gate_rates"] == pytest.approx(
            alone["measures"]["gate_rates"], nan_ok=True
        )
    if name in NORM_KINDS:
        rates = [point["sampled_rate"] for point in alone["curve"]]
        assert all(0.2 < rate < 0.8 for rate in rates), "the test needs groups of both kinds"


def test_the_processes_agree_to_the_bit(both: list[dict[str, Any]]) -> None:
    """Their weights are never sent round again: any difference would grow."""
    for name in FORMS:
        first, second = (each[name]["weights"] for each in both)
        assert all(torch.equal(first[key], second[key]) for key in first), name
        assert str(both[0][name]["measures"]) == str(both[1][name]["measures"])


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one["losses"] == other["losses"]
    assert one["curve"] == other["curve"]
    for kind in ("weights", "momentum"):
        assert one[kind].keys() == other[kind].keys()
        assert all(torch.equal(one[kind][key], value) for key, value in other[kind].items())


def test_an_interruption_changes_no_bit(both: list[dict[str, Any]], folder: Path) -> None:
    for each in both:
        same(each["interrupted"], each["ilvbn"])
    assert (folder / "interrupted" / RESUME_FILE).exists()


def test_an_interruption_of_three_changes_no_bit_either(tmp_path: Path) -> None:
    """Two summands have one order, three have several: see ``settle``."""
    for each in in_processes(3, three, tmp_path):
        same(each["interrupted"], each["whole"])


def test_the_time_limit_of_one_stops_all(both: list[dict[str, Any]]) -> None:
    assert [each["limited"] for each in both] == [[False, 1]] * 2


def test_another_number_of_processes_goes_on(both: list[dict[str, Any]], folder: Path) -> None:
    """What two saved after their first step, one takes up: equal but for rounding."""
    run, report = trainer(folder / "limited", ALONE), Silent()
    assert run.resume()
    assert run.position.step == 1
    assert run.run(report).finished
    expected = both[0]["ilvbn"]["losses"][1:]
    assert report.losses == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_processes_with_other_settings_are_refused(both: list[dict[str, Any]]) -> None:
    for each in both:
        assert "every process to train the same recipe" in each["refusal"]
