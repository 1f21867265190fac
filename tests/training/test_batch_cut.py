"""Gates that let the same share of every batch in, and biases that follow."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from drnn_core.training.batch_cut import batch_share, set_shares
from drnn_core.training.losses import rate_loss
from tests.tiny_runs import tiny_network
from tests.training.small import Silent, trainer, training


@pytest.mark.parametrize("first_loop", ["gated", "always"])
def test_every_batch_holds_the_share_at_the_first_question(first_loop: str) -> None:
    network = tiny_network(first_loop=first_loop).train()
    gates = [block.gate for _, block in network.recursive_blocks() if block.gate is not None]
    set_shares(gates, 0.7)
    size = network.recipe.image_size
    for _ in range(3):
        trace = network(torch.randn(50, 3, size, size)).trace
        at = 0
        for block in network.layout:
            first = at + (first_loop == "always")
            assert int(trace.asked[:, first].sum()) == 50
            assert int(trace.ran[:, first].sum()) == 35
            at += block.loops


def test_the_loss_leaves_the_first_question_alone() -> None:
    network = tiny_network().train()
    gates = [block.gate for _, block in network.recursive_blocks() if block.gate is not None]
    set_shares(gates, 0.7)
    size = network.recipe.image_size
    trace = network(torch.randn(50, 3, size, size)).trace
    (slope,) = torch.autograd.grad(rate_loss(trace, 0.7, "batch"), trace.prob)
    firsts = [0, network.layout[0].loops]
    assert float(slope[:, firsts].abs().max()) < 1e-6
    assert torch.equal(rate_loss(trace, 0.7, "batch"), rate_loss(trace, 0.7, "sampled"))


def test_the_recipe_says_who_cuts() -> None:
    assert batch_share(training(rate_loss="batch"), 0.7) == 0.7
    assert batch_share(training(rate_loss="sampled"), 0.7) is None
    assert batch_share(training(rate_loss="batch"), None) is None


def test_a_training_cuts_at_its_target_and_evaluates_near_it(tmp_path: Path) -> None:
    shares: list[float | Tensor | None] = []
    run = trainer(tmp_path, rate_loss="batch", target_falls=(0.2, 0.6), calibrate_gates=True)

    def stop() -> bool:
        shares.extend({gate.share for gate in run.gates})
        return False

    result = run.run(Silent(), stop)
    assert shares == pytest.approx([1, 1, 1, 0.925, 0.85, 0.775, 0.7, 0.7, 0.7, 0.7])
    assert result.finished
