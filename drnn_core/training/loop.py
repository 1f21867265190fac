"""The only training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from typing import Any, cast

import torch
from torch import Tensor

from drnn_core.counting import network_cost
from drnn_core.data.classes import check_same_classes
from drnn_core.data.sets import ImageSet
from drnn_core.data.transforms import Preprocessing
from drnn_core.evaluation import Measures, measure
from drnn_core.models.network import Network
from drnn_core.models.synced import synchronise
from drnn_core.models.world import ALONE, World
from drnn_core.recipes import Recipe
from drnn_core.trace import Output
from drnn_core.training.batches import Batches
from drnn_core.training.captured_forward import CapturedForward
from drnn_core.training.distributed import check_agreement, replicated, settle
from drnn_core.training.fixed_shapes import STRIDE, FixedShapeUpdates, can_have_fixed_shapes
from drnn_core.training.losses import training_loss
from drnn_core.training.machine import device_name, source_commit
from drnn_core.training.optim import build_optimizer, check_finite, learning_rate
from drnn_core.training.resume import Position, has_state, load_state, save_state
from drnn_core.training.seeds import derived_seed
from drnn_core.training.settings import Progress, Reporter, Settings, TrainingError, TrainingResult
from drnn_core.training.steering import GateSteering

# Images that the captured forward takes at once.
_EVALUATED = 1000
# Seconds since the last save, below which the end of an epoch is no reason to save.
_EPOCH_SAVED = 1.0


class Trainer:
    """Trains one network; all that is random follows from the seed (``training/seeds.py``).

    Args:
        network: fresh; moved to the device.
        recipe: network and training recipe; its batch is that of all processes together.
        train_set, test_set: of one size and one list of classes.
        preprocessing: of both.
        settings: see ``Settings``.
        world: the processes that train together, each with a ``Trainer`` of its own.

    Raises:
        ValueError: fewer training images than one batch, a batch that the processes cannot
            share, or sets whose classes differ or share a name.
    """

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        train_set: ImageSet,
        test_set: ImageSet,
        preprocessing: Preprocessing,
        settings: Settings,
        world: World = ALONE,
    ) -> None:
        self.recipe, self.training = recipe, recipe.training
        self.settings, self.world = settings, world
        self.device = world.device if world.size > 1 else torch.device(settings.device)
        self.train_set, self.test_set, self.preprocessing = train_set, test_set, preprocessing
        self.epochs = self.training.epochs if settings.epochs is None else settings.epochs
        self.batches = Batches(
            train_set, self.training, preprocessing, settings.seed, self.epochs, world
        )
        self.steps_per_epoch, self.steps = self.batches.steps_per_epoch, self.batches.steps
        check_same_classes(train_set, test_set)
        self.network = self._placed(network)
        self.steering = GateSteering(network, self.training, self.steps, world)
        self.replica = replicated(self.network, world)
        self.fixed = self._fixed_shape_updates()
        self.optimizer = build_optimizer(
            network, self.training, None if self.fixed is None else self.fixed.lr
        )
        self.position = Position(self._identity(recipe))
        self._cost = network_cost(network, preprocessing.image_size)
        self._forward: CapturedForward | None = None
        self._ready = False

    def _placed(self, network: Network) -> Network:
        # torch declares this form of .to() for tensors only, though modules take it too.
        network.to(self.device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        if self.world.size > 1:
            synchronise(network, self.world)
        return network

    def _fixed_shape_updates(self) -> FixedShapeUpdates | None:
        wanted, possible = self.settings.fixed_shapes, self.world.size == 1
        if wanted is None:
            wanted = self.device.type == "cuda"
        possible &= can_have_fixed_shapes(self.network, self.train_set, self.training)
        if not (wanted and possible):
            return None
        return FixedShapeUpdates(
            self.network,
            self.train_set,
            self.training,
            self.preprocessing,
            self.settings.seed,
            (self.steps_per_epoch, self.epochs),
            self._loss,
            self._autocast,
        )

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

    def prepare(self) -> None:
        """Capture what will be replayed; ``run`` does it where nobody has.

        Where several trainings share a GPU, each is prepared before the first of them runs.
        """
        if self._ready or self.fixed is None:
            return
        self.fixed.capture(self.optimizer, self.settings.fuse)
        if self.fixed.stream is not None:
            size = self.preprocessing.image_size
            self._forward = CapturedForward(self.network, _EVALUATED, size, self.fixed.stream)
        self._ready = True

    def run(self, report: Reporter, stop: Callable[[], bool] = lambda: False) -> TrainingResult:
        """Train until the last epoch, the time limit, or until ``stop`` says so.

        Where several processes train, the limit or ``stop`` of any of them stops all.

        Raises:
            TrainingError: the loss or a gradient is not finite; nothing was updated by it.
            ValueError: the processes do not train the same.
        """
        check_agreement(self.world, {**self.position.identity, "step": self.position.step})
        self.prepare()
        self._sign()
        with self._autocast():
            settle(self.replica, self._blank_batch())
        try:
            self._run(report, stop)
        except TrainingError as error:
            if not has_state(self.settings.folder):
                raise
            raise TrainingError(f"{error}; the last saved state is kept") from error
        finally:
            self.batches.close()
            if self.fixed is not None and self.position.step == self.steps:
                self.fixed.close()
        finished = self.position.step == self.steps
        measures = self._finish() if finished else None
        return TrainingResult(finished, self.position.curve, measures, self.position.seconds)

    def _sign(self) -> None:
        """Note what trains from here on: at its end the checkout may be another."""
        position = self.position
        if position.step and not position.commits:
            position.commits.append("unknown")  # of a state saved before they were noted
        device = device_name(self.device, self.world.size)
        for signed, name in ((position.devices, device), (position.commits, source_commit())):
            if signed[-1:] != [name]:
                signed.append(name)

    def _run(self, report: Reporter, stop: Callable[[], bool]) -> None:
        started, before = time.monotonic(), self.position.seconds
        steps_before, saved = self.position.step, started
        limit = None if self.settings.minutes is None else self.settings.minutes * 60
        while self.position.step < self.steps:
            loss, lr = self._update() if self.fixed is None else self._updates(self.fixed)
            now = time.monotonic()
            self.position.seconds = before + now - started
            speed = (self.position.step - steps_before) / (now - started)
            report.on_step(self._progress(loss, lr, speed))
            if self.position.step % self.steps_per_epoch == 0:
                self._finish_epoch(lr, report)
                self.position.seconds = before + time.monotonic() - started
                if time.monotonic() - saved > _EPOCH_SAVED:
                    self._save()
                    saved = time.monotonic()
            over = limit is not None and now - started > limit
            if self.world.any(over or stop()):
                break
            if now - saved > self.settings.save_seconds:
                self._save()
                saved = now
        self._save()

    def _finish(self) -> Measures:
        """Calibrate the gates if the recipe says so, and measure the finished network.

        What was saved before stands untouched, so that a kill in here loses nothing.
        """
        self.steering.finish(self.train_set, self.preprocessing)
        return self._measured()

    def _measured(self) -> Measures:
        batch = 250 if self._forward is None else self._forward.batch
        return measure(
            self.network,
            self.test_set,
            self.preprocessing,
            batch,
            world=self.world,
            forward=self._forward,
            cost=self._cost,
        )

    def _update(self) -> tuple[float, float]:
        """One step of SGD; returns its loss and learning rate."""
        step = self.position.step
        lr = learning_rate(self.training, step, self.steps_per_epoch, self.epochs)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        target = self.steering.before_update(step)
        inputs, labels = self.batches.batch(step, self.device)
        torch.manual_seed(derived_seed(self.settings.seed, "gates", step))
        self.network.train()
        with self._autocast():
            output: Output = self.replica(inputs)
        loss = self._loss(output, labels, target)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        value, opened, asked = self._totals(loss.detach(), output)
        check_finite(self.network, value, step, step // self.steps_per_epoch + 1)
        self.optimizer.step()
        self.position.count(value, opened, asked)
        return value, lr

    def _updates(self, fixed: FixedShapeUpdates) -> tuple[float, float]:
        """Some steps of SGD within an epoch; returns their mean loss and the last learning rate."""
        step = self.position.step
        count = min(STRIDE, self.steps_per_epoch - step % self.steps_per_epoch)
        done = fixed.run(step, count)
        self.position.count(done.loss, done.opened, done.asked, count)
        return done.loss / count, done.lr

    def _blank_batch(self) -> Tensor:
        images, size = self.training.batch // self.world.size, self.preprocessing.image_size
        return torch.zeros((images, 3, size, size), device=self.device)

    def _autocast(self) -> AbstractContextManager[Any]:
        if self.settings.precision == "float32":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def _loss(self, output: Output, labels: Tensor, target: float | Tensor | None) -> Tensor:
        """This process's loss; a network without gates has no use for its recipe's target."""
        aim = target if self.steering.gates else None
        return training_loss(output, labels, self.training, aim, self.world)

    def _totals(self, loss: Tensor, output: Output) -> tuple[float, list[int], list[int]]:
        """The whole batch's loss, and how many images each gate step let in and was asked by."""
        trace = output.trace
        opened, asked = (trace.ran & trace.asked).sum(dim=0), trace.asked.sum(dim=0)
        own = torch.cat([loss.double()[None], opened.double(), asked.double()])
        value, *counts = cast("list[float]", self.world.total(own).tolist())
        whole = [round(count) for count in counts]
        return value / self.world.size, whole[: len(opened)], whole[len(opened) :]

    def _progress(self, loss: float, lr: float, speed: float) -> Progress:
        step = self.position.step
        return Progress(
            epoch=(step - 1) // self.steps_per_epoch + 1,
            epochs=self.epochs,
            step=step,
            steps=self.steps,
            loss=loss,
            lr=lr,
            rate=self.position.sampled_rate,
            images_per_second=speed * self.training.batch,
            seconds_left=(self.steps - step) / speed,
        )

    def _finish_epoch(self, lr: float, report: Reporter) -> None:
        self.steering.after_epoch(self.position.step - 1, self.train_set, self.preprocessing)
        measures = self._measured()
        point = {
            "epoch": self.position.step // self.steps_per_epoch,
            "train_loss": self.position.loss_sum / self.steps_per_epoch,
            "test_error": measures.error,
            "rate": _none_if_nan(measures.rate),
            "sampled_rate": _none_if_nan(self.position.sampled_rate),
            "lr": lr,
            "seconds": self.position.seconds,
        }
        self.position.end_epoch(point)
        report.on_epoch(point, measures)

    def _save(self) -> None:
        if self.world.rank == 0:
            save_state(self.settings.folder, self.network, self.optimizer, self.position)


def _none_if_nan(value: float) -> float | None:
    return None if math.isnan(value) else value
