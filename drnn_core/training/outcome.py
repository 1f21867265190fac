"""What a finished training leaves: run.json's facts, gathered in one place."""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata
from typing import Any

from drnn_core.evaluation import Measures
from drnn_core.models.recursify.backbones import recursified_arguments
from drnn_core.recipes import NetworkRecipe
from drnn_core.store.runinfo import CurvePoint, Metrics, RunInfo, RunMetrics
from drnn_core.training.loop import Trainer
from drnn_core.training.settings import TrainingResult

_LIBRARIES = ("torch", "torchvision", "numpy", "pillow", "safetensors", "pyarrow")
# What a recipe says of a network that does not shape it.
_PROSE = {
    *("name", "title", "form", "dataset", "num_classes", "image_size", "resize"),
    *("target", "counterpart", "training", "paper"),
}


def run_info(trainer: Trainer, result: TrainingResult, measures: Measures) -> RunInfo:
    """Describe a finished training; the hashes are filled in when it is written."""
    network, recipe = trainer.network.recipe, trainer.recipe
    return RunInfo(
        title=network.title,
        model=network.name,
        model_args=network_arguments(network),
        recipe_name=recipe.name,
        recipe=asdict(recipe),
        dataset=trainer.train_set.name,
        data_fingerprint=trainer.train_set.fingerprint,
        classes=trainer.train_set.classes,
        preprocessing=trainer.preprocessing,
        seed=trainer.settings.seed,
        epochs=trainer.epochs,
        precision=trainer.settings.precision,
        commit=", then ".join(trainer.position.commits),
        versions={"python": platform.python_version(), **_versions(network.backbone)},
        device=", then ".join(trainer.position.devices),
        seconds=round(result.seconds, 1),
        metrics=RunMetrics(as_metrics(measures, trainer.network.recipe.target)),
        curve=tuple(_point(row) for row in result.curve),
    )


def network_arguments(recipe: NetworkRecipe) -> dict[str, Any]:
    """Everything of a network recipe that shapes the network, so that a run stands on its own."""
    if recipe.form == "recursified":
        return recursified_arguments(recipe)
    return {key: value for key, value in asdict(recipe).items() if key not in _PROSE}


def as_metrics(measures: Measures, target: float | None) -> Metrics:
    """Measures in the form that run.json keeps."""
    return Metrics(
        n=measures.n,
        error=measures.error,
        loss=measures.loss,
        loops_mean=measures.loops_mean,
        loops_std=measures.loops_std,
        loops_max=measures.loops_max,
        rate=_or_none(measures.rate),
        target=target,
        macs_mean=measures.macs_mean,
        error_top5=measures.error_top5,
        gate_rates=tuple(_or_none(rate) for rate in measures.gate_rates),
    )


def _versions(backbone: str) -> dict[str, str]:
    names = (*_LIBRARIES, "timm") if backbone.startswith("timm/") else _LIBRARIES
    return {name: metadata.version(name) for name in names}


def _point(row: Mapping[str, Any]) -> CurvePoint:
    return CurvePoint(**row)


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
