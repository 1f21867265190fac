"""The runs of one training with its seeds, and which of them stand beside which."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from benchmarks.results.shipped import Shipped
from drnn_core.analysis.comparison import McNemar, mcnemar, paired
from drnn_core.analysis.seeds import OverSeeds, PairedErrors, over_seeds, paired_errors
from drnn_core.recipes import NETWORKS, TRAININGS
from drnn_core.recipes.beside import plain_beside
from drnn_core.store.columns import column_tables
from drnn_core.store.repeats import (
    Training,
    changes_of,
    repeats_of,
    same_schooling,
    seed_in_name,
)
from drnn_core.store.retraining import train_command, training_changes_of

_ABOUT_CHANCE = 5.0  # points of accuracy above guessing that still count as guessing


@dataclass(frozen=True)
class Trained:
    """Runs of one training, one for each seed.

    Attributes:
        training: what they have in common.
        runs: by seed.
        others: runs of a seed that is there already.
    """

    training: Training
    runs: Mapping[int, Shipped]
    others: tuple[Shipped, ...] = ()

    @property
    def first(self) -> Shipped:
        """The run of the smallest seed."""
        return next(iter(self.runs.values()))

    @cached_property
    def changes(self) -> tuple[str, ...]:
        """In what the network is not the registered one of its name."""
        return changes_of(self.first.info)

    @property
    def network(self) -> str | None:
        """The registered network that it is, unchanged."""
        name = self.first.info.model
        return name if name in NETWORKS and not self.changes else None

    @property
    def schedule(self) -> str:
        """The training recipe, its epochs and what was changed of it."""
        changed = training_changes_of(self.first.info)
        return ", ".join([self.training.recipe, f"{self.training.epochs} epochs", *changed])

    @property
    def title(self) -> str:
        """Of the network, with what was changed of it."""
        return self.first.title

    @property
    def precisions(self) -> frozenset[str]:
        """Of the arithmetic of its runs, which does not tell trainings apart."""
        return frozenset(run.info.precision for run in self.runs.values())

    @property
    def name(self) -> str:
        """For tables."""
        return f"{self.title}, {self.training.data}, {self.schedule}"

    @property
    def gated(self) -> bool:
        """Whether its gates choose; images then differ in their loops, or might."""
        return self.training.target is not None

    def over(self, figure: Callable[[Shipped], float | None]) -> OverSeeds:
        """A figure of every run, over the seeds."""
        found = [figure(run) for run in self.runs.values()]
        return over_seeds([value for value in found if value is not None])

    @property
    def errors(self) -> dict[int, float]:
        """Test error in % by seed."""
        return {seed: run.info.metrics.test.error for seed, run in self.runs.items()}

    @property
    def guessing(self) -> int:
        """How many seeds ended about where guessing would."""
        least = 100 * (1 - 1 / len(self.first.info.classes)) - _ABOUT_CHANCE
        return sum(error >= least for error in self.errors.values())


def trained(runs: Sequence[Shipped]) -> list[Trained]:
    """Runs put together by training, in the order of the registered networks."""
    by_name = {run.folder.name: run for run in runs}
    found = [
        Trained(
            each.training,
            {seed: by_name[name] for seed, name in each.names.items()},
            tuple(by_name[name] for name in each.others),
        )
        for each in repeats_of({name: run.info for name, run in by_name.items()})
    ]
    networks, recipes = list(NETWORKS), list(TRAININGS)

    def place(one: Trained) -> tuple[str, int, int, int, str]:
        model, recipe = one.first.info.model, one.training.recipe
        return (
            one.training.data,
            recipes.index(recipe) if recipe in recipes else len(recipes),
            -one.training.epochs,
            networks.index(model) if model in networks else len(networks),
            one.title,
        )

    return sorted(found, key=place)


def told_alone(runs: Sequence[Shipped]) -> list[Shipped]:
    """Runs that have parts of the page to themselves, in the order given.

    Those that are not named for their seed; and of each network on each data set, where there is
    none of these, the smallest seed of the longest training, if columns were measured of it.
    """
    chosen = {run.folder.name for run in runs if not seed_in_name(run.folder.name)}
    longest: dict[tuple[str, str], Trained] = {}
    for one in trained(runs):
        here = (one.title, one.training.data)
        if here not in longest or one.training.epochs > longest[here].training.epochs:
            longest[here] = one
    for one in longest.values():
        every = [*one.runs.values(), *one.others]
        if not any(run.folder.name in chosen for run in every):
            measured = [run for run in every if column_tables(run.folder)]
            chosen |= {run.folder.name for run in measured[:1]}
    return [run for run in runs if run.folder.name in chosen]


def alike(first: Trained, second: Trained) -> bool:
    """Whether two networks were trained alike on the same images."""
    return same_schooling(first.training, second.training)


def both_seeds(first: Trained, second: Trained) -> list[int]:
    """Seeds that both have."""
    return [seed for seed in first.runs if seed in second.runs]


def tables_of(first: Trained, second: Trained) -> dict[int, pd.DataFrame]:
    """``paired``'s table of each seed that both have."""
    return {
        seed: paired(first.runs[seed].records, second.runs[seed].records)
        for seed in both_seeds(first, second)
    }


def plain_pairs(groups: Sequence[Trained]) -> list[tuple[Trained, Trained]]:
    """(plain, network) that were trained alike with a seed that both have, network by network.

    A network that was changed stands beside the counterpart alone: its blocks may be others.
    """
    return [
        (plain, one)
        for one in groups
        for name in _plain_beside(one)
        for plain in groups
        if plain.network == name and alike(one, plain) and both_seeds(plain, one)
    ]


def _plain_beside(one: Trained) -> tuple[str, ...]:
    if one.network is not None:
        return plain_beside(one.network)
    recipe = NETWORKS.get(one.first.info.model)
    return () if recipe is None or recipe.counterpart is None else (recipe.counterpart,)


def compared(first: Trained, second: Trained) -> tuple[PairedErrors, dict[int, McNemar]] | None:
    """Second minus first, seed by seed; None without a seed that both have."""
    pairs = tables_of(first, second)
    if not pairs:
        return None
    return paired_errors(pairs), {seed: mcnemar(table) for seed, table in pairs.items()}


def command(one: Trained) -> str:
    """How to train its runs anew, as Markdown."""
    kinds = dict.fromkeys(train_command(run.info) for run in one.runs.values())
    said = " or ".join(f"`{kind}`" for kind in kinds)
    return f"{said}, S = {', '.join(map(str, one.runs))}; `drnn records RUN --data DATA`"
