"""What training does to gates beside their gradients: noise, targets, shares, thresholds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from drnn_core.data.sets import ImageSet
from drnn_core.data.transforms import Preprocessing
from drnn_core.models.gate import Gate, gate_head
from drnn_core.models.network import Network
from drnn_core.models.world import World
from drnn_core.recipes import TrainingRecipe
from drnn_core.training.batch_cut import IMAGES_AT_EPOCHS, batch_share, set_shares
from drnn_core.training.calibration import calibrate_gates, calibrate_together
from drnn_core.training.fusing import unfused
from drnn_core.training.optim import gate_noise, rate_target


class GateSteering:
    """The gates of a network in training; of a network without any it does nothing.

    Args:
        network: whose gates they are; their temperature becomes the recipe's.
        training: the recipe.
        steps: updates of the whole training.
        world: the processes that train together.
    """

    def __init__(
        self, network: Network, training: TrainingRecipe, steps: int, world: World
    ) -> None:
        self._network, self._training, self._world = network, training, world
        self._target, self._steps = network.recipe.target, steps
        self.gates = [module for module in network.modules() if isinstance(module, Gate)]
        for gate in self.gates:
            gate.temperature = training.temperature

    def target(self, step: int) -> float | None:
        """The rate loss's target in an update; None without gates."""
        if self._target is None or not self.gates:
            return None
        return rate_target(self._training, self._target, step, self._steps)

    def before_update(self, step: int) -> float | None:
        """Set the noise and, where batches are cut, the share that opens; returns the target."""
        for gate in self.gates:
            gate.noise = gate_noise(self._training, step, self._steps)
        target = self.target(step)
        set_shares(self.gates, batch_share(self._training, target))
        return target

    def after_epoch(self, step: int, images: ImageSet, preprocessing: Preprocessing) -> None:
        """Where batches are cut, evaluation has no threshold yet: set it.

        Args:
            step: the last update made.
            images: of the training set.
            preprocessing: of them.
        """
        share = batch_share(self._training, self.target(step))
        if share is not None:
            self._calibrate(
                partial(calibrate_gates, most=IMAGES_AT_EPOCHS), images, preprocessing, share
            )

    def finish(self, images: ImageSet, preprocessing: Preprocessing) -> None:
        """Calibrate the gates of the finished network on training images, if the recipe says so."""
        if not self._training.calibrate_gates or self._target is None:
            return
        how: Callable[..., object] = calibrate_together
        if self._training.rate_loss != "network":
            how = partial(calibrate_gates, unit=self._training.rate_loss == "batch")
        self._calibrate(how, images, preprocessing, self._target)

    def _calibrate(
        self,
        how: Callable[..., object],
        images: ImageSet,
        preprocessing: Preprocessing,
        target: float,
    ) -> None:
        """Every process then has rank 0's gates, which are written."""
        with unfused(self._network):
            how(self._network, images, preprocessing, target)
        for head in map(gate_head, self.gates):
            for value in (head.weight.detach(), head.bias.detach()):
                value.copy_(self._world.gathered(value)[0])
