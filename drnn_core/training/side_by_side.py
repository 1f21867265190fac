"""Several trainings at once on one GPU, each on a stream of its own.

One small network leaves part of a GPU idle. The kernels of several, replayed from their graphs on
streams of their own, run beside one another; the trainings know nothing of each other and each
gives what it would alone. A training without updates of fixed shapes draws from the one random
generator of the process, so it waits until the others have ended.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from threading import Lock

import torch

from drnn_core.training.loop import Trainer
from drnn_core.training.settings import Reporter, TrainingResult

# Makes a training and who is told of it; the next is made when one has ended.
Start = Callable[[], tuple[Trainer, Reporter]]

# Seconds: a thread that replays asks for the interpreter at every step, and one that compiles would
# keep it for 5 ms each time.
_SWITCH = 0.0005


def train_side_by_side(
    starts: Sequence[Start],
    count: int,
    finish: Callable[[Trainer, TrainingResult], None],
    stop: Callable[[], bool],
) -> list[Exception]:
    """Run every training to its end, its time limit, or until ``stop`` says so.

    Args:
        starts: of the trainings, all on one device.
        count: how many run at once.
        finish: told of each result, in no certain order and never twice at once.
        stop: asked by all; no further training begins once it says so.

    Returns:
        Why some could not begin or go on; the others are not held up by it.
    """
    together = _Together(finish, stop)
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH)
    try:
        with ThreadPoolExecutor(count, thread_name_prefix="training") as threads:
            failed = [*threads.map(partial(together.run, share=count > 1), starts)]
        failed += [together.run(start, share=False) for start in together.waiting]
    finally:
        sys.setswitchinterval(before)
    return [error for error in failed if error is not None]


class _Together:
    """Trainings that share a process.

    Attributes:
        waiting: those that cannot share it, to be begun once it is idle.
    """

    def __init__(
        self, finish: Callable[[Trainer, TrainingResult], None], stop: Callable[[], bool]
    ) -> None:
        self._finish, self._stop = finish, stop
        self.waiting: list[Start] = []
        # A capture bears no other work of its thread; compiling, the random generator of fresh
        # weights and finishing are not for two at once.
        self._alone = Lock()

    def run(self, start: Start, share: bool) -> Exception | None:
        """Run one to its end; why it could not begin or go on.

        Args:
            start: of the training.
            share: others run at the same time.
        """
        if self._stop():
            return None
        try:
            with self._alone:
                trainer, report = start()
                if share and trainer.fixed is None:
                    self.waiting.append(start)
                    return None
                trainer.prepare()
            stream = None if trainer.fixed is None else trainer.fixed.stream
            with nullcontext() if stream is None else torch.cuda.stream(stream):
                result = trainer.run(report, self._stop)
            with self._alone:
                self._finish(trainer, result)
        except (ValueError, RuntimeError, OSError) as error:
            return error
        return None
