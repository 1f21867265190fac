"""Several trainings at once on one GPU, each on a stream of its own.

One small network leaves most of a GPU idle. The kernels of several, replayed from their graphs on
streams of their own, run beside one another; the trainings know nothing of each other and each
gives what it would alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch

from drnn_core.training.loop import Trainer
from drnn_core.training.settings import Reporter, TrainingError, TrainingResult


def train_side_by_side(
    trainers: Sequence[Trainer], reports: Sequence[Reporter], stop: Callable[[], bool]
) -> list[TrainingResult | TrainingError]:
    """Run every training to its end, its time limit, or until ``stop`` says so.

    Args:
        trainers: on one device, none of them run before.
        reports: one for each.
        stop: asked by all.

    Returns:
        What each achieved, or why it could not go on; the others are not held up by it.
    """

    def run(place: int) -> TrainingResult | TrainingError:
        try:
            return _on_its_stream(trainers[place], reports[place], stop)
        except TrainingError as error:
            return error

    for trainer in trainers:
        trainer.prepare()  # one after the other: a capture bears no other work on the device
    if trainers and trainers[0].device.type == "cuda":
        torch.cuda.synchronize(trainers[0].device)
    with ThreadPoolExecutor(max(1, len(trainers)), thread_name_prefix="training") as threads:
        return list(threads.map(run, range(len(trainers))))


def _on_its_stream(trainer: Trainer, report: Reporter, stop: Callable[[], bool]) -> TrainingResult:
    if trainer.device.type != "cuda":
        return trainer.run(report, stop)
    with torch.cuda.stream(torch.cuda.Stream(trainer.device)):
        return trainer.run(report, stop)
