"""Networks by name: ``create_model(name)`` and ``list_models(pattern)``.

A network is a recipe (drnn_core/recipes/) and the builder of its form. To add a network of a
known form, add its recipe; to add a form, write one file with its class and name it here.
"""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Callable, Mapping
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

from drnn_core.models.mobilenet import MobileNetV2
from drnn_core.models.network import Network
from drnn_core.models.rcnn import RecurrentNetwork
from drnn_core.models.recursify.backbones import create_recursified
from drnn_core.models.resnet import CifarResNet, ImageNetResNet, PreActivationResNet
from drnn_core.recipes import NETWORKS, PREFIX, NetworkRecipe

_FORMS: Mapping[str, Callable[[NetworkRecipe, int], Network]] = {
    "cifar_resnet": CifarResNet,
    "preact_resnet": PreActivationResNet,
    "rcnn": RecurrentNetwork,
    "resnet": ImageNetResNet,
    "mobilenetv2": MobileNetV2,
}


def list_models(pattern: str = "*") -> list[str]:
    """Names of all networks that match a shell pattern, in the order of the paper's tables."""
    return [name for name in NETWORKS if fnmatch.fnmatch(name, pattern)]


def create_model(name: str, num_classes: int | None = None, **changes: Any) -> Network:
    """Build a network with fresh weights.

    Args:
        name: as ``list_models`` lists them; or ``dr:torchvision/<model>``, ``dr:timm/<model>``
            for a backbone of these libraries made recursive, see ``models/recursify``.
        num_classes: width of the logits; by default what the recipe's data set has.
        changes: fields of its ``NetworkRecipe`` to change, for example
            ``norm="lvbn"``, ``gated=False``, ``first_loop="always"``; of a recursified backbone
            see ``create_recursified``.

    Raises:
        ValueError: unknown name, a change that no recipe has, a value that a field does not know,
            or stages that do not fit together.
    """
    if name.startswith(PREFIX):
        return create_recursified(name.removeprefix(PREFIX), num_classes, **changes)
    if name not in NETWORKS:
        raise ValueError(
            f"no network is called {name!r}; expected one of: {', '.join(list_models())}, "
            "or a backbone such as dr:torchvision/resnet50"
        )
    _check_changes(changes)
    recipe = dataclasses.replace(NETWORKS[name], **_tuples(changes))
    _check_stages(recipe)
    return _FORMS[recipe.form](recipe, recipe.num_classes if num_classes is None else num_classes)


def _check_changes(changes: Mapping[str, Any]) -> None:
    fields = {field.name for field in dataclasses.fields(NetworkRecipe)} - {"name", "form"}
    unknown = sorted(set(changes) - fields)
    if unknown:
        raise ValueError(
            f"no network has an option {', '.join(unknown)}; expected: {', '.join(sorted(fields))}"
        )
    kinds = get_type_hints(NetworkRecipe)
    for name, value in changes.items():
        if get_origin(kinds[name]) is Literal and value not in get_args(kinds[name]):
            known = ", ".join(map(repr, get_args(kinds[name])))
            raise ValueError(f"expected {name} to be one of {known}, got {value!r}")


def _check_stages(recipe: NetworkRecipe) -> None:
    fields = ("blocks", "loops", "widths", "strides", "plain")
    counts = {field: len(getattr(recipe, field)) for field in fields}
    if len(set(counts.values())) > 1:
        found = ", ".join(f"{field} of {count}" for field, count in counts.items())
        raise ValueError(f"expected one number per stage in every field of a network, got {found}")
    if recipe.gate_hidden is not None and recipe.gate_hidden < 1:
        raise ValueError(f"expected gate_hidden of at least 1, or none, got {recipe.gate_hidden}")


def _tuples(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Lists, as they come back from run.json, as tuples."""
    return {
        key: tuple(cast("list[Any]", value)) if isinstance(value, list) else value
        for key, value in changes.items()
    }
