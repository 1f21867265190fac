"""The only training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import torch
from torch import Tensor
from torch.nn import functional as F

from drnn_core.data.sets import ImageSet
from drnn_core.data.transforms import Preprocessing, random_crop_flip
from drnn_core.evaluation import Measures, measure
from drnn_core.models.gate import Gate
from drnn_core.models.network import Network
from drnn_core.recipes import Recipe
from drnn_core.trace import Output
from drnn_core.training.calibration import calibrate_gates
from drnn_core.training.losses import rate_loss
from drnn_core.training.optim import build_optimizer, gate_noise, learning_rate
from drnn_core.training.resume import Position, load_state, save_state
from drnn_core.training.seeds import derived_seed, epoch_order, generator

Precision = Literal["float32", "bfloat16"]


class TrainingError(RuntimeError):
    """A training that cannot go on; its last sound state is kept."""


@dataclass(frozen=True)
class Settings:
    """What a training needs beside its recipe.

    Attributes:
        folder: of the run; holds the resumable state.
        seed: of everything random.
        epochs: in place of the recipe's number, or None.
        device: "cpu" or "cuda".
        precision: of the forward pass; gates and losses stay float32.
        minutes: stop after so many minutes of this call, or None.
        save_seconds: the state is saved at least this often, and at every epoch's end.
    """

    folder: Path
    seed: int = 0
    epochs: int | None = None
    device: str = "cpu"
    precision: Precision = "float32"
    minutes: float | None = None
    save_seconds: float = 60.0


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
    """What a call of ``train`` achieved.

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


class Trainer:
    """Trains one network; all that is random follows from the seed (``training/seeds.py``).

    Args:
        network: fresh; moved to the device.
        recipe: network and training recipe.
        train_set, test_set: of one size and one list of classes.
        preprocessing: of both.
        settings: see ``Settings``.

    Raises:
        ValueError: fewer training images than one batch, or sets whose classes differ.
    """

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        train_set: ImageSet,
        test_set: ImageSet,
        preprocessing: Preprocessing,
        settings: Settings,
    ) -> None:
        self.recipe, self.training = recipe, recipe.training
        self.target = network.recipe.target
        self.settings = settings
        self.device = torch.device(settings.device)
        # torch declares this form of .to() for tensors only, though modules take it too.
        network.to(self.device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.network: Network = network
        self.gates = [module for module in network.modules() if isinstance(module, Gate)]
        for gate in self.gates:
            gate.temperature = self.training.temperature
        self.train_set, self.test_set, self.preprocessing = train_set, test_set, preprocessing
        self.epochs = settings.epochs or self.training.epochs
        self.steps_per_epoch = len(train_set) // self.training.batch
        if not self.steps_per_epoch:
            raise ValueError(
                f"expected at least one batch of {self.training.batch} training images, "
                f"got {len(train_set)}"
            )
        if train_set.classes != test_set.classes:
            raise ValueError("expected the same classes in the training and the test set")
        self.optimizer = build_optimizer(network, self.training)
        self.position = Position(self._identity(recipe))
        self._reset_epoch()

    def _identity(self, recipe: Recipe) -> dict[str, Any]:
        return {
            "recipe": asdict(recipe),
            "network": asdict(self.network.recipe),
            "train_data": self.train_set.fingerprint,
            "test_data": self.test_set.fingerprint,
            "seed": self.settings.seed,
            "epochs": self.epochs,
            "precision": self.settings.precision,
        }

    def resume(self) -> bool:
        """Take up a saved state, if the run's folder holds one.

        Raises:
            ResumeError: the state is damaged or another training's.
        """
        state = load_state(
            self.settings.folder, self.network, self.optimizer, self.position.identity
        )
        if state is not None:
            self.position = state
        return state is not None

    def run(self, report: Reporter, stop: Callable[[], bool] = lambda: False) -> TrainingResult:
        """Train until the last epoch, the time limit, or until ``stop`` says so.

        Raises:
            TrainingError: the loss or a gradient is not finite; nothing was updated by it.
        """
        started, before = time.monotonic(), self.position.seconds
        steps_before, saved = self.position.step, started
        limit = None if self.settings.minutes is None else self.settings.minutes * 60
        total = self.steps_per_epoch * self.epochs
        while self.position.step < total:
            loss, lr = self._update()
            now = time.monotonic()
            self.position.seconds = before + now - started
            speed = (self.position.step - steps_before) / (now - started)
            report.on_step(self._progress(loss, lr, speed, total))
            if self.position.step % self.steps_per_epoch == 0:
                self._finish_epoch(lr, report)
                self.position.seconds = before + time.monotonic() - started
                self._save()
                saved = time.monotonic()
            over = limit is not None and now - started > limit
            if over or stop():
                break
            if now - saved > self.settings.save_seconds:
                self._save()
                saved = now
        self._save()
        if self.position.step < total:
            return TrainingResult(False, self.position.curve, None, self.position.seconds)
        return TrainingResult(True, self.position.curve, self._finish(), self.position.seconds)

    def _finish(self) -> Measures:
        """Calibrate the gates if the recipe says so, and measure the finished network.

        What was saved before stands untouched, so that a kill in here loses nothing.
        """
        if self.training.calibrate_gates and self.target is not None:
            calibrate_gates(self.network, self.train_set, self.preprocessing, self.target)
        return measure(self.network, self.test_set, self.preprocessing)

    def _update(self) -> tuple[float, float]:
        """One step of SGD; returns its loss and learning rate."""
        step = self.position.step
        lr = learning_rate(self.training, step, self.steps_per_epoch, self.epochs)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        for gate in self.gates:
            gate.noise = gate_noise(self.training, step, self.steps_per_epoch * self.epochs)
        inputs, labels = self._batch(step)
        torch.manual_seed(derived_seed(self.settings.seed, "gates", step))
        self.network.train()
        with self._autocast():
            output: Output = self.network(inputs)
        loss = self._loss(output, labels)
        value = float(loss.detach())
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self._check_finite(value)
        self.optimizer.step()
        self._count(value, output)
        self.position.step += 1
        return value, lr

    def _batch(self, step: int) -> tuple[Tensor, Tensor]:
        epoch, place = divmod(step, self.steps_per_epoch)
        seed, size = self.settings.seed, self.training.batch
        if place == 0 or self._order is None:
            self._order = epoch_order(seed, epoch, len(self.train_set))
        indices = self._order[place * size : (place + 1) * size]
        pixels = self.train_set.images(indices).to(self.device)
        pixels = random_crop_flip(pixels, self.training.pad, generator(seed, "augment", step))
        labels = torch.from_numpy(self.train_set.labels)[indices].to(self.device)
        return self.preprocessing.normalise(pixels), labels

    _order: Tensor | None = None

    def _autocast(self) -> AbstractContextManager[Any]:
        if self.settings.precision == "float32":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def _loss(self, output: Output, labels: Tensor) -> Tensor:
        loss = F.cross_entropy(output.logits.float(), labels)
        if self.target is None or not output.trace.asked.any():
            return loss
        rate = rate_loss(output.trace, self.target, self.training.rate_loss)
        return loss + self.training.rate_weight * rate

    def _check_finite(self, loss: float) -> None:
        gradients: list[Tensor] = [p.grad for p in self.network.parameters() if p.grad is not None]
        norm = float(torch.nn.utils.get_total_norm(gradients))
        if loss - loss == 0 and norm - norm == 0:
            return
        epoch = self.position.step // self.steps_per_epoch + 1
        raise TrainingError(
            f"the loss became {loss} with a gradient norm of {norm} at step {self.position.step} "
            f"(epoch {epoch}); no update was made and the last saved state is kept: "
            "try a lower learning rate, or float32 in place of bfloat16"
        )

    def _count(self, loss: float, output: Output) -> None:
        trace = output.trace
        opened = cast("list[int]", (trace.ran & trace.asked).sum(dim=0).tolist())
        asked = cast("list[int]", trace.asked.sum(dim=0).tolist())
        self.position.loss_sum += loss
        self.position.opened = _added(self.position.opened, opened)
        self.position.asked = _added(self.position.asked, asked)

    def _reset_epoch(self) -> None:
        self.position.loss_sum, self.position.opened, self.position.asked = 0.0, [], []

    def _sampled_rate(self) -> float:
        """Mean over gates of the opening rate while training, this epoch so far."""
        pairs = zip(self.position.opened, self.position.asked, strict=True)
        rates = [opened / asked for opened, asked in pairs if asked]
        return sum(rates) / len(rates) if rates else float("nan")

    def _progress(self, loss: float, lr: float, speed: float, total: int) -> Progress:
        step = self.position.step
        return Progress(
            epoch=(step - 1) // self.steps_per_epoch + 1,
            epochs=self.epochs,
            step=step,
            steps=total,
            loss=loss,
            lr=lr,
            rate=self._sampled_rate(),
            images_per_second=speed * self.training.batch,
            seconds_left=(total - step) / speed,
        )

    def _finish_epoch(self, lr: float, report: Reporter) -> None:
        measures = measure(self.network, self.test_set, self.preprocessing)
        point = {
            "epoch": self.position.step // self.steps_per_epoch,
            "train_loss": self.position.loss_sum / self.steps_per_epoch,
            "test_error": measures.error,
            "rate": _none_if_nan(measures.rate),
            "sampled_rate": _none_if_nan(self._sampled_rate()),
            "lr": lr,
            "seconds": self.position.seconds,
        }
        self.position.curve.append(point)
        self._reset_epoch()
        report.on_epoch(point, measures)

    def _save(self) -> None:
        save_state(self.settings.folder, self.network, self.optimizer, self.position)


def _added(total: list[int], more: list[int]) -> list[int]:
    return [a + b for a, b in zip(total or [0] * len(more), more, strict=True)]


def _none_if_nan(value: float) -> float | None:
    return None if math.isnan(value) else value
