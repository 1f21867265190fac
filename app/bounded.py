"""A small cache for threads of the server, bounded by bytes, least recently used goes first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


class BoundedCache(Generic[_Key, _Value]):
    """Keeps values until their sizes sum to more than ``most`` bytes."""

    def __init__(self, most: int, size_of: Callable[[_Value], int]) -> None:
        self._most = most
        self._size_of = size_of
        self._values: OrderedDict[_Key, _Value] = OrderedDict()
        self._held = 0
        self._lock = threading.Lock()

    def get(self, key: _Key) -> _Value | None:
        """The value, now the most recently used; None if it is not held."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key]

    def put(self, key: _Key, value: _Value) -> None:
        """Hold a value; one that is larger than the whole cache is not held."""
        size = self._size_of(value)
        if size > self._most:
            return
        with self._lock:
            if key in self._values:
                self._held -= self._size_of(self._values.pop(key))
            self._values[key] = value
            self._held += size
            while self._held > self._most:
                _, dropped = self._values.popitem(last=False)
                self._held -= self._size_of(dropped)

    def get_or_make(self, key: _Key, make: Callable[[], _Value]) -> _Value:
        """The value held, or the one made now; two threads may make it at once."""
        found = self.get(key)
        if found is None:
            found = make()
            self.put(key, found)
        return found

    def __len__(self) -> int:
        return len(self._values)

    @property
    def held(self) -> int:
        """Bytes held."""
        return self._held
