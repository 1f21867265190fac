"""What a page leaves for the gallery's routes, which know no session.

It is kept under a hash of what it is, and the hash stands in the query: who does not have it cannot
name it, and what is shown at an address never changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar
from urllib.parse import urlencode

from app.bounded import BoundedCache
from app.query import QueryError

_Value = TypeVar("_Value")


class Left(Generic[_Value]):
    """Values that pages leave, the least recently used forgotten first.

    Args:
        name: of the hash in a query.
        what: the value is, for people.
        most, size_of: see ``BoundedCache``.
    """

    def __init__(self, name: str, what: str, most: int, size_of: Callable[[_Value], int]) -> None:
        self._name, self._what = name, what
        self._kept: BoundedCache[str, _Value] = BoundedCache(most, size_of)

    def leave(self, query: str, content: bytes, value: _Value, **more: str) -> str:
        """A query with the hash of ``content``, and ``more``; the value is kept under it."""
        token = hashlib.sha256(content).hexdigest()
        self._kept.put(token, value)
        return "&".join(filter(None, [query, urlencode({self._name: token, **more})]))

    def named_in(self, values: Mapping[str, Sequence[str]]) -> _Value | None:
        """What a parsed query names; None where it names nothing.

        Raises:
            QueryError: it is not kept any more.
        """
        if self._name not in values:
            return None
        found = self._kept.get(values[self._name][0])
        if found is None:
            raise QueryError(f"{self._what} is not at hand any more; reload the page")
        return found
