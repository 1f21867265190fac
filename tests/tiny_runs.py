"""Tiny networks, image sets and runs, made in memory, for the tests of everything around them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from drnn_core.data.sets import MemorySet, fingerprint_of
from drnn_core.data.transforms import Preprocessing
from drnn_core.models.network import Network
from drnn_core.models.registry import create_model
from drnn_core.recipes import get_recipe
from drnn_core.store.runs import CurvePoint, Metrics, RunInfo, RunMetrics, write_run

CLASSES = ("cat", "dog", "ship", "tree")
TINY: dict[str, Any] = {"blocks": [1, 2, 2], "widths": [8, 8, 8], "loops": [1, 2, 3]}
PREPROCESSING = Preprocessing(16, 16, True, (0.5, 0.4, 0.3), (0.2, 0.25, 0.3))


def tiny_network(classes: int = len(CLASSES), seed: int = 0, **changes: Any) -> Network:
    """Random weights; gates by hand so that images differ in their loops."""
    torch.manual_seed(seed)
    network = create_model("dr_resnet16_l2", num_classes=classes, **{**TINY, **changes})
    for number, (_, block) in enumerate(network.recursive_blocks()):
        if block.gate is None:
            continue
        # Read the spread of one feature over images: about half of them open.
        layers: Any = block.gate.fc
        *hidden, head = [layers] if isinstance(layers, torch.nn.Linear) else list(layers)
        with torch.no_grad():
            if hidden:
                hidden[0].weight.normal_(std=3.0)
            head.weight.normal_(std=1.5)
            head.bias.fill_(1.0 - number)
    return network.eval()


def tiny_images(count: int = 60, size: int = 16, seed: int = 0, **changes: Any) -> MemorySet:
    """Random pictures of differing brightness with one known factor."""
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 256, (count, 3, size, size))
    pixels = (pixels * generator.uniform(0.1, 1, (count, 3, 1, 1))).astype(np.uint8)
    labels = generator.integers(0, len(CLASSES), count)
    images = MemorySet(
        name="tiny",
        classes=CLASSES,
        ids=[f"test/{index:04d}" for index in range(count)],
        labels=labels,
        fingerprint=fingerprint_of([labels.tobytes(), pixels.tobytes()]),
        pixels=torch.from_numpy(pixels),
        columns={"blur": generator.random(count).astype(np.float32)},
    )
    return dataclasses.replace(images, **changes)


def tiny_info(**changes: Any) -> RunInfo:
    """A whole run.json; its figures are invented."""
    info = RunInfo(
        title="Tiny DR-Res",
        model="dr_resnet16_l2",
        model_args=TINY,
        recipe_name="dr_resnet16_l2_short",
        recipe=dataclasses.asdict(get_recipe("dr_resnet16_l2_short")),
        dataset="tiny",
        data_fingerprint="ab" * 32,
        classes=CLASSES,
        preprocessing=PREPROCESSING,
        seed=1,
        epochs=20,
        precision="float32",
        commit="0123abc",
        versions={"torch": "2.13.0", "python": "3.11.2"},
        device="cpu",
        seconds=61.5,
        metrics=RunMetrics(
            Metrics(60, 75.0, 1.4, 2.5, 1.25, 5, 0.66, 0.7, 1e5, 0.0, (0.5, None, 0.75, 1.0, 0.5))
        ),
        curve=(CurvePoint(1, 1.5, 80.0, 0.8, 0.2, 30.0), CurvePoint(2, 1.4, 75.0, 0.66, 0.0, 31.5)),
    )
    return dataclasses.replace(info, **changes)


def tiny_run(folder: Path, network: Network | None = None, **changes: Any) -> RunInfo:
    """Write a run of ``tiny_network`` to ``folder``."""
    return write_run(folder, (network or tiny_network()).state_dict(), tiny_info(**changes))


def paths_under(folder: Path) -> Sequence[Path]:
    """All files under a folder, sorted."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
