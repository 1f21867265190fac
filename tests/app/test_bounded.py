"""The bounded cache of the server's threads."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.bounded import BoundedCache


def test_the_least_recently_used_goes_first() -> None:
    cache: BoundedCache[str, bytes] = BoundedCache(10, len)
    cache.put("a", b"1234")
    cache.put("b", b"1234")
    assert cache.get("a") == b"1234"
    cache.put("c", b"1234")
    assert cache.get("b") is None
    assert cache.get("a") == b"1234"
    assert cache.held == 8


def test_what_is_larger_than_the_cache_is_not_held() -> None:
    cache: BoundedCache[str, bytes] = BoundedCache(3, len)
    cache.put("a", b"12")
    cache.put("b", b"1234")
    assert cache.get("a") == b"12"
    assert cache.get("b") is None


def test_made_once() -> None:
    cache: BoundedCache[str, bytes] = BoundedCache(100, len)
    made: list[str] = []

    def make() -> bytes:
        made.append("now")
        return b"value"

    assert cache.get_or_make("a", make) == cache.get_or_make("a", make) == b"value"
    assert made == ["now"]


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 40))))
def test_never_holds_more_than_it_may(puts: list[tuple[int, int]]) -> None:
    cache: BoundedCache[int, bytes] = BoundedCache(64, len)
    for key, size in puts:
        cache.put(key, bytes(size))
        assert cache.held <= 64
        assert cache.get(key) == bytes(size)
