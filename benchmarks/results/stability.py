"""Whether an image's loops are its own: how they agree between seeds, and what that does to rho."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from benchmarks.results.loops_spread import varied
from benchmarks.results.tables import NOTHING, correlation_by_seeds, estimate, number, table
from benchmarks.results.trainings import Trained
from drnn_core.analysis.loops import block_matrix
from drnn_core.analysis.relations import spearman
from drnn_core.analysis.reliability import Reliability, across_runs, disattenuated, split_half
from drnn_core.analysis.seeds import over_seeds
from drnn_core.data.generated import FACTORS

OPENING = """An image's loops over all blocks, in runs of one training that differ in the seed.
Between seeds: mean Spearman's ρ of all pairs, the share of a run's loops that is the image's and
not the seed's; by block: the same of the block's own loops, all pairs of a block in brackets where
there are three seeds or fewer; the mean of all seeds: its reliability (Spearman-Brown). Within a
class: with each class's mean loops taken out. Halves: split-half reliability of one run's loops
over its blocks, mean over seeds. Intervals over images."""

CORRECTED = """What loops go with, corrected for that: mean over seeds of Spearman's ρ, of three
seeds and more with its 95 % interval of Student's t (of Fisher's transform), of two with the ρ of
either, and that mean over the square root of the reliability between seeds
(Spearman 1904): what loops free of the seed's chance would have, if the other column has none. The
answer's columns are each run's own."""

_ANSWERS = ("correct", "entropy", "confidence", "loss")
_FEWEST = 0.01  # of less reliability, a correction would divide by noise


def stability(groups: Sequence[Trained]) -> str:
    """Agreement between seeds and corrected relations; "" without a training of two seeds."""
    several = [one for one in varied(groups) if len(one.runs) > 1]
    if not several:
        return ""
    columns = (
        "network, data, recipe", "n seeds", "ρ between seeds", "by block", "mean of all seeds",
        "ρ between seeds within classes", "halves of one run",
    )  # fmt: skip
    heads = (
        "network, data, recipe", "loops with", "ρ, mean over seeds", "corrected for reliability",
    )  # fmt: skip
    rows: list[list[str]] = []
    related: list[list[str]] = []
    for one in several:
        loops = loops_of(one)
        between = across_runs(loops.to_numpy())
        rows.append(_row(one, loops, between))
        related += _corrected(one, records_of(one, groups), between.single.value)
    return f"{OPENING}\n\n{table(columns, rows)}\n\n{CORRECTED}\n\n{table(heads, related)}"


def loops_of(one: Trained) -> pd.DataFrame:
    """Loops of the images that every run recorded: a row an image, by id, and a column a seed."""
    columns = {seed: run.records.set_index("id")["loops"] for seed, run in one.runs.items()}
    return pd.concat(columns, axis=1, join="inner").astype("float64")


def pictures_of(one: Trained, groups: Sequence[Trained]) -> pd.DataFrame:
    """What was measured of the images themselves, by id, in whichever run on them it stands."""
    for other in (one, *groups):
        for run in (*other.runs.values(), *other.others):
            names = [name for name in run.records.columns if name.startswith("image_")]
            if names and other.training.fingerprint == one.training.fingerprint:
                return run.records.set_index("id")[names]
    return pd.DataFrame()


def records_of(one: Trained, groups: Sequence[Trained]) -> list[pd.DataFrame]:
    """Every seed's records; what is measured of the picture holds for all who looked at it."""
    pictures = pictures_of(one, groups)
    frames = [run.records for run in one.runs.values()]
    return [
        frame.assign(**{name: frame["id"].map(pictures[name]) for name in pictures.columns})
        for frame in frames
    ]


def _row(one: Trained, loops: pd.DataFrame, between: Reliability) -> list[str]:
    labels = one.first.records.set_index("id")["label"].loc[loops.index]
    inside = loops - loops.groupby(labels).transform("mean")
    return [
        one.name,
        str(len(one.runs)),
        estimate(between.single),
        _by_block(one, loops.index),
        estimate(between.whole),
        estimate(across_runs(inside.to_numpy()).single),
        _halves(one),
    ]


def _by_block(one: Trained, ids: pd.Index) -> str:
    """Spearman's ρ of each block's loops between pairs of seeds: mean, and each pair of a few."""
    runs = [run.records.set_index("id").loc[ids].reset_index() for run in one.runs.values()]
    blocks = [block_matrix(records) for records in runs]
    said: list[str] = []
    for place, block in enumerate(block for block in one.first.facts.layout if block.gated):
        rhos = [
            spearman(first[:, place], second[:, place], resamples=1).rho
            for first, second in combinations(blocks, 2)
        ]
        pairs = f" ({', '.join(number(rho, '.2f') for rho in rhos)})" if 1 < len(rhos) < 4 else ""
        said.append(f"{block.name}: {number(float(np.mean(rhos)), '.2f')}{pairs}")
    return ", ".join(said)


def _halves(one: Trained) -> str:
    """Mean of the runs; a dash where their blocks contradict each other."""
    found: list[float] = []
    for run in one.runs.values():
        blocks = block_matrix(run.records)
        if blocks.shape[1] < 2:
            return NOTHING
        found.append(split_half(blocks, resamples=2).whole.value)
    known = [value for value in found if not np.isnan(value)]
    if len(known) < len(found):
        return f"none: in {len(found) - len(known)} of {len(found)} runs the blocks contradict"
    return f"{np.mean(known):.3f} ({min(known):.3f} to {max(known):.3f})"


def _corrected(one: Trained, frames: Sequence[pd.DataFrame], reliable: float) -> list[list[str]]:
    """A row for each column: the answer's, the image's, the factors of ``generated``."""
    rows: list[list[str]] = []
    pictures = [name for name in frames[0].columns if name.startswith("image_")]
    for name in [*_ANSWERS, *pictures, *(FACTORS if one.first.generated else ())]:
        rhos = [spearman(frame["loops"], frame[name], resamples=1).rho for frame in frames]
        mean = over_seeds(rhos).mean
        freed = disattenuated(mean, reliable) if reliable > _FEWEST else math.nan
        rows.append([one.name, f"`{name}`", correlation_by_seeds(rhos), number(freed, "+.3f")])
    return rows
