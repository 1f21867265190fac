"""Rows of a comparison: their multiply-adds counted by hand, their fields, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from drnn_core.benchmarking import contenders
from drnn_core.benchmarking.contenders import compare
from drnn_core.benchmarking.interleaving import interleave
from drnn_core.benchmarking.subjects import Subject, find_subject
from drnn_core.counting import network_cost
from drnn_core.data.sets import MemorySet
from drnn_core.inference.recording import record_run
from drnn_core.models.registry import create_model
from drnn_core.store.records import read_records
from tests.tiny_runs import tiny_images, tiny_network, tiny_run

PARTS = {"basic": {}, "first loop always": {"first_loop": "always"}}


def tiny_subject(**changes: Any) -> Subject:
    network = tiny_network(**changes)
    return Subject("tiny", network, network_cost(network, 16), 16)


@pytest.mark.parametrize("case", PARTS)
@pytest.mark.parametrize("batch", [1, 4])
def test_multiply_adds_are_those_of_the_images(case: str, batch: int) -> None:
    """Blocks of 2 and 3 loops at t = .7; of 10 images, or 12 in three batches."""
    subject = tiny_subject(**PARTS[case])
    images = 10 if batch == 1 else 12
    rows = {row.against: row for row in compare(subject, batch, seconds=0, least=1)}
    first = 1.0 if case == "first loop always" else 0.7
    rates = [first * 0.7**loop for loops in (2, 3) for loop in range(loops)]
    ran = [round(images * rate) for rate in rates]
    reached = [images, ran[0], images, *ran[2:4]]
    cost = subject.cost
    ours = (
        images * cost.fixed_macs
        + sum(count * macs for count, macs in zip(ran, cost.step_macs, strict=True))
        + sum(count * macs for count, macs in zip(reached, cost.gate_macs, strict=True))
    ) / images
    everything = cost.fixed_macs + sum(cost.step_macs)
    plain = network_cost(create_model("resnet20"), 16).macs_max
    assert {name: ours / row.macs_ratio for name, row in rows.items()} == pytest.approx(
        {
            "static": everything,
            "masked": everything + sum(cost.gate_macs),
            "counterpart": plain,
            "eager": plain,
        }
    )


def test_rows_say_what_was_measured() -> None:
    rows = compare(tiny_subject(), 4, ("static", "eager"), seconds=0, least=2)
    assert [row.against for row in rows] == ["static", "eager"]
    for row in rows:
        assert (row.net, row.batch, row.device, row.dtype) == ("tiny", 4, "cpu", "float32")
        assert (row.decisions, row.rounds) == ("expected", 2)
        assert row.low <= row.time_ratio <= row.high
        assert row.over_limit == pytest.approx(row.time_ratio / row.macs_ratio)
        assert row.milliseconds > 0
        assert row.their_milliseconds > 0


def test_decisions_are_told_to_whoever_asks_gates(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiled network runs what was drawn, whatever its own gates say; so does the masked."""
    seen: dict[str, Any] = {}

    def keep(calls: Any, *arguments: Any, **named: Any) -> Any:
        seen.update(calls)
        return interleave(calls, *arguments, **named)

    monkeypatch.setattr(contenders, "interleave", keep)
    subject = tiny_subject()
    compare(subject, 4, ("static", "masked", "counterpart"), seconds=0, least=1)
    for name in ("", "masked"):
        ran = torch.cat([call().trace.ran for call in seen[name]])
        assert torch.equal(ran, subject.decisions(12))
    (static,) = seen["static"]
    assert bool(static().trace.ran.all())
    (plain,) = seen["counterpart"]
    assert plain().trace.ran.shape == (4, 0)


def test_what_has_no_counterpart_is_compared_with_itself() -> None:
    network = create_model("dr_resnet16_l2", counterpart=None).eval()
    subject = Subject("alone", network, network_cost(network), 32)
    assert [row.against for row in compare(subject, 1, seconds=0, least=1)] == ["static", "masked"]


def test_plain_networks_are_refused() -> None:
    network = create_model("resnet20").eval()
    subject = Subject("resnet20", network, network_cost(network), 32)
    with pytest.raises(ValueError, match="expected a network with recursive blocks, resnet20 has"):
        compare(subject, 1)


def test_a_run_is_told_what_its_records_say(tmp_path: Path) -> None:
    pictures: MemorySet = tiny_images(30)
    tiny_run(tmp_path / "run")
    record_run(tmp_path / "run", pictures, 10)
    subject = find_subject(str(tmp_path / "run"))
    loops = np.stack(read_records(tmp_path / "run")["block_loops"].tolist())
    assert len(np.unique(loops, axis=0)) > 3
    ran = subject.decisions(30)
    found = torch.stack([ran[:, :2].sum(1), ran[:, 2:].sum(1)], dim=1)
    assert sorted(found.tolist()) == sorted(loops.tolist())
    (row,) = compare(subject, 30, ("static",), seconds=0, least=1)
    macs = read_records(tmp_path / "run")["macs"].mean()
    cost = subject.cost
    assert row.decisions == "recorded"
    assert row.macs_ratio == pytest.approx(macs / (cost.fixed_macs + sum(cost.step_macs)))


def test_registered_networks_are_found_and_others_named(tmp_path: Path) -> None:
    found = find_subject("dr_resnet16_l2")
    assert (found.name, found.image_size, found.decided) == ("dr_resnet16_l2", 32, "expected")
    assert not found.network.training
    with pytest.raises(ValueError, match=r"expected the name of a network.*got nothing"):
        find_subject("nothing")
