"""Charts wait for the gallery: who gets a turn, what ends it, and that nothing hangs."""

from __future__ import annotations

from threading import Event
from typing import Any

import pytest
from starlette.applications import Starlette

from app.gallery import routes, turns
from tests.app.asgi import get

KEY = "some_gallery"


class Recorded(Event):
    """An event that is never waited for in earnest: it notes for how long it would have been."""

    asked: list[float | None]

    def wait(self, timeout: float | None = None) -> bool:
        self.asked.append(timeout)
        return self.is_set()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """Seconds that were waited for, with a server that runs and a session of its own."""
    waits: list[float | None] = []
    state: dict[str, Any] = {}
    monkeypatch.setattr(turns.st, "session_state", state)
    monkeypatch.setattr(turns, "somebody_is_served", lambda: True)
    monkeypatch.setattr(turns, "_open", {})
    monkeypatch.setattr(turns, "Event", Recorded)
    monkeypatch.setattr(Recorded, "asked", waits, raising=False)
    return waits


def painted(turn: str) -> int:
    return get(Starlette(routes=routes.ROUTES), f"/gallery/painted/{turn}").status


def test_the_first_gallery_of_a_session_and_one_that_stays_get_no_turn(asked: list[Any]) -> None:
    assert turns.give(KEY, "one") is None
    assert turns.give(KEY, "one") is None
    turns.wait(KEY)
    assert asked == []


def test_another_content_gets_a_turn_that_the_browser_ends(asked: list[Any]) -> None:
    turns.give(KEY, "one")
    turn = turns.give(KEY, "two")
    assert turn is not None
    event = turns._open[turn]
    assert not event.is_set()
    assert painted(turn) == 204
    assert event.is_set()
    turns.wait(KEY)
    assert asked == [turns.MOST]
    assert turns._open == {}


def test_a_browser_that_never_answers_costs_a_bounded_time_once(asked: list[Any]) -> None:
    turns.give(KEY, "one")
    turns.give(KEY, "two")
    turns.wait(KEY)
    turns.wait(KEY)
    assert asked == [turns.MOST]
    assert turns.MOST <= 0.5


def test_turns_are_not_guessed_and_not_shared(asked: list[Any]) -> None:
    turns.give(KEY, "one")
    turns.give("other", "one")
    mine, others = turns.give(KEY, "two"), turns.give("other", "two")
    assert mine is not None
    assert others is not None
    assert mine != others
    assert painted("guessed") == 204
    assert painted(others) == 204
    assert not turns._open[mine].is_set()


def test_a_turn_that_nobody_waited_for_is_dropped(asked: list[Any]) -> None:
    for number in range(5):
        turns.give(KEY, str(number))
    assert len(turns._open) == 1


def test_without_a_server_nobody_waits(asked: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "somebody_is_served", lambda: False)
    turns.give(KEY, "one")
    assert turns.give(KEY, "two") is None
    turns.wait(KEY)
    assert asked == []
