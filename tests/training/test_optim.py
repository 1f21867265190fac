import dataclasses
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.models.registry import create_model
from drnn_core.recipes.training import OWN_TRAININGS, PAPER_TRAININGS
from drnn_core.training.optim import build_optimizer, gate_noise, learning_rate, rate_target


def test_the_papers_steps() -> None:
    paper = PAPER_TRAININGS["cifar10"]
    for epoch, rate in ((0, 0.1), (149, 0.1), (150, 0.01), (249, 0.01), (250, 0.001), (349, 0.001)):
        assert learning_rate(paper, epoch * 195, 195, 350) == pytest.approx(rate)


def test_a_shortened_training_keeps_the_schedules_shape() -> None:
    paper = PAPER_TRAININGS["cifar10"]
    assert learning_rate(paper, 14 * 10, 10, 35) == pytest.approx(0.1)
    assert learning_rate(paper, 15 * 10, 10, 35) == pytest.approx(0.01)


@given(st.integers(1, 50), st.integers(1, 30))
def test_one_cycle_rises_to_its_peak_once_and_ends_near_zero(steps: int, epochs: int) -> None:
    short = OWN_TRAININGS["short"]
    rates = [learning_rate(short, step, steps, epochs) for step in range(steps * epochs)]
    peak = rates.index(max(rates))
    assert all(a < b for a, b in pairwise(rates[: peak + 1]))
    assert all(a >= b for a, b in pairwise(rates[peak:]))
    assert rates[-1] > 0
    assert max(rates) <= short.lr * (1 + 1e-12)


def test_weight_decay_spares_norms_biases_and_gates_only_if_the_recipe_says_so() -> None:
    network = create_model("dr_resnet16_l2")
    paper = build_optimizer(network, PAPER_TRAININGS["cifar10"])
    assert [group["weight_decay"] for group in paper.param_groups] == [5e-4]
    short = build_optimizer(network, OWN_TRAININGS["short"])
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    decayed = {names[id(p)] for p in short.param_groups[0]["params"]}
    spared = {names[id(p)] for p in short.param_groups[1]["params"]}
    assert decayed | spared == set(names.values())
    assert all(name.endswith("weight") and "norm" not in name for name in decayed)
    assert all("gate" not in name for name in decayed)
    assert {name for name in spared if "gate" in name and name.endswith("weight")}


def test_a_recipe_without_decay_of_everything_is_the_only_difference() -> None:
    network = create_model("resnet20")
    recipe = dataclasses.replace(OWN_TRAININGS["short"], decay_everything=True)
    assert len(build_optimizer(network, recipe).param_groups) == 1


def test_gate_noise_fades_to_nothing_where_the_recipe_says_so() -> None:
    fading = dataclasses.replace(OWN_TRAININGS["short"], noise_until=0.5)
    found = [gate_noise(fading, step, 100) for step in (0, 25, 50, 99)]
    assert found == pytest.approx([1, 0.5, 0, 0])
    assert gate_noise(PAPER_TRAININGS["cifar10"], 99, 100) == 1, "Gumbel-max to the end, as written"


def test_the_rate_losss_target_falls_where_the_recipe_says_so() -> None:
    short = OWN_TRAININGS["short"]
    falling = dataclasses.replace(short, target_falls=(0.2, 0.6))
    found = [rate_target(falling, 0.7, step, 100) for step in (0, 20, 30, 40, 60, 99)]
    assert found == pytest.approx([1, 1, 0.925, 0.85, 0.7, 0.7])
    assert rate_target(short, 0.7, 0, 100) == 0.7, "the paper's, from the first update on"
