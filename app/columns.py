"""Numbers of each image beside its loops: the records' own, those measured later, and a user's.

Pages relate them to loops. What a user brings stays in that session, see ``app/joining``, unless it
is kept in the run; what the run has is read once for all sessions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from app import cache
from app.cache import Run, Table, stamp_of
from drnn_core.store.columns import OWN, column_table, column_tables, columns_header, read_columns
from drnn_core.store.manifest import MANIFEST

# {name of a run: Brought}; set by the page where a user's table is dropped.
BROUGHT = "brought_columns"

_KEPT = 24
_SECONDS_KEPT = 3600

Kind = Literal["output", "factor", "measured", "brought"]


@dataclass(frozen=True)
class Brought:
    """A user's table, joined to the records of one run.

    Attributes:
        source: name of the file, to be shown only; plain text without marks.
        values: name -> (N,) float64 in the order of ``Table.frame``, NaN where there is none.
            Names are plain text, too, and none is that of another column.
        fingerprint: of the images that the records are of.
        kept_in: runs that keep it themselves by now, and under which name they show it as theirs.
    """

    source: str
    values: Mapping[str, NDArray[np.float64]]
    fingerprint: str = ""
    kept_in: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Column:
    """A number that every image has (or lacks: NaN).

    Attributes:
        name: in the frame.
        label: for people.
        meaning: its definition, with its unit.
        kind: "output" of the network, "factor" known from the image set, "measured" later of
            picture or evidence, or "brought" by the user.
    """

    name: str
    label: str
    meaning: str
    kind: Kind


_OUTPUTS: dict[str, tuple[str, str]] = {
    "confidence": ("confidence", "Softmax probability of the predicted class."),
    "entropy": ("entropy", "Of the predicted probabilities, in nats: 0 is certain."),
    "loss": ("loss", "Cross-entropy of the true class, in nats."),
    "correct": ("answered right", "1 where the prediction is the true class, else 0."),
    "margin": ("margin", "Probability of the likeliest class less that of the second."),
}
_KNOWN: dict[str, tuple[str, str]] = {
    "blur": ("blur (known)", "Standard deviation of the scene's blur, in pixels."),
    "occlusion": ("occlusion (known)", "Share of the object's pixels that something hides."),
    "noise": ("noise (known)", "Standard deviation of the added noise, of the full range."),
    "contrast": ("contrast (known)", "Of the scene against a veil of grey; 1 is without veil."),
    "clutter": ("clutter (known)", "Distractors behind the object; 1 stands for twelve."),
    "scale": ("scale (known)", "Longer side of the object, of the picture's side."),
    "rotation": ("rotation (known)", "Of the object from upright, in degrees."),
    "image_brightness": ("brightness", "Mean luma of the picture, 0 to 1."),
    "image_contrast": ("contrast", "Standard deviation of the picture's luma, 0 to 1."),
    "image_sharpness": ("sharpness", "Variance of the Laplacian of the picture's luma."),
    "image_edge_density": ("edge density", "Share of pixels with a Sobel slope above 0.1."),
}
# statistic of an evidence map -> (label, definition); a column has the method before it.
EVIDENCE: dict[str, tuple[str, str]] = {
    "entropy": ("entropy", "Entropy of the evidence over the pixels; 1 is evenly spread."),
    "concentration": ("concentration", "Gini coefficient of the evidence; near 1 is one pixel."),
    "area": ("area of half the evidence", "Smallest share of pixels that hold half of it."),
    "spread": ("spread", "Root mean square distance from its centre, in half diagonals."),
    "off_centre": ("distance from the centre", "Of its centre from the image's, half diagonals."),
    "on_object": ("share on the object", "Of the evidence, on the object's known mask."),
}


def frame(run: Run, table: Table) -> pd.DataFrame:
    """The records with every finished table of columns and the user's columns beside them.

    Shared but for the user's columns: not to be changed in place. Tables that cannot be read are
    left out; ``problems`` says why.
    """
    measured, _ = _measured(run.folder, _stamps(run), len(table.frame), table.sampled)
    parts = [table.frame, measured]
    if brought := brought_of(run):
        taken, rows = {*table.frame.columns, *measured.columns}, len(table.frame)
        own = {
            name: values
            for name, values in brought.values.items()
            if name not in taken and len(values) == rows  # the records may have been written anew
        }
        parts.append(pd.DataFrame(own, index=table.frame.index))
    return pd.concat(parts, axis=1)


def at(run: Run, table: Table, rows: NDArray[np.int64]) -> pd.DataFrame:
    """Some rows of the records with every column that is known beside them, the user's too.

    Records that are too many to be in memory come alone: their columns are of a sample.
    """
    records = table.records.at(rows)
    if table.sampled:
        return records
    every = frame(run, table)
    more = every[[name for name in every.columns if name not in records.columns]].iloc[rows]
    return pd.concat([records.reset_index(drop=True), more.reset_index(drop=True)], axis=1)


def problems(run: Run, table: Table) -> list[str]:
    """A sentence for each table of columns that cannot be used."""
    return _measured(run.folder, _stamps(run), len(table.frame), table.sampled)[1]


def described(frame: pd.DataFrame, run: Run) -> list[Column]:
    """The numbers that a frame (of this module's ``frame``) has beside loops, described."""
    brought = brought_of(run)
    kept = {name: table for table, names in kept_tables(run).items() for name in names}
    return [
        _described(name, brought, kept)
        for name in map(str, frame.columns)
        if frame[name].dtype.kind in "biuf" and name not in _NOT_OFFERED
    ]


def _described(name: str, brought: Brought | None, kept: Mapping[str, str]) -> Column:
    if name in kept:
        meaning = f"From the table {kept[name]} that somebody keeps in the run."
        return Column(name, name, meaning, "brought")
    if brought is not None and name in brought.values:
        return Column(name, name, f"From your table {brought.source}.", "brought")
    return known(name)


def offered(run: Run, table: Table) -> list[Column]:
    """What ``described`` finds in ``frame``, without reading the tables beside the records."""
    brought = brought_of(run)
    kept = {name: source for source, names in kept_tables(run).items() for name in names}
    names = [str(name) for name in table.frame.columns if table.frame[name].dtype.kind in "biuf"]
    for each in column_tables(run.folder):
        try:
            manifest = column_table(each).manifest(run.folder)
        except (ValueError, OSError):
            continue  # ``problems`` says it
        names += manifest.header.columns[1:] if manifest.complete else ()
    if brought is not None:
        names += [name for name in brought.values if name not in names]
    return [_described(name, brought, kept) for name in names if name not in _NOT_OFFERED]


def own(run: Run, table: Table) -> list[tuple[Column, NDArray[np.float64]]]:
    """The user's columns, those included that the run keeps, with their values in ``frame``."""
    if brought_of(run) is None and not kept_tables(run):
        return []  # tables of the run need not be read
    whole = frame(run, table)
    return [
        (column, whole[column.name].to_numpy().astype(np.float64))
        for column in described(whole, run)
        if column.kind == "brought"
    ]


def own_of(run: Run, index: int) -> list[tuple[Column, float]]:
    """What the user's columns say of one image of a run's records; nothing where they do not."""
    try:
        table = cache.table(run)
        found = own(run, table)
    except (ValueError, OSError):
        return []
    if not found:
        return []
    here = table.frame["index"].to_numpy() == index  # nowhere, where it is not in the sample
    rows = [(column, values[here]) for column, values in found]
    return [(column, float(row[0])) for column, row in rows if np.isfinite(row).any()]


def brought_of(run: Run) -> Brought | None:
    """What the user of this session brought for a run, or for another one of the same images.

    None of what the run keeps itself.
    """
    every: dict[str, Brought] = st.session_state.get(BROUGHT, {})
    found = {name: brought for name, brought in every.items() if run.name not in brought.kept_in}
    if run.name in found or not any(brought.fingerprint for brought in found.values()):
        return found.get(run.name)
    try:
        images = cache.table(run).header.data_fingerprint
    except (ValueError, OSError):
        return None
    return next((brought for brought in found.values() if brought.fingerprint == images), None)


def kept_tables(run: Run) -> dict[str, tuple[str, ...]]:
    """Names of the users' tables that the run keeps, without ``own_``, and of their columns."""
    found: dict[str, tuple[str, ...]] = {}
    for name in column_tables(run.folder):
        if name.startswith(OWN):
            try:
                columns = column_table(name).manifest(run.folder).header.columns
            except (ValueError, OSError):
                continue  # ``problems`` says it
            found[name.removeprefix(OWN)] = columns[1:]
    return found


_NOT_OFFERED = ("index", "label", "prediction", "loops", "macs")


def known(name: str) -> Column:
    """What a column of a run is, by its name."""
    if name in _OUTPUTS:
        return Column(name, *_OUTPUTS[name], "output")
    if name in _KNOWN:
        kind: Kind = "measured" if name.startswith("image_") else "factor"
        return Column(name, *_KNOWN[name], kind)
    for statistic, (label, meaning) in EVIDENCE.items():
        if name.endswith(f"_{statistic}"):
            method = name.removesuffix(f"_{statistic}").replace("_", " ")
            return Column(name, f"{method}: {label}", f"{meaning} Method: {method}.", "measured")
    return Column(name, name.replace("_", " "), f"The records' column {name}.", "factor")


def _stamps(run: Run) -> tuple[tuple[str, tuple[int, int]], ...]:
    tables = column_tables(run.folder)
    found = [(name, stamp_of(run.folder / "columns" / name / MANIFEST)) for name in tables]
    return (*found, ("", stamp_of(run.folder / "records" / MANIFEST)))


@st.cache_resource(max_entries=_KEPT, ttl=_SECONDS_KEPT, show_spinner=False)
def _measured(
    folder: Path, stamps: tuple[tuple[str, tuple[int, int]], ...], rows: int, sampled: bool
) -> tuple[pd.DataFrame, list[str]]:
    parts: list[pd.DataFrame] = [pd.DataFrame(index=pd.RangeIndex(rows))]
    said: list[str] = []
    for name, _ in stamps[:-1]:
        try:
            if column_table(name).manifest(folder).complete:
                found = _sampled(folder, name) if sampled else read_columns(folder, name)
                parts.append(found.drop(columns="index"))
            elif name.startswith(OWN):
                said.append(f"The columns {name} are unfinished: remove them, and keep them anew.")
            else:
                said.append(f"The columns {name} are unfinished: drnn saliency goes on with them.")
        except (ValueError, OSError) as error:
            said.append(f"The columns {name} cannot be read: {error}")
    return pd.concat(parts, axis=1), said


def _sampled(folder: Path, name: str) -> pd.DataFrame:
    """The rows of a table of columns that ``Table.frame`` holds of the records."""
    from drnn_core.querying.parquet import sample, verified_files  # DuckDB

    header = columns_header(folder, name)  # refuses what is measured on other images
    return sample(verified_files(folder, column_table(name)), header.rows, cache.SAMPLE)


def names_of(columns: Sequence[Column]) -> list[str]:
    """What the columns are called in the box and in the address, each by a name of its own."""
    labels = [column.label for column in columns]
    return [  # a user's column may be called as one of ours is
        label if labels.count(label) == 1 else f"{label} ({column.name})"
        for label, column in zip(labels, columns, strict=True)
    ]
