"""Decisions that are told: at the expected rates, or those of recorded images."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.benchmarking.decisions import expected_decisions, recorded_decisions, trace_of
from drnn_core.layout import BlockLayout

LAYOUT = (BlockLayout("2.2", 3, True), BlockLayout("2.3", 3, True), BlockLayout("3.2", 1, True))
RATES = (0.7, 0.49, 0.343, 0.7, 0.49, 0.343, 0.7)


@given(st.integers(1, 200), st.integers(0, 5))
def test_steps_run_at_the_expected_rates(images: int, seed: int) -> None:
    ran = expected_decisions(LAYOUT, RATES, images, seed)
    assert ran.sum(dim=0).tolist() == [round(rate * images) for rate in RATES]
    for first, loops in ((0, 3), (3, 3)):  # a closed gate is final
        block = ran[:, first : first + loops]
        assert torch.equal(block, block.int().cumprod(dim=1).bool())


def test_blocks_part_different_images() -> None:
    ran = expected_decisions(LAYOUT, RATES, 100)
    assert not torch.equal(ran[:, 0], ran[:, 3])
    assert len(ran.sum(dim=1).unique()) > 3


def test_a_network_without_gates_runs_everything() -> None:
    assert bool(expected_decisions(LAYOUT, [1.0] * 7, 10).all())
    assert expected_decisions((), (), 10).shape == (10, 0)


def test_recorded_images_are_drawn_whole_and_once() -> None:
    """Each row is one image's loops in all blocks, so that what goes together stays together."""
    recorded = np.array([[0, 3, 1], [2, 0, 0], [3, 1, 1], [1, 2, 0]])
    ran = recorded_decisions(LAYOUT, recorded, 4)
    loops = torch.stack([ran[:, :3].sum(1), ran[:, 3:6].sum(1), ran[:, 6:].sum(1)], dim=1)
    assert sorted(loops.tolist()) == sorted(recorded.tolist())
    assert ran[:, 0].tolist() == (loops[:, 0] >= 1).tolist()
    assert ran[:, 2].tolist() == (loops[:, 0] >= 3).tolist()
    assert recorded_decisions(LAYOUT, recorded, 9).shape == (9, 7)
    assert recorded_decisions((), np.zeros((1, 0), np.int64), 3).shape == (3, 0)


@pytest.mark.parametrize("asks", [[True] * 7, [False, True, True, False, True, True, True]])
def test_gates_are_asked_of_whoever_came_to_them(asks: list[bool]) -> None:
    ran = torch.tensor([[True, True, False, False, False, False, True], [False] * 7])
    trace = trace_of(LAYOUT, asks, ran)
    reached = [[True, True, True, True, False, False, True], [True, False, False] * 2 + [True]]
    assert trace.asked.tolist() == [
        [asked and gate for asked, gate in zip(row, asks, strict=True)] for row in reached
    ]
    assert torch.equal(trace.ran, ran)
