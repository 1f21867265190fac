"""What was trained here: runs as results of the paper's networks, each on its own data set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from app.cache import Run
from app.models.tables import measured
from drnn_core.recipes import NETWORKS, NetworkRecipe
from drnn_core.store.runs import Metrics, RunInfo

# Names of data sets as sources write them, letters and digits only, and how many classes they have.
_KNOWN = {
    "cifar10": ("CIFAR-10", 10),
    "imagenet": ("ImageNet", 1000),
    "imagenet1k": ("ImageNet", 1000),
    "ilsvrc2012": ("ImageNet", 1000),
}


@dataclass(frozen=True)
class OwnRun:
    """A run that can be read.

    Attributes:
        name: of its folder.
        info: run.json.
        network: the registered network that it is one of; None for none of ours.
        changed: fields in which it differs from that network, for example "norm = lvbn".
        data_set: that it was trained and tested on, as the paper writes it.
    """

    name: str
    info: RunInfo
    network: str | None
    changed: tuple[str, ...]
    data_set: str

    @property
    def metrics(self) -> Metrics:
        """Measured on the test split."""
        return self.info.metrics.test

    @property
    def accuracy(self) -> float:
        """The measure of its data set: error in %, top-1 accuracy in % on ImageNet."""
        value = measured(self.data_set, self.metrics.error, 100 - self.metrics.error)
        assert value is not None
        return value

    def is_result_of(self, network: str) -> bool:
        """Whether it is this network, unchanged, on the data set that the paper trains it on."""
        same = self.network == network and not self.changed
        return same and self.data_set == NETWORKS[network].dataset


def own_runs(runs: Iterable[Run]) -> list[OwnRun]:
    """All runs that can be read, by name."""
    return [_own(run.name, run.info) for run in runs if run.info is not None]


def result_of(network: str, runs: Sequence[OwnRun]) -> OwnRun | None:
    """The run to show beside the paper's result: of several the one with the most epochs."""
    fitting = [run for run in runs if run.is_result_of(network)]
    return max(fitting, key=lambda run: run.info.epochs, default=None)


def data_set_of(info: RunInfo) -> str:
    """The data set of a run as the paper writes it, or as its source is called."""
    name = info.dataset.split(" (")[0].split(", ")[0]
    letters = "".join(letter for letter in name.lower() if letter.isalnum())
    known, classes = _KNOWN.get(letters, (name, len(info.classes)))
    return known if classes == len(info.classes) else name


def _own(name: str, info: RunInfo) -> OwnRun:
    recipe = NETWORKS.get(info.model)
    changed = () if recipe is None else _changed(recipe, info)
    return OwnRun(name, info, None if recipe is None else recipe.name, changed, data_set_of(info))


def _changed(recipe: NetworkRecipe, info: RunInfo) -> tuple[str, ...]:
    """Fields of the network that the run has otherwise; its target is what it was trained for."""
    found: list[str] = []
    for key, value in info.model_args.items():
        plain = _tupled(value)
        if plain != getattr(recipe, key, None):
            found.append(f"{key} = {_listed(plain)}")
    target = info.metrics.test.target
    if target is not None and target != recipe.target:
        found.append(f"target = {target:g}")
    return tuple(found)


def _tupled(value: Any) -> Any:
    return tuple(cast("list[Any]", value)) if isinstance(value, list) else value


def _listed(value: Any) -> str:
    if isinstance(value, tuple):
        return "-".join(map(str, cast("tuple[Any, ...]", value)))
    return str(value)
