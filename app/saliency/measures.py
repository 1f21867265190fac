"""The page's figures in numbers: kept for all sessions, by the content that they are of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from app.saliency.subject import Choice, View, column_of
from drnn_core.analysis import relation_overview
from drnn_core.analysis.by_loops import Density, density, means_by_loops
from drnn_core.analysis.evidence import METHODS, Method
from drnn_core.analysis.relation_overview import by_group, overview, with_interval
from drnn_core.analysis.relations import Relation, partial, spearman, within

_KEPT = 128
_SECONDS_KEPT = 3600
_CONFIDENCE = "confidence"

# The bootstrap of more images takes seconds, and the formula is as good for so many.
MOST_RESAMPLED = 10_000
RESAMPLES = 500

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Related:
    """How a column goes with loops.

    Attributes:
        everywhere: over all images; ``within`` classes; ``given`` the confidence.
        by_class: of each class by its number.
        means: ``analysis.by_loops.means_by_loops``.
        density: images by loops and value.
        resampled: the intervals of the first three are of a bootstrap; else by formula.
    """

    everywhere: Relation
    within: Relation
    given: Relation
    by_class: dict[int, Relation]
    means: pd.DataFrame
    density: Density
    resampled: bool


@dataclass(frozen=True)
class Cell:
    """One method and statistic of the overview; no relation where nobody measured it."""

    method: Method
    statistic: str
    relation: Relation | None


def related(view: View, choice: Choice) -> Related:
    """The chosen column of the images that the filters leave, beside their loops."""
    return _related(
        view.kept("loops"),
        view.kept(choice.name),
        view.kept("label"),
        view.kept(_CONFIDENCE),
        view.loops_max,
        choice.name == _CONFIDENCE,
    )


def cells(view: View, over: relation_overview.View) -> list[Cell]:
    """Every method and statistic, row by row."""
    names = [
        column_of(method, each)
        for method in METHODS
        for each in view.statistics
        if column_of(method, each) in view.values
    ]
    found = _overview(
        view.kept("loops"),
        [view.kept(name) for name in names],
        names,
        over,
        view.kept("label"),
        view.kept(_CONFIDENCE),
    )
    return [
        Cell(method, each, found.get(column_of(method, each)))
        for method in METHODS
        for each in view.statistics
    ]


@st.cache_data(max_entries=_KEPT, ttl=_SECONDS_KEPT, show_spinner=False)
def _overview(
    loops: Floats,
    values: Sequence[Floats],
    names: Sequence[str],
    over: relation_overview.View,
    labels: Floats,
    confidence: Floats,
) -> dict[str, Relation]:
    columns: Any = dict(zip(names, values, strict=True))
    return overview(loops, columns, over, labels, [confidence])


@st.cache_data(max_entries=_KEPT, ttl=_SECONDS_KEPT, show_spinner=False)
def _related(
    loops: Floats,
    values: Floats,
    labels: Floats,
    confidence: Floats,
    loops_max: int,
    itself: bool,
) -> Related:
    resampled = int(np.isfinite(values).sum()) <= MOST_RESAMPLED
    count = RESAMPLES if resampled else 0
    everywhere = spearman(loops, values, resamples=count)
    if resampled:
        inside = within(loops, values, labels, resamples=count)
    else:
        everywhere = with_interval(everywhere)
        inside = overview(loops, {"": values}, "within", labels)[""]
    nothing = Relation(np.nan, np.nan, np.nan, np.nan, everywhere.n, everywhere.level)
    given = nothing if itself else partial(loops, values, [confidence], resamples=count)
    return Related(
        everywhere,
        inside,
        given if resampled or itself else with_interval(given, 1),
        by_group(loops, values, labels),
        means_by_loops(loops, values),
        density(loops, values, loops_max),
        resampled,
    )
