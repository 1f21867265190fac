"""How a training shows itself: lines on standard error, curves for TensorBoard."""

from __future__ import annotations

import math
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drnn_core.evaluation import Measures
    from drnn_core.training.settings import Progress


class Silent:
    """Shows nothing: what all processes but the first report to."""

    def on_step(self, progress: Progress) -> None:
        """See ``Reporter``."""

    def on_epoch(self, point: dict[str, Any], measures: Measures) -> None:
        """See ``Reporter``."""

    def close(self) -> None:
        """Nothing to end."""


class Curves:
    """Progress on standard error, curves for TensorBoard in the run's folder.

    Args:
        folder: of the run.
        step: that the training goes on from; curves beyond it are from an interrupted call.
    """

    def __init__(self, folder: Path, step: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tensorboard's imports
            from torch.utils.tensorboard.writer import SummaryWriter
        self.curves: Any = SummaryWriter(str(folder / "tensorboard"), purge_step=step)
        self.every = 1.0 if sys.stderr.isatty() else 15.0
        self.shown = 0.0
        self.error = float("nan")

    def on_step(self, progress: Progress) -> None:
        """See ``Reporter``."""
        if progress.step % 50 == 0:
            self.curves.add_scalar("train/loss", progress.loss, progress.step)
            self.curves.add_scalar("train/lr", progress.lr, progress.step)
        now = time.monotonic()
        if now - self.shown < self.every:
            return
        self.shown = now
        line = (
            f"epoch {progress.epoch}/{progress.epochs}  step {progress.step}/{progress.steps}  "
            f"{progress.images_per_second:.0f} images/s  "
            f"{_clock(progress.seconds_left)} left  loss {progress.loss:.3f}  "
            f"error {_or_dash(self.error, '.2f', ' %')}  rate {_or_dash(progress.rate, '.3f')}"
        )
        sys.stderr.write(f"\r\x1b[2K{line}" if sys.stderr.isatty() else line + "\n")
        sys.stderr.flush()

    def on_epoch(self, point: dict[str, Any], measures: Measures) -> None:
        """See ``Reporter``."""
        self.error = measures.error
        step = point["epoch"]
        for name in ("train_loss", "test_error", "rate", "sampled_rate"):
            if point[name] is not None:
                self.curves.add_scalar(f"epoch/{name}", point[name], step)
        start = "\r\x1b[2K" if sys.stderr.isatty() else ""
        loops = f"  loops {measures.loops_mean:.2f} ± {measures.loops_std:.2f}"
        sys.stderr.write(
            f"{start}epoch {step}: loss {point['train_loss']:.3f}  error {measures.error:.2f} %"
            f"  rate {_or_dash(measures.rate, '.3f')}{loops if measures.loops_max else ''}\n"
        )
        sys.stderr.flush()

    def close(self) -> None:
        """Write out what TensorBoard's writer still holds."""
        self.curves.close()


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"


def _or_dash(value: float, form: str, unit: str = "") -> str:
    return "–" if math.isnan(value) else f"{value:{form}}{unit}"
