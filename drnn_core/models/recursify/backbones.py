"""Backbones by name, ``torchvision/...`` and ``timm/...``, with fresh weights.

timm is no requirement of this project: where it is installed, its names work too.
"""

from __future__ import annotations

import dataclasses
import difflib
import importlib
from collections.abc import Callable, Collection, Mapping
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from drnn_core.models.recursify.convert import GateForm, recursify
from drnn_core.models.recursify.network import RecursifiedNetwork
from drnn_core.recipes import NetworkRecipe, recursified_recipe

# Fields of the recipe that shape a recursified network, beside the loops that were asked for.
_SHAPING = ("where", "norm", "gated", "gate_hidden", "gate_initial_rate", "first_loop")
_OPTIONS = ("loops", *_SHAPING, "target", "image_size")


def create_recursified(
    backbone: str, num_classes: int | None = None, **changes: Any
) -> RecursifiedNetwork:
    """A recursified backbone with fresh weights.

    Args:
        backbone: for example "torchvision/resnet50".
        num_classes: width of the logits; by default ImageNet's.
        changes: ``loops`` (see ``recursify``), ``where``, ``norm``, ``gated``, ``gate_hidden``,
            ``gate_initial_rate``, ``first_loop``, ``target``, ``image_size``.

    Raises:
        ValueError: unknown name or change, or a backbone that cannot be made recursive.
    """
    unknown = sorted(set(changes) - set(_OPTIONS))
    if unknown:
        raise ValueError(
            f"no recursified network has an option {', '.join(unknown)}; expected: "
            f"{', '.join(sorted(_OPTIONS))}"
        )
    recipe = recursified_recipe(backbone)
    asked: dict[str, Any] = {
        **recursified_arguments(recipe),
        "image_size": recipe.image_size,
        **changes,
    }
    form = GateForm(asked["gate_hidden"], asked["gate_initial_rate"], asked["first_loop"])
    network = recursify(
        build_backbone(backbone, recipe.num_classes if num_classes is None else num_classes),
        asked["loops"],
        form if asked["gated"] else None,
        asked["where"],
        norm=asked["norm"],
        target=asked.get("target"),
        name=backbone,
    )
    network.recipe = dataclasses.replace(network.recipe, image_size=asked["image_size"])
    return network


def recursified_arguments(recipe: NetworkRecipe) -> dict[str, Any]:
    """The changes with which ``create_recursified`` builds the network of a recipe."""
    return {"loops": recipe.most_loops, **{key: getattr(recipe, key) for key in _SHAPING}}


def build_backbone(name: str, num_classes: int) -> nn.Module:
    """A plain backbone with fresh weights.

    Args:
        name: "torchvision/<model>" or "timm/<model>".
        num_classes: width of the logits.

    Raises:
        ValueError: no such library, no such model, or timm is not installed.
    """
    library, _, model = name.partition("/")
    if library not in _LIBRARIES or not model:
        raise ValueError(
            f"no backbone is called {name!r}; expected torchvision/<model> or timm/<model>, for "
            "example torchvision/resnet50"
        )
    return _LIBRARIES[library](model, num_classes)


def _torchvision(model: str, num_classes: int) -> nn.Module:
    from drnn_core._torchvision import torchvision

    models: Any = torchvision.models
    _check_name("torchvision", model, models.list_models(module=models))
    if torch.get_default_device().type != "meta":
        return models.get_model(model, weights=None, num_classes=num_classes)
    # RegNet works its widths out with tensors, which have no values on "meta".
    with torch.random.fork_rng(devices=[]), torch.device("cpu"), _ParametersOnMeta():
        return models.get_model(model, weights=None, num_classes=num_classes).to("meta")


def _timm(model: str, num_classes: int) -> nn.Module:
    import drnn_core._torchvision  # timm imports torchvision, which may need its help

    assert drnn_core._torchvision.torchvision
    try:
        timm: Any = importlib.import_module("timm")
    except ImportError as error:
        raise ValueError(
            f"timm/{model} needs timm, which is not installed; pip install timm"
        ) from error
    # By its list of names alone: timm also takes addresses, and would fetch what is there.
    _check_name("timm", model, timm.list_models())
    return timm.create_model(model, pretrained=False, num_classes=num_classes)


_LIBRARIES: Mapping[str, Callable[[str, int], nn.Module]] = {
    "torchvision": _torchvision,
    "timm": _timm,
}


def _check_name(library: str, model: str, names: Collection[str]) -> None:
    if model in names:
        return
    near = difflib.get_close_matches(model, names, 3, 0.6)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise ValueError(f"{library} has no image classifier called {model!r}{hint}")


class _ParametersOnMeta(TorchFunctionMode):
    """Memory that is asked for without values, as layers ask for their weights', is on "meta"."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is torch.empty and kwargs.get("device") is None:
            kwargs = {**kwargs, "device": "meta"}
        return func(*args, **kwargs)
