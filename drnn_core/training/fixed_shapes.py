"""Updates whose operations do not depend on what the gates say, captured as a CUDA graph.

A training step of the small networks of table 1 is some hundred kernels of a few microseconds:
asked for one by one, and waited for in every loop, a GPU does little. Here all that an epoch draws
(which images, how they are cropped, the noise of the gates, the learning rates) is laid down on the
device beforehand, the images lie there as well, the groups of I-LVBN are told apart by masks
(``models/masked_norm.py``), and a step asks nothing of the host: it is captured once and replayed.

Numbers are drawn as the ordinary updates draw them on a CPU, so that both see equal batches and
equal noise, and train the same network to rounding (``tests/training/test_fixed_shapes.py``, where
the step runs uncaptured on a CPU).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from drnn_core.data.augment import Crops, crop_flip, draw_crops
from drnn_core.data.sets import ImageSet
from drnn_core.data.transforms import Preprocessing, standardise
from drnn_core.models.bodies import StochasticDepthBlock
from drnn_core.models.gate import Gate
from drnn_core.models.network import Network
from drnn_core.recipes import TrainingRecipe
from drnn_core.trace import Output
from drnn_core.training.batch_cut import batch_share, set_shares
from drnn_core.training.fusing import can_fuse, fuse_blocks
from drnn_core.training.optim import gate_noise, learning_rate, rate_target
from drnn_core.training.seeds import epoch_order, generator
from drnn_core.training.settings import TrainingError

# Updates between two looks at the results: a look waits for the device.
STRIDE = 50
# Steps before the capture, in which libraries choose their kernels.
_WARM_UP = 3
_FORMS = ("cifar_resnet", "preact_resnet", "rcnn", "resnet", "mobilenetv2")


class Drawn(NamedTuple):
    """What the updates of an epoch need: U updates of B images, A questions to gates in each.

    Attributes:
        images: (U, B) int64.
        top, left, flip: (U, B, 1), see ``Crops``.
        uniform: (U, A, B) float32, for the gates' noise.
        lr, noise, target: (U,) float32, learning rate, scale of the noise, and the rate loss's aim
            (0 without gates, which read none).
    """

    images: Tensor
    top: Tensor
    left: Tensor
    flip: Tensor
    uniform: Tensor
    lr: Tensor
    noise: Tensor
    target: Tensor


class Totals(NamedTuple):
    """Sums over some updates: of the loss, and of the images let in and asked at each step."""

    loss: float
    opened: list[int]
    asked: list[int]
    lr: float


def can_have_fixed_shapes(network: Network, images: ImageSet, training: TrainingRecipe) -> bool:
    """Whether a training can be made of such updates.

    Not where pictures are decoded in every epoch or lie in more memory than a GPU spares for them
    (over 2 GiB), where whole blocks are dropped by chance, where the blocks are not ours, or where
    there are gates and no target.
    """
    asking = any(block.gate is not None for _, block in network.recursive_blocks())
    if asking and network.recipe.target is None:
        return False
    drops = any(isinstance(module, StochasticDepthBlock) for module in network.modules())
    size = network.recipe.image_size
    held = len(images) * 3 * size * size <= 2 << 30
    return training.augment == "crop" and held and not drops and network.recipe.form in _FORMS


class FixedShapeUpdates:
    """Makes the updates of one training, some at a time.

    Args:
        network: on its device.
        images: the training set, copied to the device.
        training, preprocessing, seed: of the training.
        steps_per_epoch, epochs: its length.
        loss: output, labels and the rate loss's target -> () loss.
        autocast: the precision of the forward pass.

    Attributes:
        lr: () float32, which the optimizer must have as its learning rate.
        stream: on which it is captured, on a GPU. Libraries keep a workspace for each stream, and
            graphs that run beside one another must not share it.
    """

    def __init__(
        self,
        network: Network,
        images: ImageSet,
        training: TrainingRecipe,
        preprocessing: Preprocessing,
        seed: int,
        length: tuple[int, int],
        loss: Callable[[Output, Tensor, Tensor], Tensor],
        autocast: Callable[[], AbstractContextManager[Any]],
    ) -> None:
        self.network, self.training, self.seed = network, training, seed
        self.steps_per_epoch, self.epochs = length
        self.loss, self.autocast = loss, autocast
        self.device = next(network.parameters()).device
        self.gates = [module for module in network.modules() if isinstance(module, Gate)]
        blocks = [block for _, block in network.recursive_blocks()]
        for block in blocks:
            block.fixed_shapes = True
        self._asks = sum(block.is_gated(loop) for block in blocks for loop in range(block.loops))
        self._pixels = images.images(range(len(images))).to(self.device)
        self._labels = torch.from_numpy(images.labels).to(self.device)
        self._moments = preprocessing.moments(self.device)
        steps = sum(block.loops for block in blocks)
        self.lr = torch.zeros((), device=self.device)
        self._cursor = torch.zeros(1, dtype=torch.int64, device=self.device)
        self._sums = torch.zeros(1 + 2 * steps, dtype=torch.float64, device=self.device)
        self._broken = torch.zeros((), device=self.device)
        self._epoch = -1
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="draws")
        self._ahead: tuple[int, Future[Drawn]] | None = None
        self._drawn: Drawn | None = None
        self._graph: torch.cuda.CUDAGraph | None = None
        self.stream = torch.cuda.Stream(self.device) if self.device.type == "cuda" else None

    def capture(self, optimizer: torch.optim.SGD, fuse: bool = False) -> None:
        """Make ready to update; the network and the optimizer's state are left as they are.

        Args:
            optimizer: with ``lr`` as its learning rate, its state loaded if there is one.
            fuse: compile the blocks first, where there is a compiler for the device.
        """
        self.optimizer = optimizer
        # It refuses the updates after a value that is not finite, as it would a GradScaler's.
        cast(Any, optimizer).found_inf = self._broken
        cast(Any, optimizer).grad_scale = None
        for parameter in self.network.parameters():
            state = optimizer.state[parameter]
            if state.get("momentum_buffer") is None:
                state["momentum_buffer"] = torch.zeros_like(parameter)
        if self.stream is None:
            return
        if fuse and can_fuse(self.device):
            fuse_blocks(self.network)
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            self._load(0)
            kept = [value.clone() for value in self._changed()]
            torch.backends.cudnn.benchmark = True
            self.network.train()
            for _ in range(_WARM_UP):
                self._step()
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(
                self._graph, stream=self.stream, capture_error_mode="thread_local"
            ):
                self._step()
            for value, before in zip(self._changed(), kept, strict=True):
                value.copy_(before)
        torch.cuda.current_stream().wait_stream(self.stream)

    def run(self, step: int, count: int) -> Totals:
        """Make ``count`` updates from ``step`` on, all of one epoch.

        Raises:
            TrainingError: a loss or a gradient is not finite; nothing was updated by it or after.
        """
        epoch, place = divmod(step, self.steps_per_epoch)
        self._load(epoch)
        self._cursor.fill_(place)
        self._sums.zero_()
        self.network.train()
        for _ in range(count):
            if self._graph is None:
                self._step()
            else:
                self._graph.replay()
        told = [self._broken.double()[None], self.lr.double()[None], self._sums]
        broken, lr, loss, *counts = cast("list[float]", torch.cat(told).tolist())
        if broken:
            raise TrainingError(
                f"the loss or a gradient became infinite or no number between steps {step} and "
                f"{step + count} (epoch {epoch + 1}); no update was made by it: "
                "try a lower learning rate, or float32 in place of bfloat16"
            )
        whole = [round(each) for each in counts]
        half = len(whole) // 2
        return Totals(loss, whole[:half], whole[half:], lr)

    def close(self) -> None:
        """End the thread that draws ahead."""
        self._threads.shutdown(cancel_futures=True)

    def _changed(self) -> list[Tensor]:
        momentum = [state["momentum_buffer"] for state in self.optimizer.state.values()]
        values = [*self.network.parameters(), *self.network.buffers(), *momentum]
        return [each.detach() for each in values] + [self._cursor, self._sums, self._broken]

    def _load(self, epoch: int) -> None:
        """Lay down what an epoch draws, and begin to draw the next."""
        if epoch == self._epoch:
            return
        if self._ahead is None or self._ahead[0] != epoch:
            self._ahead = epoch, self._threads.submit(self._draw, epoch)
        drawn = self._ahead[1].result()
        if self._drawn is None:
            self._drawn = Drawn(*(each.to(self.device) for each in drawn))
        else:
            for place, values in zip(self._drawn, drawn, strict=True):
                place.copy_(values)
        self._epoch = epoch
        if epoch + 1 < self.epochs:
            self._ahead = epoch + 1, self._threads.submit(self._draw, epoch + 1)

    def _draw(self, epoch: int) -> Drawn:
        size, length = self.training.batch, self.steps_per_epoch
        order = epoch_order(self.seed, epoch, len(self._labels))[: length * size]
        steps = range(epoch * length, (epoch + 1) * length)
        crops = [
            draw_crops(size, self.training.pad, generator(self.seed, "augment", step))
            for step in steps
        ]
        shape = (self._asks, size)
        uniform = [torch.rand(shape, generator=generator(self.seed, "gates", s)) for s in steps]
        rates = [learning_rate(self.training, s, length, self.epochs) for s in steps]
        total, aim = length * self.epochs, self.network.recipe.target or 0.0
        noises = [gate_noise(self.training, s, total) for s in steps]
        targets = [rate_target(self.training, aim, s, total) for s in steps]
        top, left, flip = (torch.stack(each) for each in zip(*crops, strict=True))
        return Drawn(
            order.view(length, size),
            top,
            left,
            flip,
            torch.stack(uniform),
            torch.tensor(rates),
            torch.tensor(noises),
            torch.tensor(targets),
        )

    def _step(self) -> None:
        """One update: what is captured. It reads row ``_cursor`` of what was drawn."""
        assert self._drawn is not None
        row = Drawn(*(each.index_select(0, self._cursor)[0] for each in self._drawn))
        self.lr.copy_(row.lr)
        inputs, labels = self._batch(row)
        with self._noise(row), self.autocast():
            output: Output = self.network(inputs)
        loss = self.loss(output, labels, row.target)
        for parameter in self.network.parameters():
            parameter.grad = None
        loss.backward()
        self._note(loss.detach(), output)
        self.optimizer.step()
        self._cursor.add_(1)

    @contextmanager
    def _noise(self, row: Drawn) -> Generator[None]:
        """The gates read the numbers that were drawn ahead; then they draw for themselves again."""
        numbers: Iterator[Tensor] = iter(row.uniform)
        for gate in self.gates:
            gate.noise, gate.draw = row.noise, lambda _: next(numbers)
        set_shares(self.gates, batch_share(self.training, row.target))
        yield
        set_shares(self.gates, None)
        for gate in self.gates:
            gate.noise, gate.draw = 1.0, torch.rand_like

    def _batch(self, row: Drawn) -> tuple[Tensor, Tensor]:
        pixels = self._pixels[row.images]
        pixels = crop_flip(pixels, self.training.pad, Crops(row.top, row.left, row.flip))
        return standardise(pixels, *self._moments), self._labels[row.images]

    def _note(self, loss: Tensor, output: Output) -> None:
        trace = output.trace
        opened, asked = (trace.ran & trace.asked).sum(dim=0), trace.asked.sum(dim=0)
        self._sums += torch.cat([loss.double()[None], opened.double(), asked.double()])
        found = [p.grad for p in self.network.parameters() if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(found)
        sound = torch.isfinite(loss) & torch.isfinite(norm)
        self._broken.copy_(torch.maximum(self._broken, (~sound).float()))
