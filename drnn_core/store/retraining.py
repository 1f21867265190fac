"""The command that trains a run anew, from what run.json says."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, cast

from drnn_core.recipes import NETWORKS, PREFIX, TrainingRecipe, completed, get_recipe
from drnn_core.recipes.changes import changeable, setting_text
from drnn_core.recipes.recursified import recursified_recipe
from drnn_core.store.runinfo import RunInfo


def train_command(info: RunInfo) -> str:
    """``drnn train`` with DATA, RUN and S for the data set's folder, the run's and the seed.

    What no option of the command says stands behind it as a comment: fields of the network that
    only Python can change.
    """
    parts = [f"drnn train {info.recipe_name} --data DATA --out RUN --seed S"]
    if (epochs := recipe_epochs(info)) is not None and epochs != info.epochs:
        parts.append(f"--epochs {info.epochs}")
    if info.precision != "float32":
        parts.append(f"--precision {info.precision}")
    if any(_is_gpu(device) for device in info.device.split(", then ")):
        parts.append("--device cuda")
    changes = {**dict(_of_network(info)), **dict(_of_training(info))}
    known = changeable()
    settings = [setting_text(name, value) for name, value in changes.items() if name in known]
    if settings:
        parts.append(f"--set {shlex.join(settings)}")
    if others := [f"{name} = {value}" for name, value in changes.items() if name not in known]:
        parts.append(f" # the network built with {', '.join(others)}")
    return " ".join(parts)


def training_changes_of(info: RunInfo) -> tuple[str, ...]:
    """Settings in which a run was trained otherwise than its recipe's name says: "lr=0.1"."""
    return tuple(setting_text(name, value) for name, value in _of_training(info))


def _of_network(info: RunInfo) -> Iterator[tuple[str, Any]]:
    """Fields of the network that are not the named one's; nothing of one that is not known."""
    if info.model.startswith(PREFIX):
        recipe = recursified_recipe(info.model.removeprefix(PREFIX))
        own = {**asdict(recipe), "loops": recipe.most_loops}
    elif info.model in NETWORKS:
        own = asdict(NETWORKS[info.model])
    else:
        return
    target = info.metrics.test.target
    # without gates there is no target, which "gated=false" says by itself
    given = info.model_args if target is None else {**info.model_args, "target": target}
    for name, value in given.items():
        if _plain(value) != _plain(own.get(name)):
            yield name, value


def _of_training(info: RunInfo) -> Iterator[tuple[str, Any]]:
    try:
        own = asdict(get_recipe(info.recipe_name).training)
    except ValueError:
        return
    written: Any = info.recipe.get("training")
    if not isinstance(written, Mapping):
        return
    settings = completed(TrainingRecipe, cast("Mapping[str, Any]", written))
    for name, value in settings.items():
        if name in own and name not in ("name", "epochs") and _plain(value) != _plain(own[name]):
            yield name, value


def _plain(value: Any) -> Any:
    """Lists, as JSON has them, as tuples."""
    return tuple(cast("list[Any]", value)) if isinstance(value, list) else value


def _is_gpu(device: str) -> bool:
    """By the names that ``training/machine.py`` gives."""
    return device != "cpu" and "thread(s)" not in device


def recipe_epochs(info: RunInfo) -> int | None:
    """Epochs of the recipe of a run's name; None where there is none of that name."""
    try:
        return get_recipe(info.recipe_name).training.epochs
    except ValueError:
        return None
