"""Shipped runs as files: the same decisions on the shipped pictures, and what the file says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime
import pytest
import torch

from drnn_core.data.pictures import decode_picture
from drnn_core.data.samples import read_samples
from drnn_core.inference.export import (
    ExportedNetwork,
    checked_bytes,
    checking,
    compare,
    export_run,
    signature,
)
from drnn_core.inference.export.describing import metadata_of
from drnn_core.store.runs import load_network

RUNS = ("generated_dr_resnet32_l4", "cifar10_dr_resnet16_l2", "generated_resnet20")


def pictures(repository: Path, preprocessing: Any, count: int) -> torch.Tensor:
    folder = repository / "data_samples"
    chosen = read_samples(folder)[:: 60 // count]
    return torch.stack(
        [
            preprocessing.prepare(decode_picture((folder / sample.file).read_bytes()))
            for sample in chosen
        ]
    )


@pytest.mark.parametrize("name", RUNS)
def test_a_shipped_run_is_met(name: str, repository: Path, tmp_path: Path) -> None:
    network, info = load_network(repository / "checkpoints" / name)
    model = export_run(network, info, pixels=True)
    file = tmp_path / "run.onnx"
    file.write_bytes(checked_bytes(model))
    pixels = pictures(repository, info.preprocessing, 30)
    agreement = compare(ExportedNetwork(file, 1), network, info.preprocessing, pixels)
    assert agreement.pictures >= 25
    assert agreement.logits < 1e-5
    assert (agreement.loops < agreement.steps) == (network.layout != ())


def test_a_file_says_what_it_is(repository: Path) -> None:
    network, info = load_network(repository / "checkpoints" / RUNS[0])
    model = export_run(network, info, thresholds=True)
    # by onnxruntime alone, as a reader without this package sees it
    session: Any = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    said = metadata_of(session.get_modelmeta().custom_metadata_map)
    assert said["format"] == 1
    assert tuple(said["classes"]) == info.classes
    assert said["preprocessing"]["mean"] == list(info.preprocessing.mean)
    assert said["preprocessing"]["image_size"] == 32
    assert said["run"]["weights_sha256"] == info.weights_sha256
    assert [step["block"] for step in said["steps"]] == [
        block.name for block in network.layout for _ in range(block.loops)
    ]
    assert [step["loop"] for step in said["steps"]] == [1, 2, 3, 4] * 4
    assert len(said["macs"]["steps"]) == len(said["macs"]["gates"]) == 16
    assert [given.name for given in session.get_inputs()] == ["images", "thresholds"]
    assert [out.name for out in session.get_outputs()] == ["logits", "prob", "asked", "ran"]
    assert session.get_inputs()[0].shape == ["N", 3, 32, 32]
    assert signature(model)["outputs"][3] == {"name": "ran", "type": "bool", "shape": ["N", 16]}
    assert signature(model)["opset"] == 17


def test_a_file_of_more_than_two_gigabytes_is_refused(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, info = load_network(repository / "checkpoints" / RUNS[2])
    model = export_run(network, info)
    monkeypatch.setattr(checking.checker, "MAXIMUM_PROTOBUF", 1_000_000)
    with pytest.raises(ValueError, match=r"fits into an ONNX file of 2 GB, got 1,\d\d\d,\d\d\d"):
        checked_bytes(model)
