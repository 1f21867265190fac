"""Our trainings against those of plain networks, seed by seed and image by image."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from app.cache import MOST_IN_MEMORY, Run, recorded_rows, stamp_of
from app.models.ours import OwnTraining
from drnn_core.analysis.seeds import Paired, PairedErrors, paired_errors, paired_losses
from drnn_core.recipes.beside import plain_beside
from drnn_core.recipes.readings import printed_error
from drnn_core.store.records import RecordsError, read_records

_KEPT = 64
_SECONDS_KEPT = 3600
_COLUMNS = ("id", "correct", "loss")
_Seeds = tuple[tuple[int, Path, Path], ...]


@dataclass(frozen=True)
class Against:
    """A training, that of a plain network, and what their records say of the two.

    Attributes:
        ours, plain: trained alike, on the same images.
        errors: of ours minus the plain one's, over the seeds that both have.
        losses: the same of their cross-entropy.
        printed: the same difference in the paper, in points; NaN where it prints none.
    """

    ours: OwnTraining
    plain: OwnTraining
    errors: PairedErrors
    losses: Paired
    printed: float


def against_plain(
    shown: Sequence[OwnTraining], trainings: Sequence[OwnTraining], runs: Sequence[Run]
) -> list[Against]:
    """Every training that is shown beside those of its plain networks, where both have records."""
    by_name = {run.name: run for run in runs}
    found: list[Against] = []
    for ours, plain in pairs_of(shown, trainings):
        seeds = _seeds(ours, plain, by_name)
        folders = [folder for _, *both in seeds for folder in both]
        stamps = tuple(stamp_of(folder / "records" / "manifest.json") for folder in folders)
        compared = _compared(seeds, stamps)
        if compared is not None:
            found.append(Against(ours, plain, *compared, _printed(ours) - _printed(plain)))
    return found


def pairs_of(
    shown: Sequence[OwnTraining], trainings: Sequence[OwnTraining]
) -> list[tuple[OwnTraining, OwnTraining]]:
    """Trainings of one recipe on the same images: a network as it is, and those beside it."""
    whole = [each for each in trainings if each.network and not each.changed and not each.again]
    return [
        (ours, plain)
        for ours in shown
        if ours in whole and ours.network
        for name in plain_beside(ours.network)
        for plain in whole
        if plain.network == name and plain.schooling == ours.schooling
    ]


def _seeds(ours: OwnTraining, plain: OwnTraining, runs: Mapping[str, Run]) -> _Seeds:
    """Folders of both runs of each seed that both have, with records that fit in memory."""
    others = {run.info.seed: runs[run.name] for run in plain.runs if run.name in runs}
    found: list[tuple[int, Path, Path]] = []
    for each in ours.runs:
        own, other = runs.get(each.name), others.get(each.info.seed)
        if own is None or other is None:
            continue
        rows = (recorded_rows(own), recorded_rows(other))
        if min(rows) > 0 and max(rows) <= MOST_IN_MEMORY:
            found.append((each.info.seed, other.folder, own.folder))
    return tuple(found)


@st.cache_data(max_entries=_KEPT, ttl=_SECONDS_KEPT, show_spinner=False)
def _compared(
    seeds: _Seeds, stamps: tuple[tuple[int, int], ...]
) -> tuple[PairedErrors, Paired] | None:
    """The second run of every seed against the first; None where no seed can be compared."""
    del stamps  # part of the key only
    tables: dict[int, pd.DataFrame] = {}
    for seed, plain, ours in seeds:
        try:
            first, second = (read_records(folder, _COLUMNS) for folder in (plain, ours))
        except (RecordsError, OSError):
            continue  # its own pages say what is wrong with it
        table = first.merge(second, on="id", suffixes=("_a", "_b"))
        if len(table) == len(first) == len(second):
            tables[seed] = table
    try:
        return (paired_errors(tables), paired_losses(tables)) if tables else None
    except ValueError:  # seeds on other images
        return None


def _printed(training: OwnTraining) -> float:
    """The paper's error in %, of a network on the paper's data set, also of one read otherwise."""
    on_the_papers = training.is_result_of(training.network or "")
    return printed_error(training.network) if on_the_papers else math.nan
