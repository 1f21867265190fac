"""Recipes with some of their fields changed, as ``drnn train --set FIELD=VALUE`` takes them."""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from drnn_core.recipes.schema import NetworkRecipe, TrainingRecipe

# What only names things, follows from the data or has an option of its own.
_FIXED = {
    *("name", "title", "form", "dataset", "num_classes", "image_size", "resize", "counterpart"),
    *("training", "paper", "backbone", "most_loops", "epochs"),
}
_SHARES = "between 0 and 1, both left out"
_GATES = {"gated", "gate_hidden", "gate_initial_rate", "first_loop", "target"}
_LOOPED = {"blocks", "loops", "widths", "strides", "plain", "norm", *_GATES}
# What the builder of a form reads of a network's recipe; all else would change nothing.
_OF_FORM: Mapping[str, set[str]] = {
    "cifar_resnet": {*_LOOPED, "gate_every_block", "survival"},
    "resnet": {*_LOOPED, "gate_every_block", "survival", "stride_on"},
    "mobilenetv2": _LOOPED,
    "preact_resnet": {"blocks", "widths", "strides"},
    "rcnn": {"blocks", "loops", "widths"},
    "recursified": {"loops", "where", "norm", *_GATES},
}
# Which training reads a field that not every training reads: the setting, and whether it is made.
_READ_BY: Mapping[str, tuple[str, Callable[[TrainingRecipe], bool]]] = {
    "lr_steps": ("schedule=steps", lambda training: training.schedule == "steps"),
    "warmup": ("schedule=one_cycle", lambda training: training.schedule == "one_cycle"),
    "pad": ("augment=crop", lambda training: training.augment == "crop"),
    "photometric": ("augment=scale", lambda training: training.augment == "scale"),
    "decay_everything": ("weight_decay above 0", lambda training: training.weight_decay > 0),
}
_Limit = tuple[Callable[[float], bool], str]
_LIMITS: Mapping[str, _Limit] = {
    "target": (lambda value: 0 < value < 1, _SHARES),
    "gate_initial_rate": (lambda value: 0 < value < 1, _SHARES),
    "survival": (lambda value: 0 < value <= 1, "above 0 and at most 1"),
    "noise_until": (lambda value: 0 < value <= 1, "above 0 and at most 1"),
    "warmup": (lambda value: 0 <= value <= 1, "from 0 to 1"),
    "momentum": (lambda value: 0 <= value < 1, "from 0 to below 1"),
    "photometric": (lambda value: 0 <= value < 1, "from 0 to below 1"),
    "target_falls": (lambda value: 0 <= value <= 1, "from 0 to 1"),
    "temperature": (lambda value: value > 0, "above 0"),
    "lr": (lambda value: value > 0, "above 0"),
    "plain": (lambda value: value >= 0, "of at least 0"),
    "pad": (lambda value: value >= 0, "of at least 0"),
    "rate_weight": (lambda value: value >= 0, "of at least 0"),
    "weight_decay": (lambda value: value >= 0, "of at least 0"),
}
_AT_LEAST_1: _Limit = (lambda value: value >= 1, "of at least 1")  # of all other numbers


@dataclasses.dataclass(frozen=True)
class Changes:
    """Fields to change, by name.

    Attributes:
        network: of the network's recipe.
        training: of the training recipe.
    """

    network: Mapping[str, Any]
    training: Mapping[str, Any]

    def of(self, recipe: NetworkRecipe) -> dict[str, Any]:
        """The network's, as ``create_model`` takes them for this recipe.

        Raises:
            ValueError: a field that says nothing to such a network; loops by stage of a
                recursified backbone, which has one number for all of its groups of blocks, or
                none at all of another network; gates without a target.
        """
        found = dict(self.network)
        if strange := sorted(set(found) - _OF_FORM[recipe.form]):
            raise ValueError(
                f"{recipe.name} has no field {strange[0]} to set; expected one of: "
                f"{', '.join(sorted(_OF_FORM[recipe.form]))}, or of the training's"
            )
        gated = found.get("gated", recipe.gated and recipe.target is not None)
        if gated and found.get("target", recipe.target) is None:
            raise ValueError(
                "expected a target rate of the gates, got none; set target=0.7, or gated=false for "
                "a network without gates"
            )
        loops = found.get("loops", (1,))
        if recipe.form != "recursified":
            if loops is None:
                raise ValueError("expected loops of each stage such as 1,3,3, got none")
        elif loops is not None and "loops" in found:
            if len(loops) != 1:
                raise ValueError(
                    f"expected one number of loops for all of {recipe.name}, got {len(loops)}"
                )
            found["loops"] = loops[0]
        return found

    def of_training(self, recipe: TrainingRecipe) -> TrainingRecipe:
        """This recipe with the training's fields changed.

        Raises:
            ValueError: a changed field that such a training does not read, so that it would be
                another training by its name only.
        """
        changed = dataclasses.replace(recipe, **self.training)
        for name, (setting, made) in _READ_BY.items():
            if getattr(changed, name) != getattr(recipe, name) and not made(changed):
                raise ValueError(
                    f"{setting_text(name, getattr(changed, name))} changes nothing of this "
                    f"training, which reads {name} with {setting} only; set that too, or leave "
                    f"{name} out"
                )
        return changed


def parse_changes(settings: Sequence[str]) -> Changes:
    """Read "FIELD=VALUE" texts: numbers, words, true and false, none, lists as 1,2,2.

    Without gates there is no target, so ``gated=false`` leaves it out.

    Args:
        settings: for example ``["target=0.6", "norm=lvbn", "rate_weight=4"]``.

    Raises:
        ValueError: a field that no recipe has or that cannot be changed, one given twice, or a
            value that is not of its kind.
    """
    kinds = changeable()
    found: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise ValueError(f"expected FIELD=VALUE after --set, got {setting!r}")
        if name == "epochs":
            raise ValueError(f"expected the epochs after --epochs, got --set {setting}")
        if name not in kinds:
            near = difflib.get_close_matches(name, kinds, 1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise ValueError(
                f"no recipe has a field {name!r} to set{hint}; expected one of: "
                f"{', '.join(sorted(kinds))}"
            )
        if name in found:
            raise ValueError(f"expected {name} once after --set, got it twice")
        found[name] = _value(name, text, kinds[name])
    of_network = {field.name for field in dataclasses.fields(NetworkRecipe)}
    network = {name: value for name, value in found.items() if name in of_network}
    if network.get("gated") is False:
        network.setdefault("target", None)
    training = {name: value for name, value in found.items() if name not in of_network}
    return Changes(network, training)


def changeable() -> dict[str, Any]:
    """The kinds of all fields that can be changed, by name."""
    both = {**get_type_hints(NetworkRecipe), **get_type_hints(TrainingRecipe)}
    both["loops"] = both["loops"] | None  # of a recursified backbone: one block of every group
    return {name: kind for name, kind in both.items() if name not in _FIXED}


def setting_text(name: str, value: Any) -> str:
    """A change as ``parse_changes`` reads it."""
    if isinstance(value, list | tuple):
        return f"{name}={','.join(map(_text, cast('Sequence[Any]', value)))}"
    return f"{name}={_text(value)}"


def _text(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _value(name: str, text: str, kind: Any) -> Any:
    try:
        value: Any = _read(text.strip(), kind)
    except ValueError as error:
        raise ValueError(f"expected {name} to be {_wanted(kind)}, got {text!r}") from error
    allowed, words = _LIMITS.get(name, _AT_LEAST_1)
    for item in cast("tuple[Any, ...]", value if isinstance(value, tuple) else (value,)):
        number = isinstance(item, int | float) and not isinstance(item, bool)
        if number and not allowed(item):
            raise ValueError(f"expected {name} {words}, got {text}")
    if name == "target_falls" and value is not None and not value[0] < value[1]:
        raise ValueError(f"expected target_falls to begin before it ends, got {text}")
    return cast("Any", value)


def _read(text: str, kind: Any) -> Any:
    """A value of a kind, which is a hint of a recipe's field; ValueError where it is none."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return parts[parts.index(text)]  # which raises a ValueError of its own, as the others do
    if origin in (Union, types.UnionType):
        (plain,) = (part for part in parts if part is not type(None))
        return None if text == "none" else _read(text, plain)
    if origin is tuple:
        items: tuple[Any, ...] = tuple(
            _read(item.strip(), parts[0]) for item in text.split(",") if item.strip()
        )
        if parts[-1] is not Ellipsis and len(items) != len(parts):
            raise ValueError
        return items
    if kind is bool:
        return ("false", "true").index(text) == 1
    value = kind(text)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError
    return value


def _wanted(kind: Any) -> str:
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return f"one of {', '.join(map(str, parts))}"
    if origin in (Union, types.UnionType):
        (plain,) = (part for part in parts if part is not type(None))
        return f"{_wanted(plain)}, or none"
    if origin is tuple:
        count = "" if parts[-1] is Ellipsis else f"{len(parts)} "
        return f"{count}numbers such as 1,2,2" if parts[0] is int else f"{count}numbers as 0,0.6"
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}
    return names[kind]
