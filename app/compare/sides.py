"""The runs that are compared, each with its letter, and what keeps one from taking part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app import cache
from app.cache import Run, Table
from app.pairs import PairError, pair_of, same_images
from drnn_core.inference.facts import NetworkFacts
from drnn_core.store.repeats import data_set_of
from drnn_core.store.runs import RunInfo

LETTERS = "ABCD"


@dataclass(frozen=True)
class Side:
    """A run that takes part.

    Attributes:
        letter: that stands for it everywhere on the page.
        run: the run.
        info: its run.json.
        facts: its network.
        table: its records; None where it has none that can be read.
        changes: images differ in their loops.
    """

    letter: str
    run: Run
    info: RunInfo
    facts: NetworkFacts
    table: Table | None
    changes: bool

    @property
    def name(self) -> str:
        """Of its folder."""
        return self.run.name

    def column(self, name: str) -> NDArray[Any]:
        """A column of its records."""
        assert self.table is not None
        return self.table.frame[name].to_numpy()


def sides_of(runs: Sequence[Run]) -> tuple[list[Side], list[str]]:
    """The runs that take part, and a sentence on each that does not or only in part.

    Letters go by the places of the runs, so that a damaged one does not rename the others.
    """
    sides: list[Side] = []
    said: list[str] = []
    for letter, run in zip(LETTERS, runs, strict=False):
        side, problem = _side(letter, run)
        if side is not None:
            sides.append(side)
        if problem:
            said.append(problem)
    return sides, said


def _side(letter: str, run: Run) -> tuple[Side | None, str]:
    if run.info is None:
        return None, f"{letter}, the run {run.name}, cannot be opened: {_end(run.problem or '')}"
    try:
        facts = cache.facts(run)
    except ValueError as error:
        return None, f"{letter}, the run {run.name}, cannot be opened: {_end(str(error))}"
    table, problem = _table(letter, run)
    changes = False
    if table is not None and len(table.frame):
        changes = bool(np.ptp(table.frame["loops"].to_numpy()) > 0)
    return Side(letter, run, run.info, facts, table, changes), problem


def _table(letter: str, run: Run) -> tuple[Table | None, str]:
    if not cache.recorded(run):
        return None, (
            f"{letter}, the run {run.name}, has no records: what is known of it comes from its "
            f"run.json, and it cannot be compared image by image. `drnn records {run.folder} "
            "--data D` writes them."
        )
    try:
        table = cache.table(run)
        if table.sampled:
            return table, (
                f"{letter}, the run {run.name}, has {table.header.rows:,} records; a sample of "
                f"{len(table.frame):,} is compared."
            )
        return table, ""
    except (ValueError, OSError) as error:
        return None, f"{letter}: the records of {run.name} cannot be read: {_end(str(error))}"


def same_test(first: Side, other: Side) -> bool:
    """Whether both were tested on the same images, as far as it is known."""
    if first.table is not None and other.table is not None:
        return same_images(first.run, other.run)
    sets = data_set_of(first.info), data_set_of(other.info)
    return sets[0] == sets[1] and first.info.metrics.test.n == other.info.metrics.test.n


def unpaired(first: Side, other: Side) -> str | None:
    """Why two sides cannot be compared image by image, in one sentence; None where they can."""
    if first.table is None or other.table is None:
        without = first if first.table is None else other
        return f"{without.letter} has no records."
    if same_images(first.run, other.run):
        return None
    try:
        pair_of(first.run, other.run)
    except PairError as error:
        reason = str(error)
        if "images in common" in reason:
            reason = (
                f"no image has a record of both: {first.letter} is of "
                f"{first.table.header.dataset}, {other.letter} of {other.table.header.dataset}"
            )
        return f"{first.letter} and {other.letter} cannot be paired: {_end(reason)}"
    return None


def _end(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
