"""The command that a run's run.json stands for."""

from __future__ import annotations

import dataclasses
import shlex

import pytest
import tyro

from drnn_core.commands.train import Train
from drnn_core.store.retraining import train_command
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


def test_a_changed_network_is_said_behind_the_command() -> None:
    info = info_of("dr_resnet16_l2_short", args={"norm": "ilvbn_joint"}, device=CPU)
    assert train_command(info).endswith(" # the network built with norm = ilvbn_joint")
