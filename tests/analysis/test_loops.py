"""Loops of a run: filters, orders and the figures of the Distribution page."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drnn_core.analysis.loops import (
    ORDERS,
    Selection,
    block_matrix,
    block_table,
    class_table,
    expected_loops,
    expected_rates,
    gate_matrix,
    histogram,
    matching,
    ordered,
    ordered_by,
    step_table,
    summary,
)
from drnn_core.layout import BlockLayout

LAYOUT = (BlockLayout("2.2", 2, True), BlockLayout("3.2", 3, True))


def records(**changes: Any) -> pd.DataFrame:
    columns: dict[str, Any] = {
        "index": np.arange(5, dtype=np.int32),
        "label": np.array([0, 1, 1, 2, 0], dtype=np.int16),
        "prediction": np.array([0, 1, 0, 2, 0], dtype=np.int16),
        "confidence": np.array([0.9, 0.5, 0.4, 1 - 1e-8, 0.7], dtype=np.float32),
        "loss": np.array([0.1, 0.7, 2.0, 0.0, 0.4], dtype=np.float32),
        "block_loops": list(np.array([[0, 0], [1, 2], [2, 3], [2, 0], [1, 1]], dtype=np.int8)),
        "gate_prob": [np.full(5, p, dtype=np.float32) for p in (0.1, 0.2, np.nan, 0.4, 0.5)],
    }
    columns["correct"] = columns["label"] == columns["prediction"]
    columns["loops"] = np.array([row.sum() for row in columns["block_loops"]], dtype=np.int16)
    return pd.DataFrame({**columns, **changes})


def chosen(**conditions: Any) -> list[int]:
    return np.flatnonzero(matching(records(), Selection(**conditions))).tolist()


def test_each_condition() -> None:
    assert chosen() == [0, 1, 2, 3, 4]
    assert chosen(loops=(2, 3)) == [1, 3, 4]
    assert chosen(labels=(1, 2)) == [1, 2, 3]
    assert chosen(correct=False) == [2]
    assert chosen(correct=True) == [0, 1, 3, 4]
    assert chosen(confidence=(0.5, 0.7)) == [1, 4]
    assert chosen(confidence=(0.95, 1.0)) == [3]
    assert chosen(step=(1, 0)) == [1, 2, 4]  # ran loop 1 of block 2
    assert chosen(step=(0, 1)) == [2, 3]  # ran loop 2 of block 1
    assert chosen(step=(1, 2), correct=True) == []


@pytest.mark.parametrize("block", [-1, 2])
def test_a_block_that_the_network_lacks(block: int) -> None:
    with pytest.raises(ValueError, match="a block below 2"):
        chosen(step=(block, 0))


def test_limits_of_confidence_include_their_nearest_float() -> None:
    assert float(np.float32(0.7)) < 0.7
    assert 4 in chosen(confidence=(0.7, 0.8))


def test_without_drops_conditions() -> None:
    selection = Selection((1, 2), (0,), True, (0.0, 0.5), (0, 0))
    assert selection.without("loops", "labels") == Selection(
        correct=True, confidence=(0.0, 0.5), step=(0, 0)
    )
    assert selection.without() == selection


def test_orders() -> None:
    everything = np.ones(5, dtype=bool)

    def order(name: Any) -> list[int]:
        return ordered(records(), everything, name).tolist()

    assert order("index") == [0, 1, 2, 3, 4]
    assert order("loops up") == [0, 3, 4, 1, 2]  # 0, 2, 2, 3, 5: ties by index
    assert order("loops down") == [2, 1, 3, 4, 0]
    assert order("confidence up") == [2, 1, 4, 0, 3]
    assert order("confidence down") == [3, 0, 4, 1, 2]
    assert order("loss down") == [2, 1, 4, 0, 3]
    assert order("class") == [0, 4, 1, 2, 3]


def test_ties_follow_the_index_even_where_rows_do_not() -> None:
    shuffled = records(index=np.array([4, 3, 2, 1, 0], dtype=np.int32))
    assert ordered(shuffled, np.ones(5, dtype=bool), "index").tolist() == [4, 3, 2, 1, 0]
    assert ordered(shuffled, np.ones(5, dtype=bool), "loops up").tolist() == [0, 4, 3, 1, 2]


def test_positions_by_a_column_keep_ties_and_end_with_what_has_no_number() -> None:
    rows, values = np.array([0, 1, 3, 4, 5]), np.array([2.0, 1.0, -9.0, np.nan, 2.0, 1.0])
    assert ordered_by(rows, values, rising=True).tolist() == [1, 5, 0, 4, 3]
    assert ordered_by(rows, values, rising=False).tolist() == [0, 4, 1, 5, 3]


@given(st.sampled_from(ORDERS), st.lists(st.booleans(), min_size=5, max_size=5))
def test_an_order_keeps_every_kept_record_once(order: Any, keep: list[bool]) -> None:
    rows = ordered(records(), np.array(keep), order)
    assert sorted(rows.tolist()) == np.flatnonzero(keep).tolist()


def test_matrices() -> None:
    assert block_matrix(records()).tolist() == [[0, 0], [1, 2], [2, 3], [2, 0], [1, 1]]
    gates = gate_matrix(records())
    assert gates.shape == (5, 5)
    assert np.isnan(gates[2]).all()
    plain = records(block_loops=[np.zeros(0, np.int8)] * 5)
    assert block_matrix(plain).shape == (5, 0)
    assert block_matrix(records().iloc[:0]).shape == (0, 0)


def test_histogram_counts_every_image() -> None:
    assert histogram(np.array([0, 3, 5, 2, 2], dtype=np.int16), 5).tolist() == [1, 0, 2, 1, 0, 1]
    assert histogram(np.zeros(0, dtype=np.int16), 2).tolist() == [0, 0, 0]


def test_histogram_refuses_another_network() -> None:
    with pytest.raises(ValueError, match="at most 3 loops, got records of 5"):
        histogram(np.array([5], dtype=np.int16), 3)


@given(st.lists(st.integers(0, 30), min_size=2, max_size=50))
def test_summary_is_the_samples(loops: list[int]) -> None:
    found = summary(np.array(loops, dtype=np.int16))
    mean = sum(loops) / len(loops)
    variance = sum((value - mean) ** 2 for value in loops) / (len(loops) - 1)
    assert found.n == len(loops)
    assert found.mean == pytest.approx(mean)
    assert found.std == pytest.approx(math.sqrt(variance), abs=1e-9)


def test_summary_of_too_few() -> None:
    none, one = summary(np.zeros(0, np.int16)), summary(np.array([4], np.int16))
    assert none.n == 0
    assert math.isnan(none.mean)
    assert one.mean == 4
    assert math.isnan(one.std)


def test_expected_loops_of_the_paper() -> None:
    # DR-ResNet 53: seven blocks of 3 loops, one of 2; section 3 prints 11.921.
    layout = [BlockLayout(str(number), 3, True) for number in range(7)]
    assert expected_loops([*layout, BlockLayout("7", 2, True)], 0.7) == pytest.approx(11.921)


def test_expected_rates() -> None:
    assert expected_rates(LAYOUT, 0.5) == (0.5, 0.25, 0.5, 0.25, 0.125)
    assert expected_rates(LAYOUT, None) == (1.0,) * 5
    # A first loop without a gate always runs.
    asks = (False, True, False, True, True)
    assert expected_rates(LAYOUT, 0.5, asks) == (1.0, 0.5, 1.0, 0.5, 0.25)
    ungated = (BlockLayout("2.2", 2, False),)
    assert expected_rates(ungated, 0.5) == (1.0, 1.0)


def test_step_table() -> None:
    table = step_table(block_matrix(records()), LAYOUT, target=0.5)
    assert table["ran"].tolist() == [4, 2, 3, 2, 1]
    assert table["reached"].tolist() == [5, 4, 5, 3, 2]
    assert table["rate"].tolist() == pytest.approx([0.8, 0.4, 0.6, 0.4, 0.2])
    assert table["opened"].tolist() == pytest.approx([0.8, 0.5, 0.6, 2 / 3, 0.5])
    assert table["expected"].tolist() == [0.5, 0.25, 0.5, 0.25, 0.125]
    assert table["name"].tolist() == ["2.2", "2.2", "3.2", "3.2", "3.2"]


def test_a_first_loop_without_a_gate_has_no_opening_rate() -> None:
    asks = (False, True, False, True, True)
    table = step_table(block_matrix(records()), LAYOUT, target=0.5, asks=asks)
    assert table["opened"].isna().tolist() == [not gate for gate in asks]
    assert table["rate"].notna().all()


def test_step_table_of_no_images_has_no_rates() -> None:
    table = step_table(np.zeros((0, 2), np.int8), LAYOUT, target=0.5)
    assert table["rate"].isna().all()
    assert table["opened"].isna().all()
    assert len(step_table(np.zeros((3, 0), np.int8), ())) == 0


def test_block_table() -> None:
    table = block_table(block_matrix(records()), LAYOUT)
    assert table["mean"].tolist() == pytest.approx([1.2, 1.2])
    assert table["loops_max"].tolist() == [2, 3]


def test_class_table() -> None:
    table = class_table(records(), ("cat", "dog", "ship", "tree"))
    assert table["name"].tolist() == ["cat", "ship", "dog"]  # 1, 2 and 4 loops on average
    assert table["n"].tolist() == [2, 1, 2]
    assert table["mean"].tolist() == [1.0, 2.0, 4.0]
    assert table["std"].iloc[0] == pytest.approx(math.sqrt(2))
    assert math.isnan(table["std"].iloc[1])
    assert table["error"].tolist() == pytest.approx([0.0, 0.0, 50.0])
    assert class_table(records().iloc[:0], ("cat",)).empty
