"""How far gates swing: what is measured of a run, kept, and told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.gate_swings import first_questions, swings
from benchmarks.gate_swings_record import Swings, read, write
from benchmarks.results.gate_swings import gate_swings
from drnn_core.store.runs import load_network
from tests.tiny_runs import TINY, tiny_images, tiny_network, tiny_run


def measured(run: str, rate_loss: str, **changes: Any) -> Swings:
    values: dict[str, Any] = {
        "run": run,
        "title": "T",
        "rate_loss": rate_loss,
        "updates": 9,
        "batch": 256,
        "lr": 0.1,
        "gates": ("2.2", "3.2"),
        "rate_mean": (0.71, 0.7),
        "rate_std": (0.458, 0.03),
        "logit_std": (0.0012, 3.4),
        "loss": 0.51,
    }
    return Swings(**{**values, **changes})


def test_what_was_measured_is_read_as_it_was_written(tmp_path: Path) -> None:
    found = [measured("a", "sampled"), measured("a", "batch", rate_std=(0.0, 0.0))]
    write(tmp_path / "s.jsonl", found)
    assert read(tmp_path / "s.jsonl") == found
    assert read(tmp_path / "none.jsonl") == []
    assert gate_swings(tmp_path / "none.jsonl") == ""


def test_the_table_has_every_run_that_was_gone_on_with_alike(tmp_path: Path) -> None:
    found = [measured("a", "sampled"), measured("b", "batch", updates=3), measured("a", "batch")]
    write(tmp_path / "s.jsonl", found)
    text = gate_swings(tmp_path / "s.jsonl")
    rows = [line for line in text.splitlines() if line.startswith(("| a ", "| b "))]
    assert rows == [
        f"| a | `{way}` | 2.2: 0.710 ± 0.458, 3.2: 0.700 ± 0.030 | 2.2: 0.0012, 3.2: 3.4 | 0.510 |"
        for way in ("sampled", "batch")
    ]
    assert "would be 0.029" in text


@pytest.mark.parametrize("first_loop", ["gated", "always"])
def test_the_first_questions_are_those_of_all_images(first_loop: str) -> None:
    network = tiny_network(first_loop=first_loop)
    size = network.recipe.image_size
    trace = network(torch.randn(20, 3, size, size)).trace
    steps = [step for _, step in first_questions(network)]
    assert bool(trace.asked[:, steps].all())
    others = [step for step in range(trace.ran.shape[1]) if step not in steps]
    assert not bool(trace.asked[:, others].all())


def test_cut_by_the_batch_a_gate_does_not_swing(tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    tiny_run(folder)
    images = tiny_images(1100)
    sampled, batch = (swings(folder, way, images, 2, 0.01) for way in ("sampled", "batch"))
    assert batch.gates == tuple(name for name, _ in load_network(folder)[0].recursive_blocks())
    # by the nearest image of 256
    assert batch.rate_mean == pytest.approx([0.7] * len(batch.gates), abs=0.5 / 256)
    assert max(batch.rate_std) == 0 < max(sampled.rate_std)
    assert np.isfinite([*sampled.logit_std, sampled.loss]).all()
    # after one update with the same noise both have nearly the same gates: raw logits, not units
    assert batch.logit_std == pytest.approx(sampled.logit_std, rel=0.3)
    assert max(batch.logit_std) > 1.5
    assert (sampled.batch, sampled.updates, sampled.run) == (256, 2, "tiny")


def test_a_run_without_gates_has_none_that_swing(tmp_path: Path) -> None:
    changed = {**TINY, "gated": False}
    tiny_run(tmp_path / "plain", tiny_network(gated=False), model_args=changed)
    with pytest.raises(ValueError, match="a run with gates, got plain"):
        swings(tmp_path / "plain", "batch", tiny_images(600), 2, 0.01)


def test_more_updates_than_an_epoch_has_are_refused(tmp_path: Path) -> None:
    tiny_run(tmp_path / "tiny")
    with pytest.raises(ValueError, match="at most 2 updates, within an epoch, got 3"):
        swings(tmp_path / "tiny", "batch", tiny_images(1100), 3, 0.01)
