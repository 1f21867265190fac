"""A small run of ``generated`` for the tests of the Inspect page: images differ in their loops."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from drnn_core.data.generated import GENERATED_CLASSES, GeneratedSet
from drnn_core.data.transforms import Preprocessing
from drnn_core.inference.recording import record_run
from drnn_core.models.network import Network
from drnn_core.store.runs import Metrics, RunMetrics, write_run
from tests.tiny_runs import TINY, tiny_info, tiny_network

IMAGES = 12
_PREPROCESSING = Preprocessing(32, 32, True, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))


def inspect_network(**changes: Any) -> Network:
    """Two recursive blocks of 2 and 3 loops on 32 x 32 images of ten classes."""
    return tiny_network(classes=len(GENERATED_CLASSES), **changes)


def inspect_run(folder: Path, records: bool = True, gated: bool = True, **changes: Any) -> Path:
    """Write the run and the records of its first test images; returns its folder."""
    images = GeneratedSet("test", IMAGES)
    plain: dict[str, Any] = {} if gated else {"loops": [1, 1, 1]}
    metrics = Metrics(IMAGES, 75.0, 1.4, 2.5, 1.25, 5 if gated else 0, 0.66, 0.7, 1e6)
    info = dataclasses.replace(
        tiny_info(),
        model_args={**TINY, **plain},
        classes=GENERATED_CLASSES,
        preprocessing=_PREPROCESSING,
        dataset=images.name,
        data_fingerprint=images.fingerprint,
        metrics=RunMetrics(metrics),
    )
    network = inspect_network(**plain)
    write_run(folder, network.state_dict(), dataclasses.replace(info, **changes))
    if records:
        record_run(folder, images)
    return folder
