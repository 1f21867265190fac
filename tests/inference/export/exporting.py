"""Small networks exported, run, and the work that they did."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from drnn_core.inference.export import ExportedNetwork, Results, checked_bytes, export_network
from drnn_core.models.network import Network
from drnn_core.trace import Output, Trace
from tests.inference.skipping.lively import lively, small_network


def small(case: str) -> tuple[Network, Tensor]:
    """A network of ``SMALL`` in evaluation mode that can be exported, and images (7, 3, 16, 16)."""
    if case == "RCNN":  # the standard has its norm over an odd number of channels, here 3
        return lively("rcnn160", 16, 7, num_classes=5, blocks=(1, 1), widths=(16, 16))
    return small_network(case)


def exported(network: Network, size: int = 16, **options: Any) -> ExportedNetwork:
    """Through the checker and into onnxruntime."""
    model = export_network(network, size, **options)
    assert checked_bytes(model) == model.SerializeToString()
    return ExportedNetwork(model, threads=1)


def output(results: Results) -> Output:
    """As networks return it."""
    logits, *trace = (torch.from_numpy(array) for array in results)
    return Output(logits, Trace(*trace))


def profiled(
    network: Network, x: Tensor, folder: Path, thresholds: Any = None
) -> tuple[Results, Counter[str], dict[str, int]]:
    """Results, how often each scope's convolutions ran, and the images that they met."""
    model = export_network(network, x.shape[-1], thresholds=thresholds is not None)
    run = ExportedNetwork(model, threads=1, profile=folder / "profile")
    limits = None if thresholds is None else np.asarray(thresholds, dtype=np.float32)
    results = run(x.numpy(), limits)
    calls: Counter[str] = Counter()
    images: dict[str, int] = {}
    file = run.finish_profile()
    for event in json.loads(file.read_text()):
        if event.get("cat") == "Node" and event.get("args", {}).get("op_name") == "Conv":
            scope = event["name"].split("/")[0]
            calls[scope] += 1
            (shape,) = event["args"]["input_type_shape"][0].values()
            assert images.setdefault(scope, shape[0]) == shape[0]
    file.unlink()
    return results, calls, images
