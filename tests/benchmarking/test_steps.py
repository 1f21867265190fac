"""A training step is a real one, and compared with the plain counterpart's."""

from __future__ import annotations

import pytest
import torch

from drnn_core.benchmarking.steps import _step, compare_steps
from drnn_core.models.registry import create_model


def test_a_row() -> None:
    row = compare_steps("dr_resnet16_l2", 2, seconds=0, least=2)
    assert (row.net, row.against, row.batch, row.device) == (
        *("dr_resnet16_l2", "resnet20"),
        2,
        "cpu",
    )
    assert row.macs_ratio == pytest.approx(1, abs=0.001)  # equal depth, but for the gates
    assert row.low <= row.time_ratio <= row.high
    assert row.rounds == 2


def test_a_step_changes_weights_norms_and_gates() -> None:
    torch.manual_seed(0)
    network = create_model("dr_resnet16_l2", blocks=(1, 2, 2), widths=(4, 4, 4))
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    _step(network, 8, "cpu")()
    same = [name for name, t in network.state_dict().items() if torch.equal(t, before[name])]
    # the gate's closing images still hand it a gradient, so nothing stays as it was
    assert same == []


def test_plain_networks_are_refused() -> None:
    with pytest.raises(ValueError, match="expected a network with a plain counterpart, resnet20"):
        compare_steps("resnet20", 2)
