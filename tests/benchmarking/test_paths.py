"""One image from no loop to all of them, and the straight line."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from drnn_core.benchmarking import paths
from drnn_core.benchmarking.interleaving import Call
from drnn_core.benchmarking.paths import path_costs, straight_line
from drnn_core.benchmarking.subjects import Subject
from drnn_core.counting import network_cost
from drnn_core.models.registry import create_model
from tests.benchmarking.test_contenders import tiny_subject


def test_a_line_and_what_it_leaves() -> None:
    assert straight_line([0, 2, 5], [3.0, 4.0, 5.5]) == pytest.approx((0.5, 3.0, 1.0))
    slope, intercept, r_squared = straight_line([0, 1, 2], [1.0, 3.0, 2.0])
    assert (slope, intercept) == pytest.approx((0.5, 1.5))
    assert r_squared == pytest.approx(np.corrcoef([0, 1, 2], [1, 3, 2])[0, 1] ** 2)


def test_images_run_from_no_loop_to_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Block by block, each loop after the one before; times as a clock would have them."""
    ran: dict[str, list[bool]] = {}

    def fake(calls: dict[str, list[Call]], *arguments: object) -> dict[str, object]:
        for name, (call,) in calls.items():
            if name != "static":
                output: object = call()
                ran[name] = output.trace.ran[0].tolist()  # pyright: ignore[reportAttributeAccessIssue]
        return {
            name: np.array([[0.001 * (2 + 3 * (5 if name == "static" else int(name)))]])
            for name in calls
        }

    monkeypatch.setattr(paths, "interleave", fake)
    row = path_costs(tiny_subject())
    assert row.loops == (0, 1, 2, 3, 4, 5)
    assert ran["2"] == [True, False, True, False, False]  # the first loop of both blocks
    assert ran["3"] == [True, True, True, False, False]
    assert [sum(ran[str(count)]) for count in row.loops] == list(row.loops)
    assert row.milliseconds == pytest.approx((2, 5, 8, 11, 14, 17))
    line = (row.fixed_milliseconds, row.loop_milliseconds, row.r_squared)
    assert line == pytest.approx((2, 3, 1))
    assert row.fixed_ratio == pytest.approx(2 / 17)
    cost = tiny_subject().cost
    assert row.fixed_macs_ratio == cost.fixed_macs / cost.macs_max
    assert row.static_milliseconds == pytest.approx(17)


def test_a_measured_row() -> None:
    row = path_costs(tiny_subject(), seconds=0, least=1)
    assert all(time > 0 for time in row.milliseconds)
    assert row.r_squared <= 1
    assert set(dataclasses.asdict(row)) >= {"net", "loops", "milliseconds", "loop_milliseconds"}


def test_plain_networks_are_refused() -> None:
    network = create_model("resnet20").eval()
    with pytest.raises(ValueError, match="resnet20 has none"):
        path_costs(Subject("resnet20", network, network_cost(network), 32))
