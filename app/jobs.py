"""Long work behind the pages: one after another, with progress, shared by who asks the same.

A job belongs to the sessions that wait for it and ends early when none does any more. What it
finds is kept, bounded, for whoever asks next. The worker is a daemon: a server that is stopped
does not wait for it.
"""

from __future__ import annotations

import itertools
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Literal

import streamlit as st

State = Literal["waiting", "running", "done", "failed", "cancelled"]
Tell = Callable[[int, int], None]

_MOST_KEPT = 512


class CancelledError(Exception):
    """Nobody waits for the job any more."""


@dataclass
class Job:
    """What became of some work.

    Attributes:
        state: "waiting" for others, "running", or ended.
        done, total: progress, in images; 0 of 0 before it began.
        result: of work that is done.
        problem: why it failed, a sentence.
        watchers: sessions that wait for it.
    """

    state: State = "waiting"
    done: int = 0
    total: int = 0
    result: Any = None
    problem: str = ""
    watchers: set[str] = field(default_factory=set[str])

    @property
    def ended(self) -> bool:
        """Nothing more will come of it."""
        return self.state in ("done", "failed", "cancelled")


class Jobs:
    """Work by key; the same key is worked on once."""

    def __init__(self, most: int = _MOST_KEPT) -> None:
        self._most = most
        self._jobs: OrderedDict[Hashable, Job] = OrderedDict()
        self._queue: SimpleQueue[tuple[Hashable, Callable[[Tell], Any]]] = SimpleQueue()
        self._changed = threading.Condition()
        self._worker: threading.Thread | None = None

    def start(self, key: Hashable, work: Callable[[Tell], Any], watcher: str) -> Job:
        """Begin, or wait for what others began; work that failed or was cancelled begins anew.

        Args:
            key: of all that the result depends on.
            work: called in another thread with a function of (done, total) images, which raises
                ``CancelledError`` when nobody waits any more.
            watcher: the session that waits.
        """
        with self._changed:
            job = self._jobs.get(key)
            if job is None or job.state in ("failed", "cancelled"):
                job = Job()
                self._jobs[key] = job
                self._queue.put((key, work))
                self._drop_old()
            job.watchers.add(watcher)
            if self._worker is None:
                self._worker = threading.Thread(target=self._run, daemon=True)
                self._worker.start()
            return job

    def get(self, key: Hashable) -> Job | None:
        """What is known of some work."""
        with self._changed:
            return self._jobs.get(key)

    def key_anew(self, *key: Hashable) -> Hashable:
        """A key for work of which what is done already does not count: its file is gone since.

        Work that waits or goes on, or that failed, is found by it.
        """
        with self._changed:
            attempts = ((*key, attempt) for attempt in itertools.count())
            return next(each for each in attempts if not self._is_done(each))

    def _is_done(self, key: Hashable) -> bool:
        job = self._jobs.get(key)
        return job is not None and job.state == "done"

    def leave(self, key: Hashable, watcher: str) -> None:
        """A session no longer waits; a job that no session waits for is cancelled."""
        with self._changed:
            job = self._jobs.get(key)
            if job is None or job.ended:
                return
            job.watchers.discard(watcher)
            if not job.watchers:
                job.state = "cancelled"
                self._changed.notify_all()

    def before(self, key: Hashable) -> int:
        """How many jobs come before one that waits."""
        with self._changed:
            count = 0
            for other, job in self._jobs.items():
                if other == key:
                    break
                count += not job.ended
            return count

    def wait(self, key: Hashable, seconds: float | None = None) -> Job:
        """Until a job has ended.

        Raises:
            KeyError: there is no such job.
        """
        with self._changed:
            job = self._jobs[key]
            self._changed.wait_for(lambda: job.ended, seconds)
            return job

    def _drop_old(self) -> None:
        for key in [key for key, job in self._jobs.items() if job.ended]:
            if len(self._jobs) <= self._most:
                return
            del self._jobs[key]

    def _run(self) -> None:
        while True:
            key, work = self._queue.get()
            self._work(key, work)

    def _work(self, key: Hashable, work: Callable[[Tell], Any]) -> None:
        with self._changed:
            job = self._jobs.get(key)
            if job is None or job.state != "waiting":
                return
            job.state = "running"

        def tell(done: int, total: int) -> None:
            if job.state == "cancelled":
                raise CancelledError
            job.done, job.total = done, total

        state: State = "done"
        try:
            job.result = work(tell)
        except CancelledError:
            state = "cancelled"
        except Exception as error:  # noqa: BLE001 - whatever it is, the page says it
            state = "failed"
            job.problem = str(error) or type(error).__name__
        with self._changed:
            # Cancelled at the very end, the result is there all the same.
            job.state = state
            self._changed.notify_all()


# Of all pages that run a network for minutes: they take turns.
JOBS = Jobs()
_ME = "jobs_session"


def me() -> str:
    """A name of this session, that no other has."""
    return st.session_state.setdefault(_ME, uuid.uuid4().hex)
