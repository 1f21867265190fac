"""What other thresholds cost and bring: bounds that hold, thresholds that tell."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.analysis.budget import bounds, telling_thresholds, threshold_table
from drnn_core.counting import network_cost
from drnn_core.inference.thresholds import measure_thresholds
from tests.analysis.test_replay import IMAGES, recorded
from tests.tiny_runs import PREPROCESSING, tiny_network


def test_the_table_bounds_what_the_network_measures() -> None:
    network = tiny_network()
    cost = network_cost(network, 16)
    thresholds = (0.0, 0.3, 0.5, 0.65, 0.9, 1.0)
    table = threshold_table(recorded(network), cost, thresholds)
    steps: list[tuple[int, int]] = []
    measured = measure_thresholds(
        network, IMAGES, PREPROCESSING, thresholds, progress=lambda *step: steps.append(step)
    )
    assert steps == [(60 * place, 360) for place in range(1, 7)]
    for (_, row), found in zip(table.iterrows(), measured, strict=True):
        for name, value in (
            ("loops", found.loops_mean), ("macs", found.macs_mean), ("error", found.error)
        ):  # fmt: skip
            assert row[f"{name}_low"] <= value + 1e-9
            assert row[f"{name}_high"] >= value - 1e-9
    recorded_row = table.iloc[2]
    assert recorded_row["unchanged"] == recorded_row["exact"] == 1
    assert recorded_row["error_low"] == recorded_row["error_high"] == measured[2].error
    assert table["loops_low"].iloc[0] == 5
    assert table["loops_high"].iloc[-1] == 0


def test_bounds_of_one_block_by_hand() -> None:
    network = tiny_network()
    cost = network_cost(network, 16)
    records = recorded(network)
    found = bounds(records, cost, [0.5, 1])  # only the last block shuts: its loops are known
    first = np.stack(records["block_loops"].tolist())[:, 0]
    assert found.n == found.exact == 60
    assert found.loops == (first.mean(), first.mean())
    assert found.macs[0] == found.macs[1]
    same = np.stack(records["block_loops"].tolist())[:, 1] == 0
    assert found.unchanged == same.sum()
    wrong = ~records["correct"].to_numpy()
    assert found.error[0] == pytest.approx(100 * (same & wrong).mean())
    assert found.error[1] == pytest.approx(100 * ((same & wrong) | ~same).mean())


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_thresholds_tell_where_decisions_change(probs: list[float]) -> None:
    table = pd.DataFrame({"gate_prob": [np.array([p, np.nan], np.float32) for p in probs]})
    found = telling_thresholds(table)
    assert list(found) == sorted(set(found))
    assert {0.0, 0.5, 1.0} <= set(found)
    assert all(abs(value * 200 - round(value * 200)) < 1e-9 for value in found)
    inner = [value for value in found if value not in (0.0, 0.5, 1.0)]
    assert all(min(probs) - 0.0026 <= value <= max(probs) + 0.0026 for value in inner)


def test_thresholds_of_nobody_asked() -> None:
    table = pd.DataFrame({"gate_prob": [np.array([np.nan], np.float32)]})
    assert telling_thresholds(table) == (0.5,)
