"""What running statistics cost, from what ``drnn population`` keeps with runs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.results.shipped import Shipped
from benchmarks.results.tables import NOTHING, number, table
from drnn_core.store.population import StoredPopulation, has_population, read_population

_KINDS = {"naive": "one for all loops", "lvbn": "LVBN", "ilvbn": "I-LVBN"}
_MEANING = """The same test images evaluated twice (`drnn population`): with running statistics, as
everywhere else, and with those of each batch in the recursive blocks, as training normalises (gates
without noise, other norms by their running statistics, images in random order). Beside the errors,
how far the running statistics are from those of the batches in each loop: the mean in running
standard deviations (mean over channels, norms and loops; the largest of a norm and loop), and the
smallest and largest running variance over the batches' (geometric mean over channels)."""


def population_statistics(runs: Sequence[Shipped]) -> str:
    """Both errors of every run that was measured; "" where none was."""
    found = [(run, read_population(run.folder)) for run in runs if has_population(run.folder)]
    if not found:
        return ""
    columns = (
        "run", "norms", "images", "batch", "error %, running statistics", "error %, batches",
        "loss", "loss, batches", "loops", "loops, batches", "mean off by, sd (largest)",
        "running / batch variance",
    )  # fmt: skip
    return f"{_MEANING}\n\n{table(columns, [_row(*each) for each in found])}"


def _row(run: Shipped, stored: StoredPopulation) -> list[str]:
    means, shifts = (_known(stored, name) for name in ("mean_bias", "variance_shift"))
    ways = (stored.population, stored.batches)
    cells = [
        f"`{run.folder.name}`",
        _KINDS.get(stored.kind, stored.kind),
        f"{stored.images:,}",
        f"{stored.batch:,}",
        *(f"{way.error:.2f}" for way in ways),
        *(number(way.loss, ".3f") for way in ways),
        *(f"{way.loops:.2f}" for way in ways),
    ]
    if not len(means):
        return [*cells, NOTHING, NOTHING]
    low, high = math.exp(shifts.min()), math.exp(shifts.max())
    return [*cells, f"{means.mean():.3f} ({means.max():.3f})", f"{low:.2f} to {high:.2f}"]


def _known(stored: StoredPopulation, name: str) -> NDArray[np.float64]:
    return np.array([value for value in stored.biases[name] if value is not None])
