"""What the gallery shows: the selected records of a run in order, and how their pages are served.

The same query string that a page of the app hands to the gallery comes back with every request,
so the server keeps no session: it derives the rows anew or finds them in a bounded cache.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import parse_qs, quote

import numpy as np
from numpy.typing import NDArray

from app import cache
from app.bounded import BoundedCache
from app.cache import Run, Table, facts
from app.columns import known
from app.gallery.among import only_among
from app.gallery.beside import has_other, other_rows, rows_beside
from app.gallery.own import own_facts, put_in_order
from app.gallery.sprites import COLUMNS, PER_PAGE, tile_size
from app.images import NoPictures, Pictures
from app.query import from_query
from app.units import macs_text
from drnn_core.analysis.loops import block_matrix, gate_matrix
from drnn_core.inference.facts import NetworkFacts

PREFIX = "/gallery"

_ROWS_BYTES = 96 << 20  # two orders of five million images
_rows: BoundedCache[tuple[str, str, str], NDArray[np.int64]] = BoundedCache(
    _ROWS_BYTES, lambda rows: rows.nbytes
)

# Columns that the detail view shows in another form or not at all.
_SHOWN_ELSEWHERE = {
    "index", "id", "label", "prediction", "correct", "confidence", "entropy", "loss", "loops",
    "block_loops", "gate_prob", "macs",
}  # fmt: skip


def rows_of(run: Run, table: Table, query: str) -> NDArray[np.int64]:
    """The positions (in the split) of the images that a query selects, in its order.

    Raises:
        QueryError: the query says nothing we know.
    """

    def select() -> NDArray[np.int64]:
        rows = rows_beside(run, query)
        if rows is None:
            selection, order = from_query(parse_qs(query))
            rows = table.records.positions(selection, order)
        return put_in_order(query, only_among(query, rows))

    return _rows.get_or_make((str(run.folder), table.stamp, query), select)


def describe(
    run: Run, table: Table, query: str, pictures: Pictures | NoPictures, inspect: str | None
) -> dict[str, Any]:
    """What the component needs to know of a source, as ``gallery/assets/pages.js`` reads it.

    Args:
        run, table: the records.
        query: ``app.query.to_query``'s result.
        pictures: where tiles get their pictures from.
        inspect: address of the page that an image's index is appended to; None for no link.
    """
    assert run.info is not None
    there = isinstance(pictures, Pictures)
    version = version_of(table, pictures)
    return {
        "root": PREFIX,
        "url": f"{PREFIX}/{quote(run.name)}",
        "query": query,
        "version": version,
        "stamp": f"{run.name}?{query}&{version}",
        "count": len(rows_of(run, table, query)),
        "perPage": PER_PAGE,
        "sheetColumns": COLUMNS,
        "tile": tile_size(pictures.size) if there else 0,
        "pictures": there,
        "notice": pictures.reason if isinstance(pictures, NoPictures) else "",
        "classes": list(run.info.classes),
        "loopsMax": facts(run).loops_max,
        "inspect": inspect,
    }


def version_of(table: Table, pictures: Pictures | NoPictures) -> str:
    """Changes with whatever a served page depends on besides its address: makes it cacheable."""
    parts = (table.stamp, table.header.data_fingerprint, type(pictures).__name__, "2")
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:12]


def tiles(table: Table, rows: NDArray[np.int64]) -> list[dict[str, Any]]:
    """What a tile says of each of the rows."""
    columns = ["index", "label", "prediction", "loops", "confidence"]
    part = table.records.at(rows, columns)
    return [
        {
            "index": int(index),
            "label": int(label),
            "prediction": int(prediction),
            "loops": int(loops),
            "confidence": round(float(confidence), 8),  # float32 below 1 stays below it,
        }
        for index, label, prediction, loops, confidence in part.itertuples(index=False)
    ]


def tiles_of(run: Run, table: Table, rows: NDArray[np.int64], query: str) -> list[dict[str, Any]]:
    """What the tiles of a query say; where it names a second run, also what that one says."""
    found = tiles(table, rows)
    if has_other(query):
        other, places = other_rows(run, query, rows)
        for tile, more in zip(found, tiles(cache.table(other), places), strict=True):
            tile["other"] = more
    return found


def record_of(run: Run, table: Table, row: int, query: str) -> dict[str, Any]:
    """What the detail view of a query says of one row, likewise."""
    found = record(run, table, row)
    found["facts"] += own_facts(query, row)
    if has_other(query):
        other, places = other_rows(run, query, np.array([row]))
        found["other"] = record(other, cache.table(other), int(places[0]))
    return found


def record(run: Run, table: Table, row: int) -> dict[str, Any]:
    """What the detail view says of one row."""
    one = table.records.at(np.array([row], dtype=np.int64))
    values = cast(Mapping[str, Any], one.iloc[0].to_dict())
    network = facts(run)
    return {
        **tiles(table, np.array([row]))[0],
        "row": row,
        "blocks": _blocks(network, block_matrix(one)[0], gate_matrix(one)[0]),
        "facts": _facts(values, network),
    }


def _blocks(
    network: NetworkFacts, ran: NDArray[np.int8], gates: NDArray[np.float32]
) -> list[dict[str, Any]]:
    """Each block's name, executed loops, and gate probabilities (None where not asked)."""
    blocks: list[dict[str, Any]] = []
    first = 0
    for name, block, loops in zip(network.block_names(), network.layout, ran, strict=True):
        part = gates[first : first + block.loops]
        chances = [None if np.isnan(chance) else float(chance) for chance in part]
        blocks.append({"name": name, "ran": int(loops), "gates": chances})
        first += block.loops
    return blocks


def _facts(values: Mapping[str, Any], network: NetworkFacts) -> list[tuple[str, str, str]]:
    """(name, value, definition) of further facts, the set's own columns last."""
    most = network.cost.macs_max
    shown = [
        ("name in the set", str(values["id"]), "the image's stable name"),
        (
            "multiply-adds",
            f"{macs_text(values['macs'])}, {values['macs'] / most:.0%} of the most",
            f"spent on this image; the most is {macs_text(most)}",
        ),
        ("loss", f"{values['loss']:.3f}", "cross-entropy in nats"),
        ("entropy", f"{values['entropy']:.3f}", "of the predicted probabilities, in nats"),
    ]
    for name, value in values.items():
        if name not in _SHOWN_ELSEWHERE:
            text = f"{value:.3g}" if isinstance(value, float) else str(value)
            column = known(name)
            shown.append((column.label, text, column.meaning))
    return shown
