"""A run's network counted from run.json alone, however wild its numbers."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from drnn_core.counting import network_cost
from drnn_core.inference.facts import network_facts, network_shape, run_shape
from drnn_core.models.registry import create_model
from drnn_core.store.runs import RunError
from tests.tiny_runs import TINY, tiny_info, tiny_network


def test_counts_are_those_of_the_network_with_weights() -> None:
    facts = network_facts(tiny_info())
    assert facts.cost == network_cost(tiny_network(), 16)
    assert facts.asks == (True,) * 5
    assert facts.expected_rates == pytest.approx((0.7, 0.49, 0.7, 0.49, 0.343))
    assert facts.expected_loops == pytest.approx(2.723)


def test_the_shape_is_of_the_network_as_the_run_has_it() -> None:
    shape = run_shape(tiny_info())
    assert [len(stage.blocks) for stage in shape.stages] == [1, 2, 2]
    assert [block.loops for stage in shape.stages for block in stage.blocks] == [0, 0, 2, 0, 3]
    assert (shape.image_size, shape.classes, shape.target) == (16, 4, 0.7)
    assert shape.cost == network_facts(tiny_info()).cost
    with pytest.raises(RunError, match="cannot build"):
        run_shape(tiny_info(model="dr_resnet17_l2"))


def test_an_ungated_first_loop_always_runs() -> None:
    facts = network_facts(tiny_info(model_args={**TINY, "first_loop": "always"}))
    assert facts.asks == (False, True, False, True, True)
    assert facts.expected_rates == (1, 0.7, 1, 0.7, 0.7**2)


def test_neither_random_state_nor_threads_change() -> None:
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    network_facts(tiny_info())
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_an_enormous_network_takes_no_memory() -> None:
    """Its weights would be 500 terabytes, one image's features 17 more."""
    info = tiny_info(model_args={**TINY, "widths": [10**6] * 3})
    large = dataclasses.replace(info.preprocessing, image_size=2048, resize=2048)
    facts = network_facts(dataclasses.replace(info, preprocessing=large))
    assert facts.cost.params > 10**13


@pytest.mark.parametrize(
    "changes",
    [
        {"widths": [10**10] * 3},
        {"widths": [-1, 2, 3]},
        {"widths": ["a", 1, 1]},
        {"widths": 8},
        {"blocks": [10**9, 1, 1]},
        {"blocks": 10**9},
        {"loops": [1, 10**9, 1]},
        {"blocks": []},
        {"no": "such option"},
        {"gate_initial_rate": 2},
    ],
)
def test_what_cannot_be_built_is_a_sentence(changes: dict[str, object]) -> None:
    with pytest.raises(RunError, match="cannot build the network 'dr_resnet16_l2' of the run"):
        network_facts(tiny_info(model_args={**TINY, **changes}))


@pytest.mark.parametrize("name", ["resnet20", "dr_resnet53_l3", "aig_resnet50", "rcnn160"])
def test_the_shape_of_a_network_is_that_of_the_network(name: str) -> None:
    network, shape = create_model(name), network_shape(name)
    assert shape.cost == network_cost(network)
    assert shape.stages == network.stage_layouts
    recipe = network.recipe
    assert (shape.image_size, shape.classes) == (recipe.image_size, recipe.num_classes)
    assert shape.target == recipe.target
