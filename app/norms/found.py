"""The statistics of a run's norms as the page sees them, read once for all sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from app.cache import Run, stamp_of
from drnn_core.analysis.moments import NormStatistics, Sampled, t_factor
from drnn_core.analysis.norm_bias import bias_table, sampled_biases
from drnn_core.analysis.norm_discrepancy import discrepancy_table, sampled_discrepancies
from drnn_core.inference.facts import NetworkShape, run_shape
from drnn_core.querying.norms import statistics_of
from drnn_core.store.norms import NORMS, NormsHeader, StoredNorms, has_norms, read_norms
from drnn_core.store.runs import read_run

FEW = 30  # images of a group below which its statistics are called unsure
KINDS = {"naive": "one BatchNorm for all loops", "lvbn": "LVBN", "ilvbn": "I-LVBN"}
KINDS["ilvbn_joint"] = "I-LVBN, joint"

_KEPT = 6
_SHAPES_KEPT = 1024  # as runs, see app/cache.py
_SECONDS_KEPT = 3600


@dataclass(frozen=True)
class Found:
    """What was measured of a run; shared between sessions, not to be changed in place.

    Attributes:
        run: name of its folder.
        stored: as it lies on the disk.
        table: a row for each norm and loop, in the order of execution: the columns of
            ``discrepancy_table`` and ``bias_table``, and ``unsure``, where a group that is not
            empty has few images.
        sampled: each measure and bias, (P,) over the rows, and how sure it is.
    """

    run: str
    stored: StoredNorms
    table: pd.DataFrame
    sampled: Mapping[str, Sampled]

    @property
    def header(self) -> NormsHeader:
        """Of which weights and images."""
        return self.stored.header

    @property
    def skips(self) -> bool:
        """Whether there is a loop that some images execute and others do not."""
        return bool(((self.table["executed"] > 0) & (self.table["skipped"] > 0)).any())

    @property
    def blocks(self) -> tuple[str, ...]:
        """Names of the recursive blocks, in network order."""
        return tuple(block.name for block in self.header.blocks)

    @property
    def kind(self) -> str:
        """What the norms are, for people; of the first block, should they differ."""
        kind = self.header.blocks[0].norms[0].kind
        return KINDS.get(kind, kind)

    @property
    def shared(self) -> bool:
        """Whether all loops of a block share one set of running statistics."""
        return self.header.blocks[0].norms[0].kind == "naive"

    def norms(self, block: str) -> tuple[str, ...]:
        """Names of a block's norms, in the order of execution."""
        return tuple(
            norm.name for each in self.header.blocks if each.name == block for norm in each.norms
        )

    @property
    def all_norms(self) -> tuple[str, ...]:
        """Names of the norms of any block."""
        return tuple(dict.fromkeys(norm for block in self.blocks for norm in self.norms(block)))

    def loops_of(self, block: str, norm: str) -> list[NormStatistics]:
        """What was measured at one norm, a loop each."""
        return statistics_of(self.stored, block, norm)

    def rows(self, norm: str) -> pd.DataFrame:
        """The table of one norm of all blocks."""
        return self.table[self.table["norm"] == norm]

    def margin(self, rows: pd.DataFrame, name: str) -> pd.Series[float]:
        """Half the 95 % interval of a measure or bias, row by row."""
        return rows[f"{name}_error"] * t_factor(self.header.parts)

    def same_shape(self, other: Found) -> bool:
        """Whether another run has the same blocks, loops, norms and channels."""
        return _shape(self.header) == _shape(other.header)


def found_in(run: Run) -> Found:
    """The statistics of a run.

    Raises:
        NormsError: there are none, they are damaged, or of other weights.
    """
    return _found(run.folder, stamp_of(run.folder / NORMS), stamp_of(run.folder / "run.json"))


def measured(run: Run) -> bool:
    """Whether statistics of the run were written (they may still be damaged)."""
    return has_norms(run.folder)


def shape_of(run: Run) -> NetworkShape:
    """Blocks, loops and cost of a run's network.

    Raises:
        RunError: run.json names a network that cannot be built.
    """
    return _run_shape(run.folder, stamp_of(run.folder / "run.json"))


def alike(run: Run, runs: Sequence[Run]) -> list[Run]:
    """The other runs whose recursive blocks, loops and channels are this one's."""
    mine = _outline(shape_of(run))
    found: list[Run] = []
    for other in runs:
        if other.info is None or other.name == run.name:
            continue
        try:
            if _outline(shape_of(other)) == mine:
                found.append(other)
        except ValueError:
            continue  # its own page says what is wrong with it
    return found


def _outline(shape: NetworkShape) -> list[tuple[int, str, int]]:
    return [
        (stage.channels, block.name, block.loops)
        for stage in shape.stages
        for block in stage.blocks
        if block.loops
    ]


def _shape(header: NormsHeader) -> list[tuple[object, ...]]:
    return [
        (block.name, block.loops, *((norm.name, norm.channels) for norm in block.norms))
        for block in header.blocks
    ]


@st.cache_resource(max_entries=_KEPT, ttl=_SECONDS_KEPT, show_spinner=False)
def _found(folder: Path, stamp: tuple[int, int], run_stamp: tuple[int, int]) -> Found:
    del stamp, run_stamp  # part of the key only
    stored = read_norms(folder, read_run(folder).weights_sha256)
    places = statistics_of(stored)
    gaps, biases = sampled_discrepancies(places), sampled_biases(places)
    table = discrepancy_table(places, gaps)
    bias = bias_table(places, biases)
    table = table.join(bias[[name for name in bias if name not in table]])
    skipped = table["skipped"].between(1, FEW - 1)
    table["unsure"] = (table["executed"] < FEW) | skipped
    return Found(folder.name, stored, table, {**gaps, **biases})


@st.cache_resource(max_entries=_SHAPES_KEPT, ttl=_SECONDS_KEPT, show_spinner=False)
def _run_shape(folder: Path, stamp: tuple[int, int]) -> NetworkShape:
    del stamp
    return run_shape(read_run(folder))
