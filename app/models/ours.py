"""What was trained here: runs as results of the paper's networks, each on its own data set.

Runs that differ in nothing but the seed are one training, whose figures are means over the seeds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import stdev
from typing import Any

from app.cache import Run
from app.models.tables import measured
from drnn_core.recipes import NETWORKS, TRAININGS
from drnn_core.store.repeats import (
    changes_of,
    data_set_of,
    repeats_of,
    schooling_but_for_gates,
    training_of_run,
)
from drnn_core.store.retraining import training_changes_of
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
    def seeds(self) -> str:
        """For people."""
        return str(self.info.seed)

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


@dataclass(frozen=True)
class OwnTraining:
    """Runs of one training, in the order of their seeds.

    Attributes:
        runs: one for each seed.
        again: it repeats a seed of another training here that is else the same.
    """

    runs: tuple[OwnRun, ...]
    again: bool = False

    @property
    def info(self) -> RunInfo:
        """run.json of the first seed; all say the same of the training."""
        return self.runs[0].info

    @property
    def name(self) -> str:
        """Of the run's folder; of several what all are called but for the seed, or the title."""
        if len(self.runs) == 1:
            return self.runs[0].name
        shared = {re.sub(r"_s\d+$", "", run.name) for run in self.runs}
        return f"{shared.pop() if len(shared) == 1 else self.info.title} (seeds {self.seeds})"

    @property
    def seeds(self) -> str:
        """For people."""
        return ", ".join(str(run.info.seed) for run in self.runs)

    @property
    def network(self) -> str | None:
        """See ``OwnRun``."""
        return self.runs[0].network

    @property
    def changed(self) -> tuple[str, ...]:
        """See ``OwnRun``."""
        return self.runs[0].changed

    @property
    def data_set(self) -> str:
        """See ``OwnRun``."""
        return self.runs[0].data_set

    @property
    def recipe(self) -> str:
        """How it was trained, for example "long-batchrate"."""
        return training_of_run(self.info).recipe

    @cached_property
    def schooling(self) -> str:
        """Equal of networks that were trained alike on the same images, but for their gates."""
        return schooling_but_for_gates(training_of_run(self.info))

    @cached_property
    def metrics(self) -> Metrics:
        """Means over the seeds; the standard deviation of loops is over images, its mean."""
        every = [run.metrics for run in self.runs]
        names = ("error", "loss", "loops_mean", "loops_std", "macs_mean")
        means: dict[str, Any] = {
            name: sum(getattr(each, name) for each in every) / len(every) for name in names
        }
        for name in ("rate", "error_top5"):
            known = [getattr(each, name) for each in every if getattr(each, name) is not None]
            means[name] = sum(known) / len(known) if known else None
        return replace(every[0], **means)

    @property
    def accuracy(self) -> float:
        """Mean over seeds of what ``OwnRun.accuracy`` is."""
        return sum(run.accuracy for run in self.runs) / len(self.runs)

    @property
    def accuracy_text(self) -> str:
        """Mean ± standard deviation over seeds, the figure itself of one."""
        more = ""
        if len(self.runs) > 1:
            more = f" ± {stdev(run.accuracy for run in self.runs):.2f}"
        return f"{self.accuracy:.2f}{more}"

    def is_result_of(self, network: str) -> bool:
        """See ``OwnRun``."""
        return self.runs[0].is_result_of(network)


def trainings_of(runs: Sequence[OwnRun]) -> list[OwnTraining]:
    """Runs put together by training, by the name of their first; every run is in one of them."""
    by_name = {run.name: run for run in runs}
    found: list[OwnTraining] = []
    for each in repeats_of({name: run.info for name, run in by_name.items()}):
        found.append(OwnTraining(tuple(by_name[name] for name in each.names.values())))
        found += [OwnTraining((by_name[name],), again=True) for name in each.others]
    return sorted(found, key=lambda training: training.runs[0].name)


def own_runs(runs: Iterable[Run]) -> list[OwnRun]:
    """All runs that can be read, by name."""
    return [_own(run.name, run.info) for run in runs if run.info is not None]


def results_of(network: str, trainings: Sequence[OwnTraining]) -> list[OwnTraining]:
    """Every training of the network as it is, on the paper's data set, the longest first.

    Of equally long ones the recipe comes first that stands first among the trainings, so that
    variants of ours and changed recipes come behind. A seed that was trained again does not count
    twice.
    """
    fitting = [each for each in trainings if each.is_result_of(network) and not each.again]
    order = (*TRAININGS, "")
    return sorted(
        fitting,
        key=lambda each: (
            -each.info.epochs,
            order.index(each.recipe if each.recipe in order else ""),
            len(training_changes_of(each.info)),
            -len(each.runs),
        ),
    )


def _own(name: str, info: RunInfo) -> OwnRun:
    recipe = NETWORKS.get(info.model)
    network = None if recipe is None else recipe.name
    return OwnRun(name, info, network, changes_of(info), data_set_of(info))
