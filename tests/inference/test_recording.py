"""Recording: rows that say what the network did, resumable anywhere, the same to the bit."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from drnn_core.cost import NetworkCost
from drnn_core.counting import network_cost
from drnn_core.inference.recording import record_run, rows_of
from drnn_core.layout import BlockLayout
from drnn_core.store.records import RecordsError, read_records, read_records_table
from drnn_core.trace import Output, Trace, empty_trace
from tests.tiny_runs import PREPROCESSING, paths_under, tiny_images, tiny_network, tiny_run

COST = NetworkCost(
    params=1,
    fixed_macs=1000,
    step_macs=(10, 10, 7),
    gate_macs=(1, 1, 0),
    layout=(BlockLayout("2.2", 2, True), BlockLayout("3.2", 1, False)),
)


def hand_made() -> Output:
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.0, 0.0, 0.0]])
    prob = torch.tensor([[0.9, 0.2, 1.0], [0.3, 0.8, 1.0]])
    asked = torch.tensor([[True, True, False], [True, False, False]])
    ran = torch.tensor([[True, False, True], [False, False, True]])
    return Output(logits, Trace(prob, asked, ran))


def test_rows_say_what_the_network_did() -> None:
    table = rows_of(hand_made(), torch.tensor([0, 2]), ["a", "b"], COST, first=5)
    first, second = table.to_pylist()
    chances = np.exp([2.0, 0.0, -1.0]) / np.exp([2.0, 0.0, -1.0]).sum()
    assert (first["index"], first["id"], first["label"], first["prediction"]) == (5, "a", 0, 0)
    assert first["correct"] is True
    assert first["confidence"] == pytest.approx(chances[0])
    assert first["entropy"] == pytest.approx(-(chances * np.log(chances)).sum())
    assert first["loss"] == pytest.approx(-math.log(chances[0]))
    assert (first["loops"], first["block_loops"]) == (2, [1, 1])
    assert first["gate_prob"][:2] == pytest.approx([0.9, 0.2])
    assert math.isnan(first["gate_prob"][2])
    assert first["macs"] == 1000 + 10 + 7 + 1 + 1
    assert second["correct"] is False
    assert second["entropy"] == pytest.approx(math.log(3))
    assert (second["loops"], second["block_loops"], second["macs"]) == (1, [0, 1], 1000 + 7 + 1)
    assert [math.isnan(prob) for prob in second["gate_prob"]] == [False, True, True]


def test_the_columns_have_the_agreed_types() -> None:
    blur = np.asarray([0.5, 1.5], dtype=np.float32)
    table = rows_of(hand_made(), torch.tensor([0, 2]), ["a", "b"], COST, extra={"blur": blur})
    assert {name: str(table.schema.field(name).type) for name in table.schema.names} == {
        "index": "int32",
        "id": "string",
        "label": "int16",
        "prediction": "int16",
        "correct": "bool",
        "confidence": "float",
        "entropy": "float",
        "loss": "float",
        "loops": "int16",
        "block_loops": "list<item: int8>",
        "gate_prob": "list<item: float>",
        "macs": "int64",
        "blur": "float",
    }
    assert sum(column.null_count for column in table.columns) == 0


def test_a_plain_network_records_empty_lists() -> None:
    cost = NetworkCost(1, 1000, (), (), ())
    output = Output(torch.zeros(2, 3), empty_trace(2))
    rows = rows_of(output, torch.tensor([0, 1]), ["a", "b"], cost).to_pylist()
    assert [(row["loops"], row["block_loops"], row["gate_prob"]) for row in rows] == [
        (0, [], [])
    ] * 2


@given(st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=2, max_size=6), st.data())
def test_extreme_logits_stay_finite(logits: list[float], data: st.DataObject) -> None:
    label = data.draw(st.integers(0, len(logits) - 1))
    output = Output(torch.tensor([logits]), empty_trace(1))
    cost = NetworkCost(1, 1000, (), (), ())
    row = rows_of(output, torch.tensor([label]), ["a"], cost).to_pylist()[0]
    assert row["prediction"] == int(torch.tensor(logits).argmax())
    assert 1 / len(logits) - 1e-6 <= row["confidence"] <= 1
    assert 0 <= row["entropy"] <= math.log(len(logits)) + 1e-6
    assert row["loss"] >= 0


@pytest.fixture
def run(tmp_path: Path) -> Path:
    tiny_run(tmp_path / "run")
    return tmp_path / "run"


def test_a_whole_run(run: Path) -> None:
    images = tiny_images(50)
    steps: list[tuple[int, int]] = []
    written = record_run(
        run, images, batch=10, shard_rows=20, progress=lambda *step: steps.append(step)
    )
    assert written == 50
    assert steps == [(10, 50), (20, 50), (30, 50), (40, 50), (50, 50)]
    frame = read_records(run)
    network = tiny_network()
    with torch.inference_mode():
        output = network(PREPROCESSING.normalise(images.pixels))
    cost = network_cost(network, 16)
    labels = torch.from_numpy(images.labels)
    assert frame["index"].tolist() == list(range(50))
    assert frame["id"].tolist() == list(images.ids)
    assert frame["label"].tolist() == images.labels.tolist()
    assert frame["prediction"].tolist() == output.logits.argmax(1).tolist()
    assert frame["loops"].tolist() == output.trace.loops.tolist()
    assert frame["loops"].nunique() > 2, "the test needs images that differ"
    assert (
        np.stack(frame["block_loops"].tolist()).tolist()
        == output.trace.block_loops(cost.layout).tolist()
    )
    assert frame["macs"].tolist() == cost.macs_of(output.trace.asked, output.trace.ran).tolist()
    loss = F.cross_entropy(output.logits, labels, reduction="none")
    np.testing.assert_allclose(frame["loss"], loss.numpy(), atol=1e-4)
    gate_prob = np.stack(frame["gate_prob"].tolist())
    np.testing.assert_array_equal(np.isnan(gate_prob), ~output.trace.asked.numpy())
    np.testing.assert_array_equal(frame["blur"], images.columns["blur"])


def test_nothing_is_done_twice(run: Path) -> None:
    record_run(run, tiny_images(), batch=10, shard_rows=20)
    before = contents(run)
    assert record_run(run, tiny_images(), batch=10, shard_rows=20) == 0
    assert contents(run) == before


def contents(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in paths_under(run / "records")}


class Stop(BaseException):
    """A kill, as far as a test in one process can make one."""


def interrupted(run: Path, monkeypatch: pytest.MonkeyPatch, at: int) -> bool:
    """Stop at the ``at``-th event: a batch, a flush to the disk or a rename."""
    events = 0
    fsync, replace = os.fsync, Path.replace

    def tick(*_: Any) -> None:
        nonlocal events
        events += 1
        if events == at:
            raise Stop

    def then(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            tick()
            return real(*arguments)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", then(fsync))
        patch.setattr(Path, "replace", then(replace))
        patch.setattr(Path, "unlink", lambda *_, **__: None)  # a kill clears nothing away
        try:
            record_run(run, tiny_images(), batch=10, shard_rows=20, progress=tick)
        except Stop:
            return True
    return False


def test_interrupted_anywhere_it_ends_the_same_to_the_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_run(tmp_path / "whole")
    record_run(tmp_path / "whole", tiny_images(), batch=10, shard_rows=20)
    whole = contents(tmp_path / "whole")
    at = 0
    while True:
        at += 1
        run = tmp_path / f"run{at}"
        tiny_run(run)
        stopped = interrupted(run, monkeypatch, at)
        record_run(run, tiny_images(), batch=10, shard_rows=20)
        assert contents(run) == whole, f"stopped at event {at}"
        if not stopped:
            break
    # 3 shards, each of 2 batches, 2 files, and for each a flush, a rename and a flush
    assert at == 3 * (2 + 2 * 3) + 1


def test_interrupted_again_and_again(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stops = 0
    while interrupted(run, monkeypatch, 12):
        stops += 1
        assert stops < 10
    assert stops == 2
    frame = read_records(run)
    tiny_run(run.parent / "whole")
    record_run(run.parent / "whole", tiny_images(), batch=10, shard_rows=20)
    pd.testing.assert_frame_equal(frame, read_records(run.parent / "whole"))


def test_damaged_and_lost_shards_are_written_again(run: Path) -> None:
    record_run(run, tiny_images(), batch=10, shard_rows=20)
    whole = contents(run)
    (run / "records" / "part-00001.parquet").unlink()
    (run / "records" / "part-00002.parquet").write_bytes(b"PAR1")
    assert record_run(run, tiny_images(), batch=10, shard_rows=20) == 40
    assert contents(run) == whole


def test_records_of_other_weights_or_images_are_never_mixed(run: Path) -> None:
    record_run(run, tiny_images(), batch=10, shard_rows=20)
    before = contents(run)
    with pytest.raises(RecordsError, match=r"something else \(data fingerprint .* instead of"):
        record_run(run, tiny_images(seed=3), shard_rows=20)
    with pytest.raises(RecordsError, match=r"something else \(rows a shard 20 instead of 30\)"):
        record_run(run, tiny_images(), shard_rows=30)
    with pytest.raises(RecordsError, match=r"something else \(split test instead of train\)"):
        record_run(run, tiny_images(), shard_rows=20, split="train")
    tiny_run(run, tiny_network(seed=9))
    with pytest.raises(RecordsError, match=r"something else \(weights .* instead of"):
        record_run(run, tiny_images(), shard_rows=20)
    assert contents(run) == before


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"classes": ("a", "b", "c", "d")}, "needs? the classes that the run was trained on"),
        ({"columns": {"loops": np.zeros(60, np.float32)}}, "names that records use themselves"),
    ],
)
def test_a_set_that_does_not_fit(run: Path, changes: dict[str, Any], part: str) -> None:
    with pytest.raises(RecordsError, match=part):
        record_run(run, tiny_images(**changes))
    assert not (run / "records").exists()


def test_wrong_sizes(run: Path) -> None:
    with pytest.raises(RecordsError, match="sees 16 x 16 pixels, but tiny gives 20 x 20"):
        record_run(run, tiny_images(size=20))
    with pytest.raises(RecordsError, match="at least one image"):
        record_run(run, tiny_images(0))


def test_the_network_runs_in_evaluation_and_draws_nothing(run: Path) -> None:
    before = torch.random.get_rng_state()
    record_run(run, tiny_images(20))
    assert torch.equal(before, torch.random.get_rng_state())


def test_the_table_keeps_its_arrow_types(run: Path) -> None:
    record_run(run, tiny_images(20))
    table = read_records_table(run)
    assert table.schema.field("block_loops").type == pa.list_(pa.int8())
    assert read_records_table(run, ["id", "loops"]).column_names == ["id", "loops"]
