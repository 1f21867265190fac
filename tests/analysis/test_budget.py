"""What other thresholds cost and bring: bounds that hold, thresholds that tell."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.analysis.budget import (
    bounds,
    chances_of,
    even_stops,
    places,
    telling_thresholds,
    threshold_table,
)
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


@given(
    probs=st.lists(st.floats(0, 1, width=32) | st.sampled_from([0.25, 0.5]), max_size=300),
    measured=st.lists(st.floats(0, 1), max_size=3),
    count=st.integers(1, 30),
)
def test_from_stop_to_stop_as_many_decisions_change(
    probs: list[float], measured: list[float], count: int
) -> None:
    chances = np.sort(np.array(probs, np.float64))
    stops = even_stops(chances, measured, count)
    assert list(stops) == sorted(set(stops))
    assert {0.0, 0.5, 1.0, *measured} <= set(stops)
    assert all(0 <= stop <= 1 for stop in stops)
    assert len(stops) <= count + 3 + len(measured)
    for low, high in itertools.pairwise(stops):
        changing = [p for p in probs if low < p <= high]
        same = max(map(changing.count, changing), default=0)  # which no threshold parts
        assert len(changing) - same <= 1.25 * len(probs) / count + 2


def test_stops_stand_close_where_probabilities_do() -> None:
    """Six gates of ten within a thousandth of one half: so do six stops of ten stand there."""
    near = 0.5 + np.linspace(-1e-3, 1e-3, 600)
    probs = np.append(near, np.linspace(0, 1, 400))
    table = pd.DataFrame({"gate_prob": [np.array([p, np.nan], np.float32) for p in probs]})
    stops = even_stops(chances_of(table), (0.123456,), 40)
    assert sum(abs(stop - 0.5) <= 0.0011 for stop in stops) >= 24
    assert 0.123456 in stops
    far = [f"{stop:g}" for stop in stops if abs(stop - 0.5) > 0.01 and stop != 0.123456]
    assert max(map(len, far)) <= 5, "no more digits than tell them apart"


def test_places_by_hand() -> None:
    chances = np.array([0.2, 0.5, 0.5, 0.9])
    thresholds = [0.0, 0.1, 0.2, 0.3, 0.5, 0.95, 1.0]
    assert places(chances, thresholds).tolist() == [0, 0, 0.25, 0.25, 0.75, 1, 1]
    assert places(np.array([0.0, 1.0]), [0.0, 0.5, 1.0]).tolist() == [0, 0.5, 1]
    assert places(np.array([]), [0.0, 0.5, 1.0]).tolist() == [0, 0, 1]
    assert even_stops(np.array([])) == (0.0, 0.5, 1.0)
