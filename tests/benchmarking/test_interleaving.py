"""Measuring in turns, by a clock that the test sets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from drnn_core.benchmarking import interleaving
from drnn_core.benchmarking.interleaving import interleave, ratio, typical


class Clock:
    """Calls take what they say, and nothing else takes any time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.log: list[str] = []

    def call(self, name: str, *seconds: float) -> Callable[[], None]:
        """A call that takes each of the durations in turn, the last one again and again."""
        left = list(seconds)

        def run() -> None:
            self.log.append(name)
            self.now += left.pop(0) if len(left) > 1 else left[0]

        return run


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(interleaving.time, "perf_counter", lambda: found.now)
    return found


def test_each_call_is_timed_and_the_first_round_does_not_count(clock: Clock) -> None:
    calls = {"a": [clock.call("a", 9, 1, 2, 3)], "b": [clock.call("b", 9, 4, 5, 6)]}
    times = interleave(calls, 0)
    assert times["a"].tolist() == [[1], [2], [3]]
    assert times["b"].tolist() == [[4], [5], [6]]


def test_everybody_comes_first_in_turn(clock: Clock) -> None:
    interleave({name: [clock.call(name, 1)] for name in "abc"}, 0)
    assert "".join(clock.log) == "abc" + "abc" + "bca" + "cab"


def test_whoever_has_fewer_calls_begins_them_again(clock: Clock) -> None:
    """Each of our calls has one of theirs beside it."""
    calls = {"ours": [clock.call("1", 1), clock.call("2", 2)], "theirs": [clock.call("t", 5)]}
    times = interleave(calls, 0, least=1)
    assert "".join(clock.log) == "12t" + "1t" + "t2"
    assert times["ours"].tolist() == [[1, 2]]
    assert times["theirs"].tolist() == [[5, 5]]


@pytest.mark.parametrize(("seconds", "rounds"), [(0, 2), (9, 2), (21, 5), (20, 4)])
def test_no_round_is_begun_that_would_not_end_in_time(
    clock: Clock, seconds: float, rounds: int
) -> None:
    """The first one counts for the time, and a round takes 1 + 2.5 s; "least" are measured."""
    calls = {"a": [clock.call("a", 1)], "b": [clock.call("b", 2.5)]}
    assert len(interleave(calls, seconds + 0.001, least=2)["a"]) == rounds


def test_a_ratio_is_the_median_of_the_rounds_with_quartiles() -> None:
    ours = np.array([[1.0, 1.0], [1.0, 3.0], [9.0, 1.0], [2.0, 1.0], [1.0, 1.0]])
    theirs = np.array([[2.0, 2.0], [1.0, 1.0], [1.0, 1.0], [2.0, 2.0], [1.0, 1.0]])
    found = ratio(ours, theirs)  # of the rounds: 1/2, 2, 5, 3/4, 1
    assert (found.low, found.value, found.high) == (0.75, 1.0, 2.0)
    assert typical(ours) == 1.5
