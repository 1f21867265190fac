"""Reading JSON objects strictly: every key that is missing or mistyped gives one sentence."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast


class Fields:
    """An object read from JSON, whose values are taken by type.

    Args:
        values: the object.
        where: what it is, for messages: "checkpoints/x/run.json, metrics.test".
        error: the exception to raise.
    """

    def __init__(self, values: Any, where: str, error: type[ValueError]) -> None:
        self.where = where
        self.error = error
        if not isinstance(values, dict):
            raise error(f"{where}: expected an object, got {_shown(values)}")
        self.values = cast(dict[str, Any], values)

    def text(self, key: str) -> str:
        """A string."""
        return self._take(key, "text", lambda value: isinstance(value, str))

    def integer(self, key: str, least: int | None = None, most: int | None = None) -> int:
        """A whole number within bounds."""
        expected = "a whole number" + _bounds(least, most)
        return self._take(key, expected, lambda value: _is_integer(value, least, most))

    def number(self, key: str) -> float:
        """A finite number."""
        return float(self._take(key, "a number", _is_number))

    def number_or_none(self, key: str) -> float | None:
        """A finite number, or null."""
        value = self._take(key, "a number or null", lambda v: v is None or _is_number(v))
        return None if value is None else float(value)

    def flag(self, key: str) -> bool:
        """True or false."""
        return self._take(key, "true or false", lambda value: isinstance(value, bool))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        return tuple(
            self._take(
                key, "a list of texts", lambda v: _is_list_of(v, lambda i: isinstance(i, str))
            )
        )

    def numbers_or_none(self, key: str) -> tuple[float | None, ...]:
        """A list of finite numbers and nulls."""
        found = self._take(
            key,
            "a list of numbers or nulls",
            lambda v: _is_list_of(v, lambda item: item is None or _is_number(item)),
        )
        return tuple(None if item is None else float(item) for item in found)

    def mapping(self, key: str) -> dict[str, Any]:
        """An object with any values."""
        return dict(self._take(key, "an object", lambda value: isinstance(value, dict)))

    def object(self, key: str) -> Fields:
        """An object whose values are to be taken in turn."""
        return Fields(self.mapping(key), f"{self.where}, {key}", self.error)

    def objects(self, key: str) -> list[Fields]:
        """A list of objects."""
        found = self._take(key, "a list of objects", lambda value: isinstance(value, list))
        return [
            Fields(value, f"{self.where}, {key}[{index}]", self.error)
            for index, value in enumerate(found)
        ]

    def _take(self, key: str, expected: str, accepts: Callable[[Any], bool]) -> Any:
        if key not in self.values:
            raise self.error(f"{self.where}: expected a key {key!r} ({expected}), found none")
        value = self.values[key]
        if not accepts(value):
            raise self.error(
                f"{self.where}: expected {key!r} to be {expected}, got {_shown(value)}"
            )
        return value


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _is_integer(value: Any, least: int | None, most: int | None) -> bool:
    if isinstance(value, bool) or not isinstance(value, int):
        return False
    return (least is None or value >= least) and (most is None or value <= most)


def _is_list_of(value: Any, accepts: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and all(accepts(item) for item in cast(list[Any], value))


def _bounds(least: int | None, most: int | None) -> str:
    lower = "" if least is None else f" from {least}"
    return lower + ("" if most is None else f" to {most}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
