"""What was trained here: runs as results of the paper's networks, each on its own data set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.cache import Run
from app.models.tables import measured
from drnn_core.recipes import NETWORKS
from drnn_core.store.repeats import changes_of, data_set_of
from drnn_core.store.runs import Metrics, RunInfo


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


def _own(name: str, info: RunInfo) -> OwnRun:
    recipe = NETWORKS.get(info.model)
    network = None if recipe is None else recipe.name
    return OwnRun(name, info, network, changes_of(info), data_set_of(info))
