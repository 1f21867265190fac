"""Runs that repeat a training are found by what they say, not by how they are called."""

from __future__ import annotations

import dataclasses
from typing import Any

from drnn_core.recipes import get_recipe
from drnn_core.store.repeats import (
    changes_of,
    differing,
    repeats_of,
    same_schooling,
    schooling_but_for_gates,
    seed_in_name,
    training_of_run,
)
from drnn_core.store.runs import RunInfo, RunMetrics
from drnn_core.training.outcome import network_arguments
from tests.tiny_runs import tiny_info


def info_of(recipe: str, seed: int = 1, **changes: Any) -> RunInfo:
    """As training writes it: everything that shapes the network, and the whole recipe."""
    found = get_recipe(recipe)
    arguments = {**network_arguments(found.network), **changes.pop("args", {})}
    test = dataclasses.replace(tiny_info().metrics.test, target=found.network.target)
    info = tiny_info(
        model=found.network.name,
        model_args=arguments,
        recipe_name=recipe,
        recipe=dataclasses.asdict(found),
        seed=seed,
        epochs=found.training.epochs,
        metrics=RunMetrics(test),
    )
    return dataclasses.replace(info, **changes)


def test_seeds_devices_and_precisions_repeat_a_training_and_nothing_else_does() -> None:
    first = info_of("dr_resnet16_l2_short")
    alike = {
        "a_s1": first,
        "a_s2": dataclasses.replace(first, seed=2, device="NVIDIA H100", precision="bfloat16"),
    }
    apart = {
        "paper": info_of("dr_resnet16_l2_paper"),
        "longer": dataclasses.replace(first, epochs=21),
        "elsewhere": dataclasses.replace(first, data_fingerprint="cd" * 32),
        "joint": info_of("dr_resnet16_l2_short", args={"norm": "ilvbn_joint"}),
        "always": info_of("dr_resnet16_l2_short", args={"first_loop": "always"}),
        "plain": info_of("resnet20_short"),
    }
    found = repeats_of({**alike, **apart})
    assert [dict(each.names) for each in found if len(each.names) > 1] == [{1: "a_s1", 2: "a_s2"}]
    assert len(found) == 1 + len(apart)


def test_beside_a_plain_network_only_what_it_feels_of_a_recipe_counts() -> None:
    plain, free, own = (
        training_of_run(info_of(recipe))
        for recipe in ("resnet20_short", "dr_resnet16_l2_short-netrate", "dr_resnet16_l2_short")
    )
    assert same_schooling(plain, free)
    assert same_schooling(free, plain)
    assert not same_schooling(free, own)
    assert schooling_but_for_gates(free) == schooling_but_for_gates(own)
    longer = training_of_run(info_of("dr_resnet16_l2_long"))
    elsewhere = dataclasses.replace(own, fingerprint="cd" * 32)
    assert not any(same_schooling(plain, other) for other in (longer, elsewhere))
    assert not same_schooling(plain, dataclasses.replace(own, epochs=21))


def test_settings_that_came_later_had_their_default_before() -> None:
    """Runs written before a setting existed repeat those after, and run.json's lists are tuples."""
    now = info_of("dr_resnet16_l2_short")
    network = {k: v for k, v in now.model_args.items() if k in ("blocks", "loops", "norm")}
    settings = dict(now.recipe["training"])
    del settings["augment"], settings["photometric"]
    before = dataclasses.replace(
        now,
        model_args={k: list(v) if isinstance(v, tuple) else v for k, v in network.items()},
        recipe={**now.recipe, "training": settings},
    )
    assert training_of_run(before) == training_of_run(now)


def test_a_seed_counts_once_by_the_run_that_is_named_for_it() -> None:
    info = info_of("resnet20_short")
    (found,) = repeats_of(
        {"cifar10_resnet20": info, "cifar10_resnet20_short_s1": info, "a_s2": info}
    )
    assert dict(found.names) == {1: "cifar10_resnet20_short_s1"}
    assert found.others == ("a_s2", "cifar10_resnet20")


def test_what_two_trainings_differ_in_is_said_by_field() -> None:
    own = training_of_run(info_of("dr_resnet16_l2_short"))
    joint = training_of_run(info_of("dr_resnet16_l2_short", args={"norm": "ilvbn_joint"}))
    lvbn = training_of_run(info_of("dr_resnet16_l2_lvbn_short"))
    assert differing(own, own) == set()
    assert differing(own, joint) == differing(own, lvbn) == {"norm"}
    assert differing(own, training_of_run(info_of("dr_resnet16_l2_paper"))) == {
        "settings",
        "epochs",
    }
    assert "gated" in differing(own, training_of_run(info_of("r_resnet16_l2_short")))
    assert (own.data, own.recipe, own.target) == ("tiny", "short", 0.7)


def test_changes_are_against_the_registered_network() -> None:
    assert changes_of(info_of("dr_resnet16_l2_short")) == ()
    changed = info_of("dr_resnet16_l2_short", args={"norm": "ilvbn_joint", "loops": [1, 3, 2]})
    assert changes_of(changed) == ("loops = 1-3-2", "norm = ilvbn_joint")
    assert changes_of(dataclasses.replace(changed, model="somebodys")) == ()
    assert changes_of(info_of("dr:torchvision/resnet50_short")) == ()
    looped = info_of("dr:torchvision/resnet50_short", args={"loops": 2})
    assert changes_of(looped) == ("loops = 2",)


def test_a_name_tells_its_seed_or_not() -> None:
    assert seed_in_name("cifar10_dr_resnet16_l2_paper_s12")
    assert not seed_in_name("cifar10_dr_resnet16_l2")
