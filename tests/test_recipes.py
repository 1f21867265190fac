"""Recipes are literal data: what the paper prints, and names that resolve."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from drnn_core.models.registry import create_model
from drnn_core.recipes import NETWORKS, TRAININGS, get_recipe, list_recipes
from drnn_core.recipes.beside import plain_beside, without_loops
from drnn_core.recipes.training import OWN_TRAININGS, PAPER_TRAININGS

# Not printed in any table: table 3's ablation at the size of table 1, other readings of its rows,
# and the blocks of one of them, each run once.
OWN_NETWORKS = {
    "resnet16",
    "r_resnet16_l2",
    "dr_resnet16_l2_lvbn",
    "dr_resnet16_l2_joint",
    "dr_resnet16_l2_always",
    "dr_resnet32_l4_always",
    "dr_resnet40_l2_always",
    "r_resnet32_l4_naive",
    "r_resnet32_l4",
    "dr_resnet32_l4_lvbn",
}


def test_every_pair_of_network_and_training_is_a_recipe() -> None:
    names = list_recipes()
    assert len(names) == len(set(names)) == len(NETWORKS) * len(TRAININGS)
    for name in names:
        recipe = get_recipe(name)
        assert recipe.name == name == f"{recipe.network.name}_{recipe.training.name}"


def test_names_are_the_keys() -> None:
    assert all(key == recipe.name for key, recipe in NETWORKS.items())
    assert len({recipe.title for recipe in NETWORKS.values()}) == len(NETWORKS)


def test_patterns_select() -> None:
    forms = ("l2", "l2_lvbn", "l2_joint", "l2_always")
    names = [f"dr_resnet16_{form}_{how}" for form in forms for how in TRAININGS]
    assert list_recipes("dr_resnet16*") == names
    assert list_recipes("nothing") == []


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("resnet20", "resnet20_short"),
        ("resnet21_paper", "resnet20_paper"),
        ("resnet20_longer", "resnet20_"),
        ("", "dr_resnet74_l2"),
        ("resnet20_paper_", "a training of paper"),
    ],
)
def test_unknown_recipes_are_refused_with_the_near_ones(name: str, hint: str) -> None:
    with pytest.raises(ValueError, match=rf"no recipe is called '{name}'.*expected.*") as refused:
        get_recipe(name)
    assert hint in str(refused.value)


@pytest.mark.parametrize("recipe", NETWORKS.values(), ids=lambda recipe: recipe.name)
def test_networks_are_consistent(recipe: object) -> None:
    network = NETWORKS[recipe.name]  # type: ignore[attr-defined]
    stages = len(network.blocks)
    for each in (network.loops, network.widths, network.strides, network.plain):
        assert len(each) == stages
    assert min(network.blocks) >= 1
    gated = network.gate_every_block or (max(network.loops) > 1 and network.gated)
    assert (network.target is not None) == gated
    assert network.counterpart is None or NETWORKS[network.counterpart].target is None
    if network.name not in OWN_NETWORKS:
        assert network.paper is not None
        assert network.paper.source in {"table 1", "table 2", "table 3"}


@pytest.mark.parametrize(
    ("network", "plain"),
    [
        ("dr_resnet16_l2", ("resnet20", "resnet16")),
        ("dr_resnet16_l2_always", ("resnet20", "resnet16")),
        ("r_resnet16_l2", ("resnet20", "resnet16")),
        ("resnet16", ("resnet20",)),
        ("dr_resnet32_l4", ("resnet56",)),
        ("aig_resnet110", ("resnet110",)),  # its blocks run once, too, but each is asked for
        ("dr_resnet53_l3", ("resnet101",)),
        ("resnet20", ()),
        ("nobody", ()),
        (None, ()),
    ],
)
def test_plain_networks_beside_a_network(network: str | None, plain: tuple[str, ...]) -> None:
    assert plain_beside(network) == plain


def test_blocks_run_once_are_the_same_convolutions() -> None:
    once = without_loops("dr_resnet16_l2")
    assert once is not None
    looped, plain = create_model("r_resnet16_l2"), create_model(once.name)

    def kernels(network: torch.nn.Module) -> list[torch.Size]:
        parts = network.modules()
        return [part.weight.shape for part in parts if isinstance(part, torch.nn.Conv2d)]

    assert kernels(looped) == kernels(plain)


def test_recipes_cannot_be_changed_by_accident() -> None:
    recipe = get_recipe("resnet20_paper")
    for part in (recipe, recipe.network, recipe.training):
        with pytest.raises(dataclasses.FrozenInstanceError):
            part.name = "mine"  # type: ignore[misc]


def test_schedules_fit_their_epochs() -> None:
    for training in (*PAPER_TRAININGS.values(), *OWN_TRAININGS.values()):
        assert all(0 < at < training.epochs for at in training.lr_steps)
        assert (training.schedule == "steps") == bool(training.lr_steps)
        assert 0 <= training.warmup < 1
        assert training.rate_weight > 0
