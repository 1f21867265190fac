"""``drnn series``: train several recipes with several seeds, resumable; side by side on a GPU."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from drnn_core.commands.console import StopRequest
from drnn_core.commands.device import check_device
from drnn_core.commands.train import (
    Train,
    check_free,
    check_numbers,
    check_target,
    finish,
    open_split,
)

if TYPE_CHECKING:
    from drnn_core.data.sets import ImageSet
    from drnn_core.evaluation import Measures
    from drnn_core.training.loop import Trainer
    from drnn_core.training.settings import Progress, Reporter, TrainingResult


@dataclass(frozen=True)
class Series:
    """Train each recipe with each seed, into OUT/<recipe>_s<seed>; finished ones are left alone.

    Stop with Ctrl-C or --minutes; the same command goes on where it stood. Finished runs of other
    data, epochs, precision or settings are refused before anything is trained.

    Args:
        recipe: <network>_<training>, one or more.
        data: "generated", or a folder of images.
        out: folder of the runs.
        seeds: of each recipe; equal seeds see equal batches.
        together: trainings side by side on a GPU; a CPU trains one after the other.
        prefix: put before the name of each run's folder.
        epochs: in place of the recipes' number.
        device: cpu or cuda.
        precision: of the forward pass.
        minutes: stop after so many minutes, with the states saved.
        save_seconds: save each state at least this often.
        gradients: measure the gradient in each loop at some epochs, and keep it with the runs.
        fuse: compile the blocks for a GPU first; pays from some minutes of training on.
        settings: fields of all recipes to change, see ``train``; with a --prefix of their own, the
            runs stand beside those of the recipes as they are.
    """

    recipe: tyro.conf.Positional[tuple[str, ...]]
    data: str
    out: Path
    seeds: tuple[int, ...] = (1, 2, 3)
    together: int = 4
    prefix: str = ""
    epochs: int | None = None
    device: Literal["cpu", "cuda"] = "cpu"
    precision: Literal["float32", "bfloat16"] = "float32"
    minutes: float | None = None
    save_seconds: float = 60.0
    gradients: bool = False
    fuse: bool = False
    settings: Annotated[tuple[str, ...], tyro.conf.arg(name="set")] = ()

    def run(self) -> int:
        """Train; 0 also when stopped in time, 1 where a training could not go on."""
        from drnn_core.training.side_by_side import train_side_by_side

        if not self.recipe or self.together < 1:
            raise ValueError("expected a recipe, for example dr_resnet16_l2_short, and --together")
        if not self.seeds:
            raise ValueError("expected a seed or more after --seeds, for example 1 2 3, got none")
        for what, given in (("recipe", self.recipe), ("seed", self.seeds)):
            if twice := [each for each in given if given.count(each) > 1]:
                raise ValueError(f"expected every {what} once, got {twice[0]} twice; leave one out")
        check_numbers(self.epochs, None, self.minutes, self.save_seconds, *self.seeds)
        check_device(self.device)
        opened = cache(open_split)  # every set is read once
        end = None if self.minutes is None else time.monotonic() + 60 * self.minutes
        trainings = self._trainings()
        for train in {train.recipe: train for train in trainings}.values():
            _check_recipe(train)
        waiting = [train for train in trainings if not _is_finished(train, opened)]
        ended = Ended(len(trainings), len(trainings) - len(waiting))
        with StopRequest().listening() as asked:
            failed = train_side_by_side(
                [partial(_start, train, opened) for train in waiting],
                self.together if self.device == "cuda" else 1,
                ended.finish,
                lambda: asked() or (end is not None and time.monotonic() > end),
            )
        for error in failed:
            print(f"drnn: {error}", file=sys.stderr)
        print(ended.in_words(len(failed)))
        return 1 if failed else 0

    def _trainings(self) -> list[Train]:
        """Pairs complete as early as they can be; but a GPU compiles and chooses once a recipe."""
        pairs = [(recipe, seed) for seed in self.seeds for recipe in self.recipe]
        if self.device == "cuda":
            pairs.sort(key=lambda pair: self.recipe.index(pair[0]))
        return [
            Train(
                recipe=recipe,
                data=self.data,
                out=self.out / f"{self.prefix}{recipe}_s{seed}",
                epochs=self.epochs,
                seed=seed,
                device=self.device,
                precision=self.precision,
                save_seconds=self.save_seconds,
                gradients=self.gradients,
                fuse=self.fuse,
                settings=self.settings,
            )
            for recipe, seed in pairs
        ]


@dataclass
class Ended:
    """What became of the trainings of a series.

    Attributes:
        asked: how many the series is of.
        finished: how many are runs by now.
        stopped: where the others stand that were trained for a while, in words.
    """

    asked: int
    finished: int
    stopped: list[str] = field(default_factory=list[str])

    def finish(self, trainer: Trainer, result: TrainingResult) -> None:
        """Write a training that has ended as a run, or note where it was stopped."""
        folder = trainer.settings.folder
        finish(folder, trainer, result)
        if result.finished:
            self.finished += 1
        else:
            step = f"step {trainer.position.step:,} of {trainer.steps:,}"
            self.stopped.append(f"{folder.name} stopped after {step}")

    def in_words(self, failed: int) -> str:
        """One line for people.

        Args:
            failed: how many could not begin or go on.
        """
        others = [*self.stopped, *([f"{failed} failed"] if failed else [])]
        if unreached := self.asked - self.finished - len(self.stopped) - failed:
            others.append(f"{unreached} not reached")
        done = f"finished {self.finished} of {self.asked}"
        return f"{done}; {', '.join(others)}; the same command goes on" if others else done


def _check_recipe(train: Train) -> None:
    """Refuse here what would else be found when the training's turn comes, after hours.

    Raises:
        ValueError: there is no such recipe, or its network cannot be changed so.
    """
    import torch

    from drnn_core.models.registry import create_model

    recipe, changes = train.changed_recipe()
    with torch.device("meta"):  # no memory for weights, and no random number is drawn
        check_target(create_model(recipe.network.name, **changes.of(recipe.network)))


def _is_finished(train: Train, opened: Callable[..., ImageSet]) -> bool:
    """Whether its run is there.

    Raises:
        ValueError: it is, and was trained on other data or with other settings.
    """
    from drnn_core.store.retraining import trained_otherwise
    from drnn_core.store.runs import read_run

    if not (train.out / "run.json").exists():
        return False
    recipe, changes = train.changed_recipe()
    images = train.training_set(recipe, opened)
    epochs = recipe.training.epochs if train.epochs is None else train.epochs
    info = read_run(train.out)
    if otherwise := trained_otherwise(info, changes, epochs, train.precision, images.fingerprint):
        raise ValueError(
            f"{train.out} is a finished run with {', '.join(otherwise)}, otherwise than asked for; "
            "ask for the same, or choose a --prefix of its own for the other runs"
        )
    print(f"{train.out.name} is finished already, and left alone", file=sys.stderr)
    return True


def _start(train: Train, opened: Callable[..., ImageSet]) -> tuple[Trainer, Reporter]:
    import torch

    from drnn_core.commands.gradient_watch import watched
    from drnn_core.models.world import World

    check_free(train.out)  # another process may have come first
    trainer = train.trainer(World(device=torch.device(train.device)), opened)
    trainer.resume()
    lines = Lines(train.out.name)
    return trainer, watched(lines, trainer) if train.gradients else lines


class Lines:
    """A line on standard error for every epoch, with the name of the run."""

    def __init__(self, name: str) -> None:
        self.name = name

    def on_step(self, progress: Progress) -> None:
        """See ``Reporter``."""

    def on_epoch(self, point: dict[str, Any], measures: Measures) -> None:
        """See ``Reporter``."""
        print(
            f"{self.name}  epoch {point['epoch']}: loss {point['train_loss']:.3f}  "
            f"error {measures.error:.2f} %  rate {measures.rate:.3f}  "
            f"loops {measures.loops_mean:.2f}",
            file=sys.stderr,
            flush=True,
        )
