"""Networks by name: ``create_model(name)`` and ``list_models(pattern)``.

A network is a recipe (drnn_core/recipes.py) and a builder of its form, registered here by the
name of its data set's family. To add a form, write one file and decorate its builder.
"""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Mapping
from typing import Any, cast

from drnn_core.models.resnet import CifarResNet
from drnn_core.recipes import NETWORKS


def list_models(pattern: str = "*") -> list[str]:
    """Names of all networks that match a shell pattern, in the order of the paper's tables."""
    return [name for name in NETWORKS if fnmatch.fnmatch(name, pattern)]


def create_model(name: str, num_classes: int = 10, **changes: Any) -> CifarResNet:
    """Build a network with fresh weights.

    Args:
        name: as ``list_models`` lists them.
        num_classes: width of the logits.
        changes: fields of its ``NetworkRecipe`` to change, for example
            ``norm="lvbn"``, ``gated=False``, ``first_loop="always"``.

    Raises:
        ValueError: unknown name, or a change that no recipe has.
    """
    if name not in NETWORKS:
        raise ValueError(
            f"no network is called {name!r}; expected one of: {', '.join(list_models())}"
        )
    _check_changes(changes)
    recipe = dataclasses.replace(NETWORKS[name], **_tuples(changes))
    return CifarResNet(recipe, num_classes)


def _check_changes(changes: Mapping[str, Any]) -> None:
    fields = {field.name for field in dataclasses.fields(NETWORKS["resnet20"])}
    unknown = sorted(set(changes) - fields)
    if unknown:
        raise ValueError(
            f"no network has an option {', '.join(unknown)}; expected: {', '.join(sorted(fields))}"
        )


def _tuples(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Lists, as they come back from run.json, as tuples."""
    return {
        key: tuple(cast("list[Any]", value)) if isinstance(value, list) else value
        for key, value in changes.items()
    }
