"""The compiled forward behind evaluation, records and predictions, beside the reference's."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from drnn_core.evaluation import measure, outputs
from drnn_core.inference import recording
from drnn_core.inference.predictor import Predictor
from drnn_core.inference.skipping import InferenceNetwork, fast_forward
from drnn_core.store.records import read_records
from tests.tiny_runs import PREPROCESSING, tiny_images, tiny_network, tiny_run


def test_measures_are_those_of_the_reference() -> None:
    network, images = tiny_network(), tiny_images(50)
    forward = fast_forward(network, 16)
    assert isinstance(forward, InferenceNetwork)
    found = vars(measure(network, images, PREPROCESSING, 16, forward=forward))
    expected = vars(measure(network, images, PREPROCESSING, 16))
    assert found["loops_std"] > 0
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-5, nan_ok=True), name


def test_outputs_calls_what_it_is_given() -> None:
    network, images = tiny_network(), tiny_images(10)
    calls: list[int] = []

    def forward(x: torch.Tensor) -> object:
        calls.append(len(x))
        return network(x)

    parts = list(outputs(network, images, PREPROCESSING, 2, 10, 3, forward))  # pyright: ignore[reportArgumentType]
    assert calls == [3, 3, 2]
    assert [part.first for part in parts] == [2, 5, 8]


def test_records_are_those_of_the_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = tiny_images(30)
    for folder in ("fast", "slow"):
        tiny_run(tmp_path / folder)
    recording.record_run(tmp_path / "fast", images, batch=8, shard_rows=15)
    monkeypatch.setattr(recording, "fast_forward", lambda network, size: network)
    recording.record_run(tmp_path / "slow", images, batch=8, shard_rows=15)
    fast, slow = (read_records(tmp_path / folder) for folder in ("fast", "slow"))
    assert list(fast.columns) == list(slow.columns)
    for name in ("index", "id", "label", "prediction", "correct", "loops", "macs"):
        assert fast[name].tolist() == slow[name].tolist()
    assert fast["loops"].nunique() > 2
    for name in ("confidence", "entropy", "loss"):
        np.testing.assert_allclose(fast[name], slow[name], rtol=1e-4, atol=1e-6)
    for a, b in zip(fast["gate_prob"], slow["gate_prob"], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    assert any(math.isnan(prob) for row in fast["gate_prob"] for prob in row)


def test_predictions_come_from_the_compiled_network(tmp_path: Path) -> None:
    tiny_run(tmp_path)
    assert isinstance(Predictor(tmp_path)._forward, InferenceNetwork)
