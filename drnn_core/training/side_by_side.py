"""Several trainings at once on one GPU, each on a stream of its own.

One small network leaves part of a GPU idle. The kernels of several, replayed from their graphs on
streams of their own, run beside one another; the trainings know nothing of each other and each
gives what it would alone. A training without updates of fixed shapes has the process to itself, as
it draws from the one random generator that all share.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
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
    together: int,
    finish: Callable[[Trainer, TrainingResult], None],
    stop: Callable[[], bool],
) -> list[Exception]:
    """Run every training to its end, its time limit, or until ``stop`` says so.

    Args:
        starts: of the trainings, all on one device.
        together: how many run at once.
        finish: told of each result, in no certain order and never twice at once.
        stop: asked by all; no further training begins once it says so.

    Returns:
        Why some could not begin or go on; the others are not held up by it.
    """
    # A capture bears no other work of its thread; compiling and finishing are not for two at once,
    # nor is the random generator of fresh weights.
    alone = Lock()

    def _run(trainer: Trainer, report: Reporter) -> TrainingResult:
        if trainer.fixed is None:  # draws from torch's one generator, and sets its seed
            with alone:
                return trainer.run(report, stop)
        stream = trainer.fixed.stream
        with nullcontext() if stream is None else torch.cuda.stream(stream):
            return trainer.run(report, stop)

    def run(start: Start) -> Exception | None:
        if stop():
            return None
        try:
            with alone:
                trainer, report = start()
                trainer.prepare()
            result = _run(trainer, report)
            with alone:
                finish(trainer, result)
        except (ValueError, RuntimeError, OSError) as error:
            return error
        return None

    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH)
    try:
        with ThreadPoolExecutor(together, thread_name_prefix="training") as threads:
            return [error for error in threads.map(run, starts) if error is not None]
    finally:
        sys.setswitchinterval(before)
