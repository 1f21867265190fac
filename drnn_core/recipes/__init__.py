"""Named recipes: literal data, with the paper's numbers beside them (tables 1 to 3, section 4).

A recipe is named ``<network>_<training>`` and is what ``drnn train`` takes. To add a network of
a known form, add one entry to ``cifar10.py`` or ``imagenet.py``; to add a form, see
``drnn_core/models/registry.py``.
"""

from __future__ import annotations

import difflib
import fnmatch

from drnn_core.recipes.cifar10 import CIFAR10_NETWORKS
from drnn_core.recipes.imagenet import IMAGENET_NETWORKS
from drnn_core.recipes.recursified import PREFIX, recursified_recipe
from drnn_core.recipes.schema import NetworkRecipe, PaperNumbers, Recipe, TrainingRecipe, completed
from drnn_core.recipes.training import OWN_TRAININGS, PAPER_TRAININGS, TRAININGS

__all__ = [
    "NETWORKS",
    "PREFIX",
    "TRAININGS",
    "NetworkRecipe",
    "PaperNumbers",
    "Recipe",
    "TrainingRecipe",
    "completed",
    "get_recipe",
    "list_recipes",
    "recursified_recipe",
    "training_of",
]

NETWORKS: dict[str, NetworkRecipe] = {
    recipe.name: recipe for recipe in (*CIFAR10_NETWORKS, *IMAGENET_NETWORKS)
}


def list_recipes(pattern: str = "*") -> list[str]:
    """Names of all recipes that match a shell pattern, in network order."""
    names = (f"{network}_{training}" for network in NETWORKS for training in TRAININGS)
    return [name for name in names if fnmatch.fnmatch(name, pattern)]


def training_of(network: NetworkRecipe, training: str) -> TrainingRecipe:
    """How one of ``TRAININGS`` trains a network: "paper", "short", "long-batchrate", ...

    Raises:
        KeyError: no such training.
    """
    return PAPER_TRAININGS[network.training] if training == "paper" else OWN_TRAININGS[training]


def get_recipe(name: str) -> Recipe:
    """The recipe called ``<network>_<training>``, for example ``dr_resnet16_l2_short``.

    ``dr:<backbone>_<training>`` is that of a recursified backbone, for example
    ``dr:torchvision/resnet18_short``; whether there is such a backbone, ``create_model`` knows.

    Raises:
        ValueError: no such recipe; the message names near ones and what there is.
    """
    network, _, training = name.rpartition("_")
    if network in NETWORKS and training in TRAININGS:
        return Recipe(name, NETWORKS[network], training_of(NETWORKS[network], training))
    if network.startswith(PREFIX) and training in TRAININGS:
        recipe = recursified_recipe(network.removeprefix(PREFIX))
        return Recipe(name, recipe, training_of(recipe, training))
    near = list_recipes(f"{name}*") or difflib.get_close_matches(name, list_recipes(), 3, 0.5)
    hint = f" (did you mean {' or '.join(near)}?)" if near else ""
    raise ValueError(
        f"no recipe is called {name!r}{hint}; expected <network>_<training> with a training of "
        f"{', '.join(TRAININGS)} and a network of {', '.join(NETWORKS)} "
        "or dr:torchvision/... or dr:timm/..."
    )
