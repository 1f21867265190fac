"""What the page works out: who is easy and hard, and what separates them; kept for all sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from app import cache, columns
from app.columns import Column
from app.methods import METHOD_TITLES, method_of
from app.ranges import ColumnRange
from drnn_core.analysis.effects import Effect
from drnn_core.analysis.galleries import (
    ByCount,
    ByLoops,
    ClassGallery,
    Rule,
    galleries,
    pooled,
    separation,
    to_show,
    typical_classes,
)
from drnn_core.store.columns import column_tables
from drnn_core.store.manifest import MANIFEST

CLASSES_MOST = 12  # beside each other
_FEW_CLASSES = 10  # of many, at first
_RESAMPLES_MOST, _RESAMPLES_LEAST = 500, 100
_DRAWS = 1_000_000  # images drawn for the intervals of a column: some tenths of a second in all
_KEPT = 64
_SECONDS_KEPT = 3600

# Where a column comes from, by its kind: a property of the picture, or of the network's answer.
SOURCES = {
    "picture": "picture, measured",
    "factor": "picture, known",
    "network": "network's own",
    "brought": "your table",
}


@dataclass(frozen=True)
class View:
    """What every part of the page looks at."""

    run: cache.Run
    table: cache.Table
    rule: Rule
    correct: bool | None
    labels: tuple[int, ...]
    among: ColumnRange | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the run's classes."""
        assert self.run.info is not None
        return self.run.info.classes

    @cached_property
    def found(self) -> list[ClassGallery]:
        """Easy and hard images of each chosen class."""
        among = None if self.among is None else self.among.kept
        return galleries(self.table.frame, self.rule, self.correct, self.labels, among)

    @cached_property
    def ends(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows of all easy images, and of all hard ones."""
        return pooled(self.found)

    def to_show(self, rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        """So many of one end of a class; of many more that tie, some at even distances."""
        asked = self.rule.images if isinstance(self.rule, ByCount) else 0
        return to_show(rows, self.table.frame["loops"].to_numpy(), count, asked)

    def last_of(self, rows: NDArray[np.int64]) -> str:
        """How many of one end of a class loop as often as the last of it: "877 run 4 loops"."""
        loops = self.table.frame["loops"].to_numpy()[rows]
        return f"{int((loops == loops[-1]).sum()):,} run {_loops(int(loops[-1]))}"

    @cached_property
    def shown(self) -> list[ClassGallery]:
        """The classes that stand beside each other."""
        if len(self.found) <= CLASSES_MOST:
            return self.found
        if self.labels:
            return self.found[:CLASSES_MOST]
        there = [gallery.label for gallery in self.found]
        frame = self.table.frame
        few = typical_classes(frame[frame["label"].isin(there)], _FEW_CLASSES)
        return [gallery for gallery in self.found if gallery.label in few]


@dataclass(frozen=True)
class Compared:
    """A column, described, with what separates easy from hard images in it."""

    column: Column
    effect: Effect

    @property
    def source(self) -> str:
        """A key of ``SOURCES``."""
        return source_of(self.column)

    @property
    def sure(self) -> bool:
        """Whether the interval within classes leaves no difference out."""
        return self.effect.within.low > 0 or self.effect.within.high < 0


def source_of(column: Column) -> str:
    """Where a column comes from: a key of ``SOURCES``."""
    if column.kind == "measured":
        return "picture" if column.name.startswith("image_") else "network"
    return {"output": "network", "factor": "factor", "brought": "brought"}[column.kind]


def first_limits(table: cache.Table) -> tuple[int, int]:
    """Loops of the tenth of the images at either end, where the limits begin; not the same."""
    loops = table.frame["loops"].to_numpy()
    low, high = np.quantile(loops, [0.1, 0.9], method="inverted_cdf").astype(int).tolist()
    return (low, high) if low < high else (max(0, low - 1), max(1, high))


def rule_words(rule: Rule) -> tuple[str, str]:
    """What the easy and the hard images are, as the end of "Easy: ..." and "Hard: ..."."""
    if isinstance(rule, ByLoops):
        return f"at most {_loops(rule.easy)}", f"at least {_loops(rule.hard)}"
    ties = ", and all that loop as often as the last of them"
    if isinstance(rule, ByCount):
        many = f"the {rule.images} images" if rule.images > 1 else "the image"
        ties = ties if rule.with_ties else ""
    else:
        many = f"the {100 * rule.share:g} %"
    return f"{many} of each class with the fewest loops{ties}", f"those with the most{ties}"


def _loops(count: int) -> str:
    return f"{count} loop" if count == 1 else f"{count} loops"


def resamples_for(images: int) -> int:
    """Bootstrap resamples that a column of so many images gets: fewer where they are many."""
    return int(np.clip(_DRAWS // max(1, images), _RESAMPLES_LEAST, _RESAMPLES_MOST))


def compared(view: View, frame: pd.DataFrame) -> list[Compared]:
    """Every column that varies among the easy and hard images, the largest difference first.

    Args:
        view: of the page.
        frame: of ``app.columns``, with the rows of the view's table.
    """
    easy, hard = view.ends
    described = [titled(column) for column in columns.described(frame, view.run)]
    rows = np.concatenate([easy, hard])
    varying = [column for column in described if _varies(frame[column.name].to_numpy()[rows])]
    own = [column.name for column in varying if column.kind == "brought"]
    others = tuple(column.name for column in varying if column.kind != "brought")
    among = "" if view.among is None else view.among.digest
    key = (view.run.folder, view.table.stamp, _stamps(view.run.folder), among)
    effects = _effects(key, view.rule, view.correct, view.labels, others, frame, view.found)
    if own:  # what a user brought is kept for nobody
        found = separation(frame, view.found, own, resamples=resamples_for(len(rows)))
        effects = [*effects, *found]
    by_name = {column.name: column for column in varying}
    pairs = [Compared(by_name[effect.column], effect) for effect in effects]
    there = [pair for pair in pairs if not np.isnan(pair.effect.within.value)]
    return sorted(there, key=lambda pair: (-abs(pair.effect.within.value), pair.column.name))


def chosen(pairs: Sequence[Compared], whose: str) -> list[Compared]:
    """The columns of the "pictures", of the "network", or "all"; all where there is none."""
    kept = [
        pair
        for pair in pairs
        if whose == "all" or (pair.source == "network") == (whose == "network")
    ]
    return kept or list(pairs)


def titled(column: Column) -> Column:
    """A column of evidence under its method's title, such as "Grad-CAM: spread"."""
    method = method_of(column.name) if column.kind == "measured" else None
    if method is None:
        return column
    plain, title = method.replace("_", " "), METHOD_TITLES[method]
    label = column.label.replace(f"{plain}:", f"{title}:")
    meaning = column.meaning.replace(f"Method: {plain}.", f"Method: {title}.")
    return replace(column, label=label, meaning=meaning)


def _varies(values: NDArray[np.float64]) -> bool:
    finite = values[np.isfinite(values)]
    return len(finite) > 0 and bool((finite != finite[0]).any())


Stamps = tuple[tuple[int, int], ...]
Key = tuple[Path, str, Stamps, str]


def _stamps(folder: Path) -> Stamps:
    """Change when columns beside the records are written anew."""
    tables = column_tables(folder)
    return tuple(cache.stamp_of(folder / "columns" / name / MANIFEST) for name in tables)


@st.cache_resource(max_entries=_KEPT, ttl=_SECONDS_KEPT, show_spinner=False)
def _effects(
    key: Key,
    rule: Rule,
    correct: bool | None,
    labels: tuple[int, ...],
    names: tuple[str, ...],
    _frame: pd.DataFrame,
    _found: Sequence[ClassGallery],
) -> list[Effect]:
    del key, correct, labels
    del rule
    images = sum(len(gallery.easy) + len(gallery.hard) for gallery in _found)
    return separation(_frame, _found, names, resamples=resamples_for(images))
