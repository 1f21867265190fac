"""The command that trains a run anew, from what run.json says."""

from __future__ import annotations

from drnn_core.recipes import get_recipe
from drnn_core.store.repeats import changes_of
from drnn_core.store.runinfo import RunInfo


def train_command(info: RunInfo) -> str:
    """``drnn train`` with DATA, RUN and S for the data set's folder, the run's and the seed.

    What no option of the command says stands behind it as a comment: fields of the network that
    are not the registered one's.
    """
    parts = [f"drnn train {info.recipe_name} --data DATA --out RUN --seed S"]
    if (epochs := recipe_epochs(info)) is not None and epochs != info.epochs:
        parts.append(f"--epochs {info.epochs}")
    if info.precision != "float32":
        parts.append(f"--precision {info.precision}")
    if any(_is_gpu(device) for device in info.device.split(", then ")):
        parts.append("--device cuda")
    changes = changes_of(info)
    if changes:
        parts.append(f" # the network built with {', '.join(changes)}")
    return " ".join(parts)


def _is_gpu(device: str) -> bool:
    """By the names that ``training/machine.py`` gives."""
    return device != "cpu" and "thread(s)" not in device


def recipe_epochs(info: RunInfo) -> int | None:
    """Epochs of the recipe of a run's name; None where there is none of that name."""
    try:
        return get_recipe(info.recipe_name).training.epochs
    except ValueError:
        return None
