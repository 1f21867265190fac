"""A training small enough for a test: a tiny recursive network on 8x8 images made here."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import torch

from drnn_core.data.measuring import measure_preprocessing
from drnn_core.data.sets import MemorySet
from drnn_core.models.registry import create_model
from drnn_core.recipes import Recipe, TrainingRecipe
from drnn_core.recipes.training import OWN_TRAININGS
from drnn_core.training.loop import Trainer
from drnn_core.training.seeds import derived_seed
from drnn_core.training.settings import Settings

CLASSES = ("dark", "bright", "red")


def image_set(count: int, seed: int) -> MemorySet:
    random = np.random.default_rng(seed)
    labels = random.integers(0, len(CLASSES), count)
    pixels = random.integers(0, 90, (count, 3, 8, 8))
    pixels[labels == 1] += 120
    pixels[labels == 2, 0] += 120
    return MemorySet(
        "small",
        CLASSES,
        [f"{seed}/{index}" for index in range(count)],
        labels.astype(np.int64),
        f"{seed:064x}",
        torch.from_numpy(pixels.astype(np.uint8)),
    )


def training(**changes: object) -> TrainingRecipe:
    return dataclasses.replace(OWN_TRAININGS["short"], batch=8, pad=1, lr=0.05, **changes)  # type: ignore[arg-type]


def trainer(folder: Path, seed: int = 0, epochs: int = 2, **changes: object) -> Trainer:
    torch.manual_seed(derived_seed(seed, "weights"))
    network = create_model(
        "dr_resnet16_l2", num_classes=len(CLASSES), blocks=(1, 2, 2), widths=(4, 8, 8), image_size=8
    )
    recipe = Recipe("small", network.recipe, training(**changes))
    train_set, test_set = image_set(40, 1), image_set(20, 2)
    settings = Settings(folder, seed=seed, epochs=epochs, save_seconds=0)
    return Trainer(network, recipe, train_set, test_set, measure_preprocessing(train_set), settings)


class Silent:
    """A reporter that keeps what it is told."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.points: list[dict[str, object]] = []

    def on_step(self, progress: object) -> None:
        self.losses.append(progress.loss)  # type: ignore[attr-defined]

    def on_epoch(self, point: dict[str, object], measures: object) -> None:
        self.points.append(point)
