"""The gradients of a training, loop by loop, measured at some of its epochs and kept with the run.

    trainer.run(watched(reporter, trainer), stop)

At each chosen epoch the same images of the training set, as they are, pass through the network in
training mode once; the training itself sees nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from drnn_core.analysis.gradient_norms import Gradients, gradient_norms
from drnn_core.analysis.sampling import spread_sample
from drnn_core.data.sets import ImageSet
from drnn_core.data.transforms import Preprocessing
from drnn_core.evaluation import Measures
from drnn_core.models.network import Network
from drnn_core.recipes import Recipe, TrainingRecipe
from drnn_core.store.gradients import (
    COLUMNS,
    GradientPlace,
    GradientPoint,
    StoredGradients,
    finite,
    has_gradients,
    read_gradients,
    write_gradients,
)
from drnn_core.trace import Output
from drnn_core.training.batch_cut import batch_share
from drnn_core.training.fusing import unfused
from drnn_core.training.loop import Trainer
from drnn_core.training.losses import training_loss
from drnn_core.training.optim import gate_noise, rate_target
from drnn_core.training.settings import Progress, Reporter

# After which epochs to measure; 0 is before the first update.
EPOCHS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 350)
IMAGES = 128


def target_of(network: Network, training: TrainingRecipe, done: float) -> float | None:
    """The rate loss's target when a share ``done`` of the training is over; None without gates."""
    target = network.recipe.target
    if target is None or not any(block.gated for block in network.layout):
        return None
    return rate_target(training, target, done, 1)


def loss_of(
    network: Network, recipe: Recipe, labels: Tensor, done: float = 1.0
) -> Callable[[Output], Tensor]:
    """What the training loop minimises: cross-entropy, and the rate loss where there are gates.

    Args:
        network: that is trained.
        recipe: by which.
        labels: (B,) int64.
        done: share of the training that is over, by which the rate loss's target falls.
    """
    target = target_of(network, recipe.training, done)
    return lambda output: training_loss(output, labels, recipe.training, target)


class GradientWatch:
    """Measures the gradients of one training and writes them into its folder.

    Args:
        folder: of the run.
        network: that is trained, where it is trained; alone, not shared by processes.
        recipe: by which.
        train_set, preprocessing: of the training.
        seed: of the training, and of the gates' noise in the measurement.
        epochs: of the training, by which the gates' noise fades.
        images: so many of the training set, at even distances.
    """

    def __init__(
        self,
        folder: Path,
        network: Network,
        recipe: Recipe,
        train_set: ImageSet,
        preprocessing: Preprocessing,
        seed: int,
        epochs: int,
        images: int = IMAGES,
    ) -> None:
        keep = spread_sample(len(train_set), images)
        self.folder, self.network, self.recipe, self.seed = folder, network, recipe, seed
        self.epochs = epochs
        self.pixels = preprocessing.normalise(train_set.images(keep))
        self.labels = torch.from_numpy(train_set.labels)[keep]
        self.source = (train_set.name, train_set.fingerprint, len(keep))
        self.places: tuple[GradientPlace, ...] = ()
        self.points: list[GradientPoint] = []

    def go_on(self, done: int) -> None:
        """Keep what an earlier call measured of the epochs that are done.

        Raises:
            GradientsError: it is damaged.
        """
        if has_gradients(self.folder):
            stored = read_gradients(self.folder)
            self.places = stored.places
            self.points = [point for point in stored.points if point.epoch <= done]

    def measure(self, epoch: int) -> Gradients:
        """The gradients as they are now; float32, whatever the training computes in.

        Args:
            epoch: that is done, which says how large the gates' noise is by now.
        """
        device = next(self.network.parameters()).device
        done = epoch / self.epochs
        loss = loss_of(self.network, self.recipe, self.labels.to(device), done)
        training = self.recipe.training
        noise = gate_noise(training, epoch, self.epochs)
        share = batch_share(training, target_of(self.network, training, done))
        pixels = self.pixels.to(device)
        with unfused(self.network):
            return gradient_norms(self.network, pixels, loss, self.seed, noise, share)

    def after(self, epoch: int) -> Gradients | None:
        """Measure and write, where ``epoch`` is one of ``EPOCHS`` and later than the last.

        Raises:
            OSError: the file cannot be written.
        """
        known = self.points[-1].epoch if self.points else -1
        if epoch not in EPOCHS or epoch <= known:
            return None
        found = self.measure(epoch)
        self.places = tuple(GradientPlace(row.block, row.conv, row.loop) for row in found.loops)
        self.points.append(_point(epoch, found))
        name, fingerprint, images = self.source
        write_gradients(
            self.folder,
            StoredGradients(
                self.recipe.name,
                self.seed,
                name,
                fingerprint,
                images,
                self.places,
                tuple(self.points),
            ),
        )
        return found


class Watched:
    """A reporter that has the gradients measured before it passes an epoch on.

    Args:
        reporter: that is passed everything.
        watch: asked to measure after every epoch.
    """

    def __init__(self, reporter: Reporter, watch: GradientWatch) -> None:
        self.reporter, self.watch = reporter, watch

    def on_step(self, progress: Progress) -> None:
        """See ``Reporter``."""
        self.reporter.on_step(progress)

    def on_epoch(self, point: dict[str, Any], measures: Measures) -> None:
        """See ``Reporter``."""
        self.watch.after(point["epoch"])
        self.reporter.on_epoch(point, measures)


def watched(reporter: Reporter, trainer: Trainer, images: int = IMAGES) -> Watched:
    """A reporter that keeps the gradients of a training with it, beside what ``reporter`` does.

    What they are before the first update is measured here; a saved state is taken up before.

    Raises:
        ValueError: several processes train together.
    """
    if trainer.world.size > 1:
        raise ValueError("expected one process to measure gradients in; leave out --gradients")
    watch = GradientWatch(
        trainer.settings.folder,
        trainer.network,
        trainer.recipe,
        trainer.train_set,
        trainer.preprocessing,
        trainer.settings.seed,
        trainer.epochs,
        images,
    )
    if trainer.position.step:
        watch.go_on(trainer.position.step // trainer.steps_per_epoch)
    else:
        watch.after(0)
    return Watched(reporter, watch)


def _point(epoch: int, found: Gradients) -> GradientPoint:
    rows = [asdict(row) for row in found.loops]
    return GradientPoint(
        epoch,
        finite(found.loss),
        finite(found.grad_norm),
        finite(found.affine_grad_norm),
        {name: tuple(finite(row[name]) for row in rows) for name in COLUMNS},
    )
