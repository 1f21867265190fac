"""Waiting for jobs: what the bar says, what the browser may ask, and what is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette

from app import waiting
from app.jobs import Job, Jobs
from app.waiting import Wait, Words
from tests.app.asgi import Answer, get
from tests.app.test_jobs import SECONDS, Gate


@pytest.fixture
def gate() -> Iterator[Gate]:
    """Work that stands still; let go when the test is over."""
    one = Gate()
    yield one
    one.open.set()


@pytest.fixture
def jobs(gate: Gate) -> Jobs:
    """One job in the middle of its work, two behind it."""
    jobs = Jobs()
    jobs.start("first", gate, "me")
    assert gate.begun.wait(SECONDS)
    jobs.start("second", lambda tell: "second", "me")
    jobs.start("third", lambda tell: "third", "me")
    return jobs


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    state: dict[str, Any] = {}
    monkeypatch.setattr(waiting.st, "session_state", state)
    monkeypatch.setattr(waiting, "_open", type(waiting._open)())
    return state


def asked(name: str) -> Answer:
    return get(Starlette(routes=waiting.ROUTES), f"/waiting/{name}")


def wait_for(jobs: Jobs, *keys: str, **words: str) -> Wait:
    return Wait(jobs, keys, Words("Measuring", **words))


def test_the_bar_tells_of_the_job_that_runs(jobs: Jobs) -> None:
    found = waiting.told(wait_for(jobs, "first"))
    assert found == {"text": "Measuring: 1 of 2 images", "share": 0.5, "ended": 0}
    found = waiting.told(wait_for(jobs, "second", "first", things="pictures", more="curves more"))
    assert found["text"] == "Measuring: 1 of 2 pictures; 1 curves more"
    assert found["share"] == 0.5


def test_the_bar_tells_who_comes_first(jobs: Jobs) -> None:
    found = waiting.told(wait_for(jobs, "second"))
    assert found == {"text": "Measuring: 1 other comes first", "share": None, "ended": 0}
    assert waiting.told(wait_for(jobs, "third"))["text"] == "Measuring: 2 others come first"


def test_before_the_first_image_it_says_what_goes_on(jobs: Jobs) -> None:
    jobs._jobs["first"] = Job("running")
    found = waiting.told(wait_for(jobs, "first", opening="Opening the network…"))
    assert found == {"text": "Measuring: Opening the network…", "share": None, "ended": 0}


@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
def test_however_a_job_ends_it_counts(jobs: Jobs, state: Any) -> None:
    jobs._jobs["second"] = Job(state)
    found = waiting.told(wait_for(jobs, "first", "second", "third"))
    assert found["ended"] == 1
    assert found["text"] == "Measuring: 1 of 2 images; 1 more to come"


def test_a_job_that_was_dropped_has_ended(jobs: Jobs, gate: Gate) -> None:
    assert waiting.told(wait_for(jobs, "first", "unknown"))["ended"] == 1
    gate.open.set()
    jobs.wait("first", SECONDS)
    found = waiting.told(wait_for(jobs, "first", "unknown"))
    assert found == {"text": "Measuring: done", "share": 1.0, "ended": 2}


def test_the_browser_hears_how_far_it_is(jobs: Jobs, gate: Gate, session: dict[str, Any]) -> None:
    name = waiting._name("place", wait_for(jobs, "first"))
    answer = asked(name)
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json == {"text": "Measuring: 1 of 2 images", "share": 0.5, "ended": 0}
    gate.open.set()
    jobs.wait("first", SECONDS)
    assert asked(name).json["ended"] == 1
    assert asked("0" * 32).status == 404
    assert asked("first").status == 404, "the key of a job is no name of a wait"


def test_a_name_lasts_as_long_as_what_is_waited_for(jobs: Jobs, session: dict[str, Any]) -> None:
    first = waiting._name("place", wait_for(jobs, "first"))
    assert waiting._name("place", wait_for(jobs, "first")) == first
    other = waiting._name("other place", wait_for(jobs, "first"))
    later = waiting._name("place", wait_for(jobs, "second"))
    assert len({first, other, later}) == 3
    assert asked(first).status == 404
    assert asked(later).json["text"] == "Measuring: 1 other comes first"


def test_names_do_not_pile_up(
    jobs: Jobs, session: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_MOST", 3)
    names = [waiting._name(f"place {n}", wait_for(jobs, "first")) for n in range(5)]
    assert [asked(name).status for name in names] == [404, 404, 200, 200, 200]
    again = waiting._name("place 0", wait_for(jobs, "first"))
    assert asked(again).status == 200, "a session whose name was dropped gets another"
