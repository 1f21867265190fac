"""``drnn train``: train a recipe, resumable at any moment."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tyro

from drnn_core.commands.console import StopRequest, emit, errors

if TYPE_CHECKING:
    from drnn_core.evaluation import Measures
    from drnn_core.training.loop import Progress, Trainer, TrainingResult


@dataclass(frozen=True)
class Train:
    """Train a recipe. Stop with Ctrl-C or --minutes; the same command with --resume goes on.

    Args:
        recipe: <network>_<training>, for example dr_resnet16_l2_short.
        data: "generated", or a folder of images (see the README).
        out: folder of the run.
        epochs: in place of the recipe's number.
        seed: of everything random.
        device: cpu or cuda.
        precision: of the forward pass; bfloat16 pays on GPUs and on CPUs with AMX only.
        threads: CPU threads; equal bits need an equal number.
        resume: go on with the state in the run's folder.
        minutes: stop after so many minutes, with the state saved.
        save_seconds: save the state at least this often.
        json: print the result as JSON.
    """

    recipe: tyro.conf.Positional[str]
    data: str
    out: Path
    epochs: int | None = None
    seed: int = 0
    device: Literal["cpu", "cuda"] = "cpu"
    precision: Literal["float32", "bfloat16"] = "float32"
    threads: int | None = None
    resume: bool = False
    minutes: float | None = None
    save_seconds: float = 60.0
    json: bool = False

    def run(self) -> int:
        """Train; 0 also when stopped in time."""
        from drnn_core.store.runs import write_run
        from drnn_core.training.outcome import run_info
        from drnn_core.training.resume import RESUME_FILE

        self._check_folder()
        trainer = self._trainer()
        if self.resume and not trainer.resume():
            errors().print(f"{self.out} holds no saved state: starting from the first step")
        reporter = _Reporter(self.out, trainer)
        with StopRequest().listening() as stop:
            result = trainer.run(reporter, stop)
        reporter.close()
        if result.finished and result.measures is not None:
            info = run_info(trainer, result, result.measures)
            write_run(self.out, trainer.network.state_dict(), info)
            (self.out / RESUME_FILE).unlink(missing_ok=True)
        self._report(result, trainer)
        return 0

    def _check_folder(self) -> None:
        from drnn_core.training.resume import RESUME_FILE

        if (self.out / "run.json").exists():
            raise ValueError(f"{self.out} already holds a finished run; choose another --out")
        if (self.out / RESUME_FILE).exists() and not self.resume:
            raise ValueError(
                f"{self.out} holds an unfinished training; go on with --resume, "
                f"or remove {self.out / RESUME_FILE} to start over"
            )

    def _trainer(self) -> Trainer:
        import torch

        from drnn_core.data.datasets import load_split
        from drnn_core.data.transforms import measure_preprocessing
        from drnn_core.models.registry import create_model
        from drnn_core.recipes import get_recipe
        from drnn_core.training.loop import Settings, Trainer
        from drnn_core.training.seeds import derived_seed

        recipe = get_recipe(self.recipe)
        if self.device == "cuda" and not torch.cuda.is_available():
            raise ValueError("expected a CUDA GPU for --device cuda, found none; use --device cpu")
        if self.threads is not None:
            torch.set_num_threads(self.threads)
        size = recipe.network.image_size
        train_set = load_split(self.data, "train", size)
        test_set = load_split(self.data, "test", size)
        torch.manual_seed(derived_seed(self.seed, "weights"))
        network = create_model(recipe.network.name, num_classes=len(train_set.classes))
        settings = Settings(
            self.out,
            self.seed,
            self.epochs,
            self.device,
            self.precision,
            self.minutes,
            self.save_seconds,
        )
        preprocessing = measure_preprocessing(train_set)
        return Trainer(network, recipe, train_set, test_set, preprocessing, settings)

    def _report(self, result: TrainingResult, trainer: Trainer) -> None:
        if self.json:
            emit(
                {
                    "run": str(self.out),
                    "finished": result.finished,
                    "steps": trainer.position.step,
                    "seconds": result.seconds,
                    "curve": result.curve,
                    "measures": None if result.measures is None else vars(result.measures),
                }
            )
        elif result.finished:
            print(f"done: {self.out}; write its records with: drnn records {self.out} --data D")
        else:
            print(f"stopped after step {trainer.position.step}; the same command with --resume")


class _Reporter:
    """Progress on standard error, curves for TensorBoard in the run's folder."""

    def __init__(self, folder: Path, trainer: Trainer) -> None:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tensorboard's imports
            from torch.utils.tensorboard.writer import SummaryWriter
        self.curves: Any = SummaryWriter(
            str(folder / "tensorboard"), purge_step=trainer.position.step
        )
        self.every = 1.0 if sys.stderr.isatty() else 15.0
        self.shown = 0.0
        self.error = float("nan")

    def on_step(self, progress: Progress) -> None:
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
        self.curves.close()


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"


def _or_dash(value: float, form: str, unit: str = "") -> str:
    return "–" if math.isnan(value) else f"{value:{form}}{unit}"
