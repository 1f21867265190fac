"""Which runs are one training repeated with other seeds, and in what two trainings differ."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from drnn_core.recipes import (
    NETWORKS,
    PREFIX,
    NetworkRecipe,
    TrainingRecipe,
    completed,
    get_recipe,
    recursified_recipe,
)
from drnn_core.store.runinfo import RunInfo

# Names of data sets as sources write them, letters and digits only, and how many classes they have.
_KNOWN = {
    "cifar10": ("CIFAR-10", 10),
    "imagenet": ("ImageNet", 1000),
    "imagenet1k": ("ImageNet", 1000),
    "ilsvrc2012": ("ImageNet", 1000),
}
# What a recipe says of a network that does not shape it.
_PROSE = {
    *("name", "title", "dataset", "num_classes", "image_size", "resize", "counterpart"),
    *("training", "paper", "most_loops", "where", "target"),
}
# What of a training recipe changes nothing where there are no gates, and its name.
_OF_GATES = {
    *("name", "rate_weight", "rate_loss", "target_falls", "temperature", "noise_until"),
    "calibrate_gates",
}


@dataclass(frozen=True)
class Training:
    """A training without its seed, device and precision: runs of equal ones repeat each other.

    Attributes:
        data: the data set as the paper writes it, or as its source is called.
        fingerprint: of the training images.
        network: everything that shapes the network, by field, each value as JSON; ``model`` where
            no network is registered by the run's name.
        target: t of the gates; None without gates.
        recipe: how it was trained: one of ``TRAININGS`` of drnn_core/recipes/training.py, such as
            "paper" or "long-batchrate".
        settings: the training recipe as JSON.
        epochs: that were trained.
    """

    data: str
    fingerprint: str
    network: tuple[tuple[str, str], ...]
    target: float | None
    recipe: str
    settings: str
    epochs: int


@dataclass(frozen=True)
class Repeats:
    """Runs of one training.

    Attributes:
        training: what they have in common.
        names: of the runs, by seed, the smallest first; one for each seed.
        others: names of further runs of a seed that is there already.
    """

    training: Training
    names: Mapping[int, str]
    others: tuple[str, ...]


def training_of_run(info: RunInfo) -> Training:
    """What a run was trained to be, but for its seed."""
    settings = completed(TrainingRecipe, _mapping(info.recipe.get("training")))
    return Training(
        data=data_set_of(info),
        fingerprint=info.data_fingerprint,
        network=tuple(sorted((key, _json(value)) for key, value in _network(info).items())),
        target=info.metrics.test.target,
        recipe=str(settings.get("name", "")) or info.recipe_name.rpartition("_")[2],
        settings=_json(settings),
        epochs=info.epochs,
    )


def repeats_of(runs: Mapping[str, RunInfo]) -> list[Repeats]:
    """Runs, by name, put together where they differ in nothing but the seed.

    Of two runs with one seed, such as on two machines, the one counts whose name ends in ``_s`` and
    the seed, else the first by name: seeds, not repetitions of a seed, are what varies.
    """
    found: dict[Training, dict[int, list[str]]] = {}
    for name in sorted(runs, key=lambda name: (not _says_its_seed(name, runs[name].seed), name)):
        seeds = found.setdefault(training_of_run(runs[name]), {})
        seeds.setdefault(runs[name].seed, []).append(name)
    return [
        Repeats(
            training,
            {seed: seeds[seed][0] for seed in sorted(seeds)},
            tuple(name for seed in sorted(seeds) for name in seeds[seed][1:]),
        )
        for training, seeds in found.items()
    ]


def same_schooling(first: Training, second: Training) -> bool:
    """Whether two networks were trained alike on the same images, but for the seed.

    Beside a network without gates, what only gates take part in says nothing.
    """
    if None in (first.target, second.target):
        return schooling_but_for_gates(first) == schooling_but_for_gates(second)
    return not differing(first, second) & {"fingerprint", "settings", "epochs"}


def schooling_but_for_gates(training: Training) -> str:
    """How a network was trained on which images, without what only gates take part in, as JSON."""
    settings = {k: v for k, v in json.loads(training.settings).items() if k not in _OF_GATES}
    return _json([training.fingerprint, training.epochs, settings])


def seed_in_name(name: str) -> bool:
    """Whether a run's name ends with a seed: it is one of several, told together."""
    return re.search(r"_s\d+$", name) is not None


def _says_its_seed(name: str, seed: int) -> bool:
    return name.endswith(f"_s{seed}")


def differing(first: Training, second: Training) -> set[str]:
    """Fields in which two trainings differ; those of the network by their own names."""
    own, other = dict(first.network), dict(second.network)
    found = {key for key in {*own, *other} if own.get(key) != other.get(key)}
    for key in ("fingerprint", "target", "settings", "epochs"):
        if getattr(first, key) != getattr(second, key):
            found.add(key)
    return found


def data_set_of(info: RunInfo) -> str:
    """The data set of a run as the paper writes it, or as its source is called."""
    name = info.dataset.split(" (")[0].split(", ")[0]
    letters = "".join(letter for letter in name.lower() if letter.isalnum())
    known, classes = _KNOWN.get(letters, (name, len(info.classes)))
    return known if classes == len(info.classes) else name


def changes_of(info: RunInfo) -> tuple[str, ...]:
    """Fields in which a run's network differs from the registered one, as "norm = lvbn".

    None for a network that is not registered. Its target is what it was trained for.
    """
    return tuple(f"{name} = {_listed(value)}" for name, value in network_changes(info).items())


def network_changes(info: RunInfo) -> dict[str, Any]:
    """Fields in which a run's network differs from the one of its name, and their values.

    None for a network that is neither registered nor a recursified backbone.
    """
    if info.model.startswith(PREFIX):
        recipe = recursified_recipe(info.model.removeprefix(PREFIX))
        own = {**asdict(recipe), "loops": recipe.most_loops}
    elif info.model in NETWORKS:
        own = asdict(NETWORKS[info.model])
    else:
        return {}
    # Without gates there is no target, as "gated = False" says by itself.
    target = info.metrics.test.target
    given = network_settings(info) | ({} if target is None else {"target": target})
    return {name: value for name, value in given.items() if value != _tupled(own.get(name))}


def network_settings(info: RunInfo) -> dict[str, Any]:
    """What shapes a run's network, by field."""
    return {name: _tupled(value) for name, value in info.model_args.items()}


def training_changes(info: RunInfo) -> dict[str, Any]:
    """Settings of the training, but its epochs, that are not the ones of the recipe's name.

    None where there is no recipe of that name.
    """
    try:
        own = asdict(get_recipe(info.recipe_name).training)
    except ValueError:
        return {}
    return {
        name: value
        for name, value in training_settings(info).items()
        if name in own and name not in ("name", "epochs") and value != _tupled(own[name])
    }


def training_settings(info: RunInfo) -> dict[str, Any]:
    """How a run was trained, by the fields of ``TrainingRecipe``; {} where it does not say."""
    written = _mapping(info.recipe.get("training"))
    if not written:
        return {}
    return {name: _tupled(value) for name, value in completed(TrainingRecipe, written).items()}


def _network(info: RunInfo) -> dict[str, Any]:
    recipe: NetworkRecipe | None = NETWORKS.get(info.model)
    if recipe is None:
        return {"model": info.model, **info.model_args}
    whole = {**asdict(recipe), **info.model_args}
    return {key: value for key, value in whole.items() if key not in _PROSE}


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)  # tuples and lists are written alike


def _tupled(value: Any) -> Any:
    return tuple(cast("list[Any]", value)) if isinstance(value, list) else value


def _listed(value: Any) -> str:
    if isinstance(value, tuple):
        return "-".join(map(str, cast("tuple[Any, ...]", value)))
    return str(value)
