"""The command that trains a run anew, from what run.json says."""

from __future__ import annotations

import shlex

from drnn_core.recipes import get_recipe
from drnn_core.recipes.changes import Changes, changeable, setting_text
from drnn_core.store.repeats import (
    network_changes,
    network_settings,
    training_changes,
    training_settings,
)
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
    changes = {**network_changes(info), **training_changes(info)}
    known = changeable()
    settings = [setting_text(name, value) for name, value in changes.items() if name in known]
    if settings:
        parts.append(f"--set {shlex.join(settings)}")
    if others := [f"{name} = {value}" for name, value in changes.items() if name not in known]:
        parts.append(f" # the network built with {', '.join(others)}")
    return " ".join(parts)


def training_changes_of(info: RunInfo) -> tuple[str, ...]:
    """Settings in which a run was trained otherwise than its recipe's name says: "lr=0.1"."""
    return tuple(setting_text(name, value) for name, value in training_changes(info).items())


def trained_otherwise(
    info: RunInfo, changes: Changes, epochs: int, precision: str, data_fingerprint: str
) -> tuple[str, ...]:
    """What of a run is not as it is asked for, as texts: "lr=0.1", "epochs=1".

    Args:
        info: of the run.
        changes: of the recipe of its name that are asked for.
        epochs, precision: that are asked for.
        data_fingerprint: of the training images that are asked for.
    """
    asked = {**changes.of(get_recipe(info.recipe_name).network), **changes.training}
    own = {**network_changes(info), **training_changes(info)}
    target = info.metrics.test.target
    whole = {**network_settings(info), "target": target, **training_settings(info)}
    differing = [name for name in asked if whole.get(name) != asked[name]]
    differing += [name for name in own if name not in asked]
    found = [setting_text(name, whole.get(name)) for name in differing]
    if info.epochs != epochs:
        found.append(f"epochs={info.epochs}")
    if info.precision != precision:
        found.append(f"precision={info.precision}")
    if info.data_fingerprint != data_fingerprint:
        found.append(f"other training images ({info.dataset}, {info.data_fingerprint[:8]})")
    return tuple(found)


def _is_gpu(device: str) -> bool:
    """By the names that ``training/machine.py`` gives."""
    return device != "cpu" and "thread(s)" not in device


def recipe_epochs(info: RunInfo) -> int | None:
    """Epochs of the recipe of a run's name; None where there is none of that name."""
    try:
        return get_recipe(info.recipe_name).training.epochs
    except ValueError:
        return None
