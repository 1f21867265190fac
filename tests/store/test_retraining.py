"""The command that a run's run.json stands for."""

from __future__ import annotations

import dataclasses
import json
import shlex

import pytest
import tyro

from drnn_core.commands.train import Train
from drnn_core.recipes import get_recipe
from drnn_core.recipes.changes import parse_changes
from drnn_core.store.retraining import train_command, trained_otherwise
from drnn_core.store.runs import RunMetrics
from tests.store.test_repeats import info_of

CPU, GPU = "Some Processor, 2 thread(s)", "NVIDIA H100 80GB HBM3"


@pytest.mark.parametrize(
    ("device", "cuda"),
    [(CPU, False), (GPU, True), (f"{CPU}, then {GPU}", True), ("cpu", False)],
)
def test_the_command_is_one_that_train_takes(device: str, cuda: bool) -> None:
    info = info_of("dr_resnet16_l2_paper", device=device, precision="bfloat16", epochs=60)
    words = shlex.split(train_command(info).replace("--seed S", "--seed 3"))
    assert words[:2] == ["drnn", "train"]
    train = tyro.cli(Train, args=words[2:])
    assert (train.recipe, train.seed, train.epochs) == ("dr_resnet16_l2_paper", 3, 60)
    assert (train.precision, train.device) == ("bfloat16", "cuda" if cuda else "cpu")


def test_what_is_as_the_recipe_says_is_left_out() -> None:
    plain = dataclasses.replace(info_of("resnet20_short"), device=CPU)
    assert train_command(plain) == "drnn train resnet20_short --data DATA --out RUN --seed S"
    unknown = dataclasses.replace(plain, recipe_name="of_somebody", epochs=3)
    assert "--epochs" not in train_command(unknown)


def test_what_no_option_says_is_said_behind_the_command() -> None:
    info = info_of("dr_resnet16_l2_short", args={"image_size": 64}, device=CPU)
    assert train_command(info).endswith(" # the network built with image_size = 64")


@pytest.mark.parametrize(
    ("recipe", "settings"),
    [
        ("dr_resnet16_l2_short", ["norm=ilvbn_joint"]),
        (
            "dr_resnet16_l2_short",
            ["loops=1,3,3", "target=0.6", "rate_weight=4", "noise_until=none"],
        ),
        ("dr_resnet16_l2_long", ["gated=false", "batch=128", "target_falls=0.1,0.5", "lr=0.05"]),
        ("resnet20_paper", ["widths=8,16,32", "nesterov=true", "lr_steps=10,20"]),
        ("dr:torchvision/resnet18_short", ["loops=2", "gate_hidden=none", "where=layer3*"]),
        ("dr:torchvision/resnet18_short", ["loops=none"]),
    ],
)
def test_changed_fields_are_the_commands_own_again(recipe: str, settings: list[str]) -> None:
    changes, found = parse_changes(settings), get_recipe(recipe)
    info = info_of(recipe, args=changes.of(found.network), device=CPU)
    target = changes.network.get("target", found.network.target)
    training = dataclasses.replace(found.training, **changes.training)
    test = dataclasses.replace(info.metrics.test, target=target)
    info = dataclasses.replace(
        info,
        recipe=json.loads(
            json.dumps(dataclasses.asdict(dataclasses.replace(found, training=training)))
        ),
        model_args=json.loads(
            json.dumps({k: v for k, v in info.model_args.items() if k != "target"})
        ),
        metrics=RunMetrics(test),
    )
    words = shlex.split(train_command(info).replace("--seed S", "--seed 3"))
    train = tyro.cli(Train, args=words[2:])
    assert sorted(train.settings) == sorted(settings)
    assert parse_changes(train.settings) == changes


def test_a_run_differs_in_settings_epochs_precision_and_images() -> None:
    info = info_of("resnet20_short", epochs=20)
    same = (20, info.precision, info.data_fingerprint)
    nothing, slower = parse_changes([]), parse_changes(["lr=0.05"])
    assert trained_otherwise(info, nothing, *same) == ()
    assert trained_otherwise(info, slower, *same) == ("lr=0.2",)
    assert trained_otherwise(info, slower, 10, "bfloat16", "cd" * 32) == (
        "lr=0.2",
        "epochs=20",
        "precision=float32",
        f"other training images ({info.dataset}, {info.data_fingerprint[:8]})",
    )
