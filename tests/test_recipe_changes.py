"""Recipes changed from the command line: every field is read back, and nonsense is a sentence."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path

import pytest

from benchmarks.resume import write_images
from drnn_core.cli import main
from drnn_core.recipes import NETWORKS, TRAININGS, get_recipe
from drnn_core.recipes.changes import changeable, parse_changes, setting_text
from drnn_core.recipes.schema import NetworkRecipe, TrainingRecipe
from drnn_core.store.retraining import training_changes_of
from drnn_core.store.runs import load_network


def test_every_recipes_own_fields_are_read_back() -> None:
    """Whatever a recipe has can be set: written as a setting and read, it is the same."""
    kinds = changeable()
    for network in NETWORKS:
        for training in TRAININGS:
            recipe = get_recipe(f"{network}_{training}")
            own = {**asdict(recipe.network), **asdict(recipe.training)}
            given = {name: own[name] for name in kinds}
            changes = parse_changes(
                [setting_text(name, value) for name, value in given.items() if value != ""]
            )
            assert {**changes.network, **changes.training} == given


def test_fields_of_networks_and_trainings_are_apart() -> None:
    own, other = (
        {field.name for field in fields(kind)} for kind in (NetworkRecipe, TrainingRecipe)
    )
    assert own & other == {"name"}
    assert not {"name", "epochs", "num_classes", "image_size"} & set(changeable())


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("norm", "FIELD=VALUE"),
        ("targe=0.5", "did you mean target"),
        ("epochs=3", "after --epochs"),
        ("target=1", "between 0 and 1"),
        ("target=nan", "to be a number, or none"),
        ("gated=yes", "true or false"),
        ("loops=1,x", "numbers such as 1,2,2"),
        ("loops=1,0,2", "of at least 1"),
        ("target_falls=0.1", "2 numbers"),
        ("target_falls=0.6,0.2", "begin before it ends"),
        ("norm=batch", "one of naive, lvbn, ilvbn, ilvbn_joint"),
        ("batch=0", "of at least 1"),
        ("rate_weight=-1", "of at least 0"),
        ("temperature=0", "above 0"),
        ("noise_until=0", "above 0 and at most 1"),
    ],
)
def test_nonsense_is_a_sentence(setting: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_changes([setting])


def test_a_field_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="target once"):
        parse_changes(["target=0.5", "target=0.6"])


@pytest.mark.parametrize(
    ("recipe", "setting", "message"),
    [
        ("preact_resnet110", "loops=1,3,3", "preact_resnet110 has no field loops to set"),
        ("dr_resnet16_l2", "where=layer3*", "no field where"),
        ("dr_resnet16_l2", "stride_on=3x3", "no field stride_on"),
        ("dr_mobilenetv2", "survival=0.5", "no field survival"),
        ("dr_resnet16_l2", "target=none", "expected a target rate"),
        ("dr_resnet16_l2", "loops=none", "loops of each stage"),
        ("dr:torchvision/resnet18", "target=none", "expected a target rate"),
        ("dr:torchvision/resnet18", "loops=1,2", "one number of loops"),
        ("dr:torchvision/resnet18", "blocks=1,2", "no field blocks"),
    ],
)
def test_what_would_change_nothing_is_refused(recipe: str, setting: str, message: str) -> None:
    network = get_recipe(f"{recipe}_short").network
    with pytest.raises(ValueError, match=message):
        parse_changes([setting]).of(network)


@pytest.mark.parametrize(
    ("recipe", "settings", "needed"),
    [
        ("dr_resnet16_l2_short", ["photometric=0.5"], "augment=scale"),
        ("dr_resnet16_l2_short", ["lr_steps=1,2"], "schedule=steps"),
        ("dr_resnet16_l2_short", ["augment=scale", "pad=2"], "augment=crop"),
        ("dr_resnet53_l3_paper", ["pad=2"], "augment=crop"),
        ("dr_resnet16_l2_paper", ["warmup=0.1"], "schedule=one_cycle"),
        ("resnet20_short", ["decay_everything=true", "weight_decay=0"], "weight_decay above 0"),
    ],
)
def test_what_a_training_does_not_read_is_refused(
    recipe: str, settings: list[str], needed: str
) -> None:
    """It would leave the same weights, and be told as another training."""
    training = get_recipe(recipe).training
    with pytest.raises(ValueError, match=f"changes nothing of this training, .* with {needed}"):
        parse_changes(settings).of_training(training)


@pytest.mark.parametrize(
    ("recipe", "settings"),
    [
        ("dr_resnet16_l2_short", ["photometric=0.5", "augment=scale"]),
        ("dr_resnet16_l2_short", ["lr_steps=1,2", "schedule=steps"]),
        ("dr_resnet16_l2_short", ["photometric=0", "lr_steps=", "pad=2"]),  # two as they are
        ("dr_resnet16_l2_paper", ["schedule=one_cycle", "warmup=0.1"]),
        ("dr_resnet53_l3_paper", ["augment=crop", "pad=2"]),
    ],
)
def test_what_a_training_reads_is_set(recipe: str, settings: list[str]) -> None:
    training = get_recipe(recipe).training
    changed = asdict(parse_changes(settings).of_training(training))
    given = parse_changes(settings).training
    assert len(given) == len(settings)
    assert changed == {**asdict(training), **given}


def test_a_setting_that_changes_nothing_ends_before_any_data_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "resnet20_short", "--data", "nowhere", "--out", str(tmp_path / "run")]
    assert main([*command, "--set", "photometric=0.5"]) == 1
    assert "photometric=0.5 changes nothing of this training" in capsys.readouterr().err
    assert main([*command, "--fuse"]) == 1
    assert "expected --fuse with --device cuda, got cpu" in capsys.readouterr().err
    series = ["series", "resnet20_short", "--data", "nowhere", "--out", str(tmp_path), "--fuse"]
    assert main(series) == 1
    assert "expected --fuse with --device cuda, got cpu" in capsys.readouterr().err


def test_loops_without_gates_are_trained_as_the_message_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every loop once leaves no gate; each refusal on the way names gated=false, which works."""
    write_images(tmp_path / "data", train=16, test=4)
    flags = ["--data", str(tmp_path / "data"), "--epochs", "1", "--out", str(tmp_path / "run")]
    small = ["blocks=1,2,2", "widths=4,4,4", "batch=8", "loops=1,1,1"]
    for more in ([], ["target=none"]):
        assert main(["train", "dr_resnet16_l2_short", *flags, "--set", *small, *more]) == 1
        assert "gated=false" in capsys.readouterr().err
    assert main(["train", "dr_resnet16_l2_short", *flags, "--set", *small, "gated=false"]) == 0
    network, info = load_network(tmp_path / "run")
    assert network.layout == ()
    assert info.metrics.test.target is None


def test_every_form_of_networks_says_what_can_be_set() -> None:
    for network in NETWORKS.values():
        assert parse_changes(["blocks=1"]).of(network) == {"blocks": (1,)}


def test_a_finished_run_of_other_settings_is_not_passed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_images(tmp_path / "data", train=16, test=4)
    flags = ["--data", str(tmp_path / "data"), "--epochs", "1", "--out", str(tmp_path)]
    series = ["series", "resnet20_short", "--seeds", "1", *flags]
    small = ["blocks=1,1,1", "widths=4,4,4", "batch=8"]
    assert main([*series, "--set", *small]) == 0
    assert main([*series, "--set", *small]) == 0
    assert "resnet20_short_s1 is finished already, and left alone" in capsys.readouterr().err
    for settings in ([*small, "lr=0.01"], small[:2], []):
        assert main([*series, "--set", *settings]) == 1
        said = capsys.readouterr().err
        assert "is a finished run with" in said
        assert "lr=0.2" in said or "batch=8" in said


def test_a_run_has_what_was_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_images(tmp_path / "data", train=16, test=4)
    flags = ["--data", str(tmp_path / "data"), "--epochs", "1", "--threads", "1"]
    settings = ["blocks=1,2,2", "widths=4,8,8", "norm=lvbn", "target=0.6", "batch=8", "lr=0.05"]
    out = tmp_path / "run"
    command = ["train", "dr_resnet16_l2_short", *flags, "--out", str(out), "--set", *settings]
    assert main(command) == 0
    network, info = load_network(out)
    assert (network.recipe.norm, network.recipe.widths) == ("lvbn", (4, 8, 8))
    assert info.metrics.test.target == 0.6
    assert training_changes_of(info) == ("batch=8", "lr=0.05")
    assert json.loads((out / "run.json").read_text())["recipe"]["training"]["batch"] == 8
    refused = (["gated=true", "target=none"], "got none; set target"), (
        ["gated=false", "target=0.5"], "a network with gates for the target"
    )  # fmt: skip
    for settings, message in refused:
        capsys.readouterr()
        command = ["train", "dr_resnet16_l2_short", *flags, "--out", str(tmp_path / "x")]
        assert main([*command, "--set", *settings]) == 1
        assert message in capsys.readouterr().err
