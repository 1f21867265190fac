"""A selection of records as a query string: one form for the address bar and for our routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from drnn_core.analysis.loops import ORDERS, Order, Selection

_Number = TypeVar("_Number", int, float)

RIGHT = {True: "right", False: "wrong"}


class QueryError(ValueError):
    """A query that says nothing we know; the message says what was expected."""


def to_query(selection: Selection, order: Order = "index") -> str:
    """For example ``loops=3&loops=5&label=2&answer=wrong&order=loops+up``; "" for everything."""
    pairs: list[tuple[str, str]] = []
    if selection.loops is not None:
        pairs += [("loops", str(value)) for value in selection.loops]
    pairs += [("label", str(label)) for label in selection.labels]
    if selection.correct is not None:
        pairs.append(("answer", RIGHT[selection.correct]))
    if selection.confidence is not None:
        pairs += [("confidence", f"{value:g}") for value in selection.confidence]
    if selection.step is not None:
        pairs += [("step", str(value)) for value in selection.step]
    if order != "index":
        pairs.append(("order", order))
    return urlencode(pairs)


def from_query(values: Mapping[str, Sequence[str]]) -> tuple[Selection, Order]:
    """Read ``to_query``'s result, parsed into lists of values by name.

    Raises:
        QueryError: a value is not of the kind that its name asks for.
    """
    confidence = _pair(values, "confidence", float)
    loops, step = _pair(values, "loops", int), _pair(values, "step", int)
    labels = tuple(_number(text, "label", int) for text in values.get("label", ()))
    return Selection(loops, labels, _answer(values), confidence, step), _order(values)


def _answer(values: Mapping[str, Sequence[str]]) -> bool | None:
    given = values.get("answer", ())
    if not given:
        return None
    meanings = {text: meaning for meaning, text in RIGHT.items()}
    if given[0] not in meanings:
        raise QueryError(f"expected answer=right or answer=wrong, got answer={given[0]}")
    return meanings[given[0]]


def _order(values: Mapping[str, Sequence[str]]) -> Order:
    given = values.get("order", ("index",))[0]
    for order in ORDERS:
        if given == order:
            return order
    raise QueryError(f"expected order to be one of {', '.join(ORDERS)}; got {given}")


def _pair(
    values: Mapping[str, Sequence[str]], name: str, kind: type[_Number]
) -> tuple[_Number, _Number] | None:
    given = values.get(name, ())
    if not given:
        return None
    if len(given) != 2:
        raise QueryError(f"expected {name} twice (from, to), got it {len(given)} times")
    return _number(given[0], name, kind), _number(given[1], name, kind)


def _number(text: str, name: str, kind: type[_Number]) -> _Number:
    try:
        return kind(text)
    except ValueError:
        raise QueryError(f"expected {name} to be a number, got {text!r}") from None
