"""Counts against PyTorch's own counter, by hand, and against the paper."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from drnn_core.cost import expected_loops
from drnn_core.counting import network_cost
from drnn_core.layout import BlockLayout
from drnn_core.models.registry import create_model, list_models


@pytest.mark.parametrize("name", list_models())
def test_most_macs_agree_with_torchs_counter(name: str) -> None:
    """Shapes alone ("meta"): the reference forward computes every loop of every image."""
    with torch.device("meta"):
        network = create_model(name).eval()
        side = network.recipe.image_size
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(torch.zeros(1, 3, side, side))
        cost = network_cost(network)
    # It counts two for a multiply-add.
    assert cost.macs_max == pytest.approx(counter.get_total_flops() / 2, rel=0.001)


def test_by_hand() -> None:
    stages = {"blocks": (1, 2), "loops": (1, 2), "widths": (4, 8), "strides": (1, 2)}
    network = create_model("dr_resnet16_l2", 10, **stages, plain=(1, 1), image_size=8)
    cost = network_cost(network)
    stem = 3 * 9 * 4 * 64
    first = 2 * (4 * 9 * 4 * 64)
    down = 4 * 9 * 8 * 16 + 8 * 9 * 8 * 16
    assert cost.fixed_macs == stem + first + down + 8 * 10
    assert cost.step_macs == (2 * (8 * 9 * 8 * 16),) * 2
    assert cost.gate_macs == (8 * 16 + 16,) * 2
    assert cost.params == sum(p.numel() for p in network.parameters())


def test_a_traces_macs_are_its_steps() -> None:
    cost = network_cost(create_model("dr_resnet16_l2"))
    ran = torch.tensor([[1, 1, 1, 1], [0, 0, 0, 0], [1, 0, 0, 0]], dtype=torch.bool)
    asked = torch.tensor([[1, 1, 1, 1], [1, 0, 1, 0], [1, 1, 1, 0]], dtype=torch.bool)
    first, gates = cost.step_macs[0], cost.gate_macs
    expected = [
        cost.macs_max,
        cost.fixed_macs + gates[0] + gates[2],
        cost.fixed_macs + first + gates[0] + gates[1] + gates[2],
    ]
    assert cost.macs_of(asked, ran).tolist() == expected


def test_expectations_meet_the_extremes() -> None:
    for name in ("resnet20", "dr_resnet32_l4"):
        cost = network_cost(create_model(name))
        assert cost.expected_macs(1.0) == cost.macs_max
        assert cost.expected_loops(1.0) == cost.loops_max
    assert cost.expected_loops(0.0) == 0
    assert (
        cost.expected_macs(0.0) == cost.fixed_macs + cost.gate_macs[0] * 2 + cost.gate_macs[-1] * 2
    )


def test_the_other_reading_of_the_first_loop() -> None:
    cost = network_cost(create_model("dr_resnet16_l2", first_loop="always"))
    assert cost.expected_loops(0.7) == pytest.approx(2 * (1 + 0.7))
    assert cost.gate_macs[0] == 0
    assert network_cost(create_model("dr_resnet16_l2", gated=False)).expected_loops(0.7) == 4


def test_figure_8() -> None:
    layout = [BlockLayout(f"3.{i}", 3, True) for i in range(7)] + [BlockLayout("4.2", 2, True)]
    assert expected_loops(layout, 0.7) == pytest.approx(11.921)


@pytest.mark.parametrize(
    ("name", "gmacs", "rate"),
    [
        ("dr_resnet16_l2", 0.032, 0.66),
        ("dr_resnet32_l4", 0.099, 0.83),
        ("dr_resnet54_l5", 0.192, 0.88),
        ("dr_resnet53_l3", 4.92, 0.70),
    ],
)
def test_the_rate_that_a_printed_cost_implies(name: str, gmacs: float, rate: float) -> None:
    cost = network_cost(create_model(name))
    found = cost.rate_that_costs(gmacs * 1e9)
    assert found == pytest.approx(rate, abs=0.005)
    assert cost.expected_macs(found) == pytest.approx(gmacs * 1e9)
    assert cost.rate_that_costs(1.01 * cost.macs_max) is None
    assert network_cost(create_model("resnet20")).rate_that_costs(4e7) is None
