"""Other thresholds: what the records say must be what the network does, and bounds must hold."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.analysis.budget import macs_of_loops
from drnn_core.analysis.replay import Replayed, checked_thresholds, replayed
from drnn_core.counting import network_cost
from drnn_core.inference.recording import rows_of
from drnn_core.inference.thresholds import with_thresholds
from drnn_core.layout import BlockLayout
from drnn_core.models.network import Network
from drnn_core.trace import Output
from tests.tiny_runs import PREPROCESSING, tiny_images, tiny_network

IMAGES = tiny_images(60)
LAYOUT = (BlockLayout("2.2", 2, True), BlockLayout("3.2", 3, True))
NAN = math.nan


def recorded(network: Network) -> pd.DataFrame:
    output = run(network)
    labels = torch.from_numpy(IMAGES.labels)
    return rows_of(output, labels, IMAGES.ids, network_cost(network, 16)).to_pandas()


def run(network: Network) -> Output:
    with torch.no_grad():
        return network(PREPROCESSING.normalise(IMAGES.pixels))


def by_hand(prob: list[float], loops: list[int], thresholds: Any) -> tuple[list[int], list[int]]:
    table = pd.DataFrame({"gate_prob": [np.array(prob, np.float32)], "block_loops": [loops]})
    found = replayed(table, LAYOUT, thresholds)
    return found.least[0].tolist(), found.most[0].tolist()


def test_by_hand() -> None:
    prob, loops = [0.9, 0.7, 0.6, 0.55, 0.2], [2, 2]
    assert by_hand(prob, loops, 0.5) == ([2, 2], [2, 2])
    # the first block is as it was, the second closes earlier: exact
    assert by_hand(prob, loops, 0.58) == ([2, 1], [2, 1])
    # the first block closes earlier: nobody knows what the second sees
    assert by_hand(prob, loops, 0.8) == ([1, 0], [1, 3])
    assert by_hand(prob, loops, [0.5, 0.65]) == ([2, 0], [2, 0])
    # the last loop of the second block opens now, and it is the last
    assert by_hand(prob, loops, [0.5, 0.1]) == ([2, 3], [2, 3])
    # sent away before its first loop: runs it now; the second was never asked
    prob, loops = [0.4, NAN, 0.6, 0.3, NAN], [0, 1]
    assert by_hand(prob, loops, [0.3, 0.5]) == ([1, 0], [2, 3])
    assert by_hand(prob, loops, [0.5, 0.2]) == ([0, 2], [0, 3])
    assert by_hand(prob, loops, [0.45, 0.5]) == ([0, 1], [0, 1])
    # always and never are known without asking
    assert by_hand(prob, loops, [0.3, 0]) == ([1, 3], [2, 3])
    assert by_hand(prob, loops, [0, 1]) == ([2, 0], [2, 0])


def test_at_one_half_the_record_decides() -> None:
    # a logit just above or below 0: sigmoid gives 0.5 either way
    assert by_hand([0.5, 0.5, 0.5, NAN, NAN], [1, 0], 0.5) == ([1, 0], [1, 0])


def check(found: Replayed, anew: np.ndarray) -> None:
    assert (found.least <= anew).all()
    assert (anew <= found.most).all()
    np.testing.assert_array_equal(found.exact, found.least == found.most)


@given(
    st.integers(0, 3),
    st.lists(
        st.sampled_from([0.0, 0.02, 0.2, 0.4, 0.5, 0.6, 0.8, 0.97, 1.0]), min_size=2, max_size=2
    ),
)
def test_what_is_exact_is_what_the_network_does_anew(seed: int, thresholds: list[float]) -> None:
    network = tiny_network(seed=seed)
    records = recorded(network)
    found = replayed(records, network.layout, thresholds)
    anew = run(with_thresholds(network, thresholds))
    check(found, anew.trace.block_loops(network.layout).numpy())
    same = torch.from_numpy(found.unchanged)
    torch.testing.assert_close(anew.logits[same], run(network).logits[same])
    if thresholds == [0.5, 0.5]:
        assert found.unchanged.all()


@pytest.mark.parametrize(
    "changes", [{"first_loop": "always"}, {"gated": False}, {"loops": [1, 1, 1]}], ids=str
)
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 0.7, 1.0])
def test_every_form_of_network(changes: dict[str, Any], threshold: float) -> None:
    network = tiny_network(**changes)
    cost = network_cost(network, 16)
    records = recorded(network)
    found = replayed(records, network.layout, threshold, cost.asks)
    anew = run(with_thresholds(network, threshold)).trace
    check(found, anew.block_loops(network.layout).numpy())
    np.testing.assert_array_equal(
        macs_of_loops(anew.block_loops(network.layout).numpy(), cost),
        cost.macs_of(anew.asked, anew.ran).numpy(),
    )


def test_higher_thresholds_are_mostly_known_in_the_first_block() -> None:
    network = tiny_network()
    found = replayed(recorded(network), network.layout, 0.7)
    assert found.exact[:, 0].all()
    assert 0 < found.exact[:, 1].sum() < 60
    assert found.unchanged.sum() < found.exact.all(axis=1).sum()


def test_what_makes_no_sense() -> None:
    records = recorded(tiny_network())
    with pytest.raises(ValueError, match="from 0 to 1, got"):
        replayed(records, LAYOUT, 1.2)
    with pytest.raises(ValueError, match="one for each of 2 blocks, got 3"):
        checked_thresholds([0.5, 0.5, 0.5], LAYOUT)
    with pytest.raises(ValueError, match="expected records of 1 blocks and 2 steps, got 2 and 5"):
        replayed(records, LAYOUT[:1], 0.5)
