"""What all subcommands share: output as text or JSON, progress on standard error, signals."""

from __future__ import annotations

import json
import math
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any, cast

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


def emit(value: Any) -> None:
    """Print ``value`` as JSON on standard output; NaN becomes null."""
    print(json.dumps(_plain(value), indent=2))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in cast("list[Any]", value)]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def errors() -> Console:
    """Standard error, where progress goes, so that standard output stays machine-readable."""
    return Console(stderr=True, highlight=False)


@contextmanager
def progress_bar(what: str) -> Generator[Callable[[int, int], None]]:
    """A bar on standard error; yields a function of (done, total)."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=errors(), transient=True) as bar:
        task = bar.add_task(what, total=None)

        def update(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield update


class StopRequest:
    """Whether the user asked to stop (Ctrl-C, or SIGTERM); a second Ctrl-C ends at once."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self) -> bool:
        """True once asked."""
        return self.asked

    def _handle(self, number: int, _: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        name = signal.Signals(number).name
        print(f"drnn: {name}: stopping after this step; the state is saved", file=sys.stderr)

    @contextmanager
    def listening(self) -> Generator[StopRequest]:
        """Take over the two signals while in the context."""
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(number, self._handle) for number in numbers]
        try:
            yield self
        finally:
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)
