"""The CIFAR networks: their form, their features, their trace."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from drnn_core.models.registry import create_model


def test_three_stages_at_full_half_and_quarter_size() -> None:
    network = create_model("dr_resnet16_l2").eval()
    stages = network.features(torch.randn(2, 3, 32, 32))
    assert [(s.name, s.stride, tuple(s.features.shape)) for s in stages] == [
        ("stage1", 1, (2, 16, 32, 32)),
        ("stage2", 2, (2, 32, 16, 16)),
        ("stage3", 4, (2, 64, 8, 8)),
    ]


def test_features_lead_to_the_logits() -> None:
    network: Any = create_model("dr_resnet16_l2").eval()
    x = torch.randn(3, 3, 32, 32)
    last = network.features(x)[-1].features
    torch.testing.assert_close(network.classifier(last.mean(dim=(2, 3))), network(x).logits)


@pytest.mark.parametrize(
    ("name", "layers"), [("resnet20", 20), ("resnet56", 56), ("resnet110", 110)]
)
def test_names_count_the_layers(name: str, layers: int) -> None:
    network = create_model(name)
    assert sum(isinstance(m, nn.Conv2d | nn.Linear) for m in network.modules()) == layers


@pytest.mark.parametrize(("name", "layers"), [("dr_resnet16_l2", 16), ("dr_resnet32_l4", 32)])
def test_dynamic_names_count_the_layers_of_one_loop(name: str, layers: int) -> None:
    network = create_model(name, gated=False)
    assert sum(isinstance(m, nn.Conv2d | nn.Linear) for m in network.modules()) == layers


def test_trace_follows_the_layout() -> None:
    network = create_model("dr_resnet40_l2").train()
    trace = network(torch.randn(4, 3, 16, 16)).trace
    assert trace.block_loops(network.layout).shape == (4, len(network.layout))
    assert [name for name, _ in network.recursive_blocks()] == [b.name for b in network.layout]
    # The gates' decisions land in the trace in network order: shut the third block only.
    _, third = network.recursive_blocks()[2]
    assert third.gate is not None
    head = list(third.gate.parameters())[-1]
    for _, block in network.recursive_blocks():
        assert block.gate is not None
        nn.init.constant_(list(block.gate.parameters())[-1], 50.0)
    nn.init.constant_(head, -50.0)
    loops = network(torch.randn(4, 3, 16, 16)).trace.block_loops(network.layout)
    assert loops.tolist() == [[2, 2, 0, 2, 2, 2, 2, 2]] * 4


def test_table_3s_rows_are_changes_of_one_network() -> None:
    """Naive R-, with LVBN, with gates, with I-LVBN."""
    naive = create_model("dr_resnet16_l2", norm="naive", gated=False)
    lvbn = create_model("dr_resnet16_l2", norm="lvbn", gated=False)
    gated = create_model("dr_resnet16_l2", norm="lvbn")
    improved = create_model("dr_resnet16_l2")
    count = [sum(p.numel() for p in n.parameters()) for n in (naive, lvbn, gated, improved)]
    assert count[0] < count[1] < count[2] == count[3]
    assert not any(block.gated for block in naive.layout)
    assert not bool(naive(torch.randn(2, 3, 16, 16)).trace.asked.any())
    assert all(block.gated for block in improved.layout)


def test_initialisation_is_he_and_gates_start_at_their_rate() -> None:
    network = create_model("resnet20")
    weights = torch.cat(
        [
            m.weight.detach().flatten() * (m.out_channels * 9 / 2) ** 0.5
            for m in network.modules()
            if isinstance(m, nn.Conv2d)
        ]
    )
    assert float(weights.std()) == pytest.approx(1, abs=0.02)
    dynamic = create_model("dr_resnet16_l2").train()
    with torch.no_grad():
        prob = dynamic(torch.randn(8, 3, 16, 16)).trace.prob
    assert float(prob.mean()) == pytest.approx(0.85, abs=0.05)
