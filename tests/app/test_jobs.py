"""Work in the background: once for all who ask, one after another, ended when nobody waits."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from app.jobs import Jobs, Tell

SECONDS = 60  # a deadlock ends the test


class Gate:
    """Work that stands still until it is let go."""

    def __init__(self) -> None:
        self.begun, self.open = threading.Event(), threading.Event()
        self.calls = 0

    def __call__(self, tell: Tell) -> str:
        self.calls += 1
        tell(1, 2)
        self.begun.set()
        assert self.open.wait(SECONDS)
        tell(2, 2)
        return "found"


@pytest.fixture
def jobs() -> Jobs:
    return Jobs(most=3)


def test_what_two_ask_for_is_done_once(jobs: Jobs) -> None:
    gate = Gate()
    job = jobs.start("key", gate, "one")
    assert gate.begun.wait(SECONDS)
    assert jobs.start("key", gate, "two") is job
    assert (job.state, job.done, job.total) == ("running", 1, 2)
    gate.open.set()
    assert jobs.wait("key", SECONDS).result == "found"
    assert jobs.start("key", gate, "three").state == "done"
    assert gate.calls == 1


def test_one_after_another(jobs: Jobs) -> None:
    gate = Gate()
    jobs.start("a", gate, "me")
    jobs.start("b", lambda tell: "b", "me")
    later = jobs.start("c", lambda tell: "c", "me")
    assert gate.begun.wait(SECONDS)
    assert later.state == "waiting"
    assert [jobs.before(key) for key in "abc"] == [0, 1, 2]
    gate.open.set()
    assert jobs.wait("c", SECONDS).result == "c"
    assert jobs.before("c") == 0


def test_it_goes_on_while_somebody_waits(jobs: Jobs) -> None:
    gate = Gate()
    jobs.start("key", gate, "one")
    jobs.start("key", gate, "two")
    assert gate.begun.wait(SECONDS)
    jobs.leave("key", "one")
    gate.open.set()
    assert jobs.wait("key", SECONDS).state == "done"


def test_cancelled_while_running_and_begun_anew(jobs: Jobs) -> None:
    gate = Gate()
    first = jobs.start("key", gate, "me")
    assert gate.begun.wait(SECONDS)
    jobs.leave("key", "me")
    assert first.state == "cancelled"
    second = jobs.start("key", lambda tell: "second", "me")
    gate.open.set()
    assert jobs.wait("key", SECONDS) is second
    assert second.result == "second"
    assert first.state == "cancelled"  # what it found late is nobody's
    assert first.result is None


def test_cancelled_before_it_began(jobs: Jobs) -> None:
    gate, never = Gate(), Gate()
    jobs.start("a", gate, "me")
    assert gate.begun.wait(SECONDS)
    jobs.start("b", never, "me")
    jobs.leave("b", "me")
    gate.open.set()
    jobs.start("c", lambda tell: None, "me")
    jobs.wait("c", SECONDS)
    assert never.calls == 0


def test_a_failure_is_a_sentence_and_may_be_tried_again(jobs: Jobs) -> None:
    def fail(tell: Tell) -> Any:
        raise OSError("the disk is full")

    jobs.start("key", fail, "me")
    job = jobs.wait("key", SECONDS)
    assert (job.state, job.problem) == ("failed", "the disk is full")
    jobs.start("key", lambda tell: 3, "me")
    assert jobs.wait("key", SECONDS).result == 3


def test_old_results_make_room(jobs: Jobs) -> None:
    for place in range(5):
        jobs.start(place, lambda tell: place, "me")  # noqa: B023 - ended before the next begins
        jobs.wait(place, SECONDS)
    assert [jobs.get(place) is None for place in range(5)] == [True, True, False, False, False]
    jobs.leave(4, "me")
    jobs.leave("unknown", "me")
    assert jobs.wait(4).state == "done"
