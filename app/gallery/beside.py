"""A second run beside the gallery's own: the same images, and what both runs say of each.

The other run's name stands in the query string, so that the server keeps no session here either.
The stamp of both runs' records stands beside it: an address never changes what it shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs, urlencode

import numpy as np
from numpy.typing import NDArray

from app.cache import Run, list_runs
from app.pairs import Pair, PairError, pair_of
from app.query import QueryError
from drnn_core.analysis.pair_selection import (
    OUTCOMES,
    PAIR_ORDERS,
    Outcome,
    PairOrder,
    PairSelection,
    pairs_matching,
    pairs_ordered,
)

BESIDE = "beside"
_STAMP = "stamp"
_DIFFER = {True: "yes", False: "no"}

Values = Mapping[str, Sequence[str]]


def to_query(other: Run, pair: Pair, selection: PairSelection, order: PairOrder) -> str:
    """For example ``beside=plain&stamp=1_2&outcome=only+a&loops_a=3&loops_a=3&order=a+surest``."""
    named = [(BESIDE, other.name), (_STAMP, pair.stamp)]
    named += [("outcome", outcome) for outcome in selection.outcomes]
    for name in ("loops_a", "loops_b"):
        limits: tuple[int, int] | None = getattr(selection, name)
        named += [(name, str(value)) for value in limits or ()]
    if selection.loops_differ is not None:
        named.append(("differ", _DIFFER[selection.loops_differ]))
    if order != "index":
        named.append(("order", order))
    return urlencode(named)


def rows_beside(run: Run, query: str) -> NDArray[np.int64] | None:
    """Positions in ``run``'s split of what a query selects by both runs; None if it names no other.

    Raises:
        QueryError: the query says nothing we know, or is of records that were written anew.
        PairError: the two runs have no images in common.
    """
    values = parse_qs(query)
    if BESIDE not in values:
        return None
    pair = _pair(run, values)
    selection, order = _selection(values), _order(values)
    found = pairs_ordered(pair.table, pairs_matching(pair.table, selection), order)
    return pair.table["index_a"].to_numpy().astype(np.int64)[found]


def other_rows(run: Run, query: str, rows: NDArray[np.int64]) -> tuple[Run, NDArray[np.int64]]:
    """The other run of a query, and the positions of these images in its split.

    Raises:
        QueryError, PairError: as ``rows_beside``; or the other run lacks one of the images.
    """
    values = parse_qs(query)
    return _other(values), _pair(run, values).positions_in_b(rows)


def has_other(query: str) -> bool:
    """Whether a query names a second run."""
    return BESIDE in parse_qs(query)


def _other(values: Values) -> Run:
    name = values[BESIDE][0]
    for run in list_runs():
        if run.name == name and run.info is not None:
            return run
    raise PairError(f"there is no sound run {name!r} here")


def _pair(run: Run, values: Values) -> Pair:
    pair = pair_of(run, _other(values))
    if values.get(_STAMP, [pair.stamp])[0] != pair.stamp:
        raise PairError("the records of one of the two runs were written anew; reload the page")
    return pair


def _selection(values: Values) -> PairSelection:
    given = values.get("outcome", ())
    outcomes: tuple[Outcome, ...] = tuple(outcome for outcome in OUTCOMES if outcome in given)
    if len(outcomes) != len(set(given)):
        raise QueryError(f"expected outcomes among {', '.join(OUTCOMES)}; got {', '.join(given)}")
    differ = values.get("differ", ("",))[0]
    meanings = {"": None, **{text: meaning for meaning, text in _DIFFER.items()}}
    if differ not in meanings:
        raise QueryError(f"expected differ=yes or differ=no, got differ={differ}")
    loops_a, loops_b = _limits(values, "loops_a"), _limits(values, "loops_b")
    return PairSelection(outcomes, loops_a, loops_b, meanings[differ])


def _limits(values: Values, name: str) -> tuple[int, int] | None:
    given = values.get(name, ())
    if not given:
        return None
    if len(given) != 2 or not all(text.isascii() and text.isdigit() for text in given):
        raise QueryError(f"expected {name} twice (from, to), two numbers; got {', '.join(given)}")
    return int(given[0]), int(given[1])


def _order(values: Values) -> PairOrder:
    given = values.get("order", ("index",))[0]
    for order in PAIR_ORDERS:
        if given == order:
            return order
    raise QueryError(f"expected order to be one of {', '.join(PAIR_ORDERS)}; got {given}")
