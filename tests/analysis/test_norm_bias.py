"""Bias of running statistics: by hand, and of networks whose statistics are known to be wrong."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from drnn_core.analysis.moments import Moments, NormStatistics, Parts
from drnn_core.analysis.norm_bias import BIASES, bias_table, sampled_biases
from drnn_core.analysis.norm_statistics import norm_statistics
from tests.analysis.test_norm_statistics import pixels
from tests.tiny_runs import tiny_network


def place(mean: float, var: float, running_mean: float, running_var: float) -> NormStatistics:
    part = Parts(np.array([4, 4]), np.full((2, 2), mean), np.full((2, 2), var), 10**6)
    empty = Parts(np.zeros(2, int), np.full((2, 2), np.nan), np.full((2, 2), np.nan), 10**6)
    population = Moments(0, np.full(2, running_mean), np.full(2, running_var))
    nobody = Moments(0, np.full(2, np.nan), np.full(2, np.nan))
    return NormStatistics("2.2", "norm1", 0, "ilvbn", 0, part, empty, population, (nobody, nobody))


def test_by_hand() -> None:
    table = bias_table([place(1.0, 2.0, 4.0, 9.0), place(-1.0, 8.0, 1.0, 4.0)])
    assert table["mean_bias"].tolist() == [1.0, 1.0]  # (4 - 1) / 3, (1 + 1) / 2
    ratio = [math.log(9 / 2), math.log(4 / 8)]
    assert table["variance_shift"].to_numpy() == pytest.approx(ratio, abs=1e-6)
    assert table["variance_bias"].to_numpy() == pytest.approx(np.abs(ratio), abs=1e-6)
    assert (table["mean_bias_error"] < 1e-12).all(), "both parts say the same"
    assert table["executed"].tolist() == [8, 8]


def test_a_running_variance_of_nothing_says_nothing() -> None:
    (row,) = bias_table([place(1.0, 2.0, 4.0, 0.0)]).to_dict("records")
    assert all(math.isnan(row[name]) for name in BIASES)
    assert bias_table([]).empty


def refilled(kind: str) -> list[NormStatistics]:
    """What is found on the images of which the running statistics were made, no noise between."""
    network: Any = tiny_network(norm=kind)
    images = pixels(60)
    first = network.recursive_blocks()[0][1]
    inputs: list[torch.Tensor] = []
    handle = first.register_forward_pre_hook(lambda _, args: inputs.append(args[0].clone()))
    with torch.no_grad():
        ran = network.eval()(images).trace.ran[:, 0]
        handle.remove()
        norm = first.body.norm1
        norm.train()
        norm.of_loop(0).momentum = 1.0
        order = torch.argsort(ran.logical_not(), stable=True)
        norm(first.body.conv1(inputs[0][order]), 0, int(ran.sum()))
    return norm_statistics(network.eval(), [images])


def test_ilvbn_is_right_where_lvbn_is_not() -> None:
    """Filled by the norm's own training forward, with evaluation's decisions."""
    by_kind = {kind: bias_table(refilled(kind)).iloc[0] for kind in ("ilvbn", "lvbn", "naive")}
    assert 0 < by_kind["ilvbn"]["executed"] < 60
    assert by_kind["ilvbn"]["mean_bias"] == pytest.approx(0, abs=1e-4)
    assert by_kind["ilvbn"]["variance_bias"] == pytest.approx(0, abs=1e-4)
    for kind in ("lvbn", "naive"):
        assert by_kind[kind]["mean_bias"] > 0.02
        assert by_kind[kind]["variance_bias"] > 0.02


def test_sampled_agrees_with_the_table() -> None:
    found = refilled("lvbn")
    table = bias_table(found)
    for name in BIASES:
        sampled = sampled_biases(found)[name]
        np.testing.assert_allclose(sampled.values, table[name])
        np.testing.assert_allclose(sampled.error, table[f"{name}_error"])
        assert sampled.without.shape == (10, len(found))
