"""What goes into a training beside its recipe, and what it tells and hands back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from drnn_core.evaluation import Measures

Precision = Literal["float32", "bfloat16"]


class TrainingError(RuntimeError):
    """A training that cannot go on; what was saved of it before is kept."""


@dataclass(frozen=True)
class Settings:
    """What a training needs beside its recipe.

    Attributes:
        folder: of the run; holds the resumable state.
        seed: of everything random.
        epochs: in place of the recipe's number, or None.
        device: "cpu" or "cuda"; where several processes train, each has a device of its own.
        precision: of the forward pass; gates and losses stay float32.
        minutes: stop after so many minutes of this call, or None.
        save_seconds: the state is saved at least this often, and at every epoch's end where that
            takes longer than a second.
        fixed_shapes: make updates that ask nothing of the host and capture them where the device
            is a GPU, see ``fixed_shapes.py``; None does so on a GPU where the training allows it.
        fuse: compile the blocks of such updates, see ``fusing.py``: a fifth less time a step for
            some twenty seconds before the first, which pays from some minutes of training on.
    """

    folder: Path
    seed: int = 0
    epochs: int | None = None
    device: str = "cpu"
    precision: Precision = "float32"
    minutes: float | None = None
    save_seconds: float = 60.0
    fixed_shapes: bool | None = None
    fuse: bool = False


@dataclass(frozen=True)
class Progress:
    """Where a training stands, for whoever shows it."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    lr: float
    rate: float
    images_per_second: float
    seconds_left: float


class Reporter(Protocol):
    """Shows a training's progress."""

    def on_step(self, progress: Progress) -> None:
        """After every update."""

    def on_epoch(self, point: dict[str, Any], measures: Measures) -> None:
        """After every epoch, with its row of the curve."""


@dataclass(frozen=True)
class TrainingResult:
    """What a call of ``Trainer.run`` achieved.

    Attributes:
        finished: all epochs are done; otherwise the state is saved and ``resume`` goes on.
        curve: a row for each finished epoch.
        measures: of the test set after the last epoch; None unless finished.
        seconds: of computing, over all calls.
    """

    finished: bool
    curve: list[dict[str, Any]]
    measures: Measures | None
    seconds: float
