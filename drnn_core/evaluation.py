"""One pass of a network over an image set, and what it measures.

Training, evaluation and the record table all pass through ``outputs``. A faster forward than the
reference goes in there, see ``inference/skipping``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from drnn_core.cost import NetworkCost
from drnn_core.counting import network_cost
from drnn_core.data.sets import ImageSet
from drnn_core.data.transforms import Preprocessing
from drnn_core.models.modes import in_mode
from drnn_core.models.network import Network
from drnn_core.models.world import ALONE, World
from drnn_core.trace import Output

Progress = Callable[[int, int], None]
# Normalised images (B, 3, H, W) -> what the network's own forward returns of them in evaluation.
Forward = Callable[[Tensor], Output]


class Batch(NamedTuple):
    """Outputs of images ``first`` to ``first + len(labels)``, with their labels (B,)."""

    first: int
    labels: Tensor
    output: Output


@dataclass(frozen=True)
class Measures:
    """What a pass over a labelled set measures.

    Attributes:
        n: images.
        error, error_top5: in %.
        loss: mean cross-entropy in nats.
        loops_mean, loops_std: executed loops per image, over images (std with n - 1).
        loops_max: the most that the network can run.
        gate_rates: opening rate of each step among the images that asked its gate; NaN where
            none did.
        rate: their mean; NaN without gates.
        macs_mean: multiply-adds per image.
    """

    n: int
    error: float
    error_top5: float
    loss: float
    loops_mean: float
    loops_std: float
    loops_max: int
    gate_rates: tuple[float, ...]
    rate: float
    macs_mean: float


def outputs(
    network: Network,
    images: ImageSet,
    preprocessing: Preprocessing,
    first: int = 0,
    last: int | None = None,
    batch: int = 250,
    forward: Forward | None = None,
) -> Iterator[Batch]:
    """Forward passes in evaluation mode over images ``first`` to ``last`` (exclusive).

    Each module's mode is restored at the end. ``forward`` computes in the network's place, for
    instance the network compiled for inference; by default its own forward does.
    """
    device = next(network.parameters()).device
    labels = torch.from_numpy(np.asarray(images.labels))
    with in_mode(network, training=False):
        end = len(images) if last is None else last
        for start in range(first, end, batch):
            stop = min(start + batch, end)
            pixels = images.images(range(start, stop)).to(device)
            with torch.inference_mode():
                output = (forward or network)(preprocessing.normalise(pixels))
            yield Batch(start, labels[start:stop].to(device), output)


def measure(
    network: Network,
    images: ImageSet,
    preprocessing: Preprocessing,
    batch: int = 250,
    progress: Progress | None = None,
    world: World = ALONE,
    forward: Forward | None = None,
    cost: NetworkCost | None = None,
) -> Measures:
    """Evaluate a network on a whole set; ``forward`` as in ``outputs``.

    ``cost`` is the network's, where somebody has counted it before.

    Where several processes share the work, each takes every so many-th batch, and the batches'
    sums are added up in their order: all get the measures that one process would, to the bit.
    """
    tally = _Tally(cost or network_cost(network, preprocessing.image_size), len(images), batch)
    for number in range(world.rank, len(tally.sums), world.size):
        first, last = number * batch, min((number + 1) * batch, len(images))
        for part in outputs(network, images, preprocessing, first, last, batch, forward):
            tally.add(number, part)
        if progress:
            progress(last, len(images))
    tally.share(world)
    return tally.measures()


class _Tally:
    """What batches measure: a row of sums for each, and the loops of each image."""

    def __init__(self, cost: NetworkCost, images: int, batch: int) -> None:
        self.cost = cost
        # wrong, wrong among five, cross-entropy, multiply-adds, then asked and opened of each step
        shape = (-(-images // batch), 4 + 2 * cost.loops_max)
        self.sums = torch.zeros(shape, dtype=torch.float64)
        self.loops = torch.zeros(images, dtype=torch.float64)

    def add(self, number: int, part: Batch) -> None:
        logits, trace = part.output.logits.float(), part.output.trace
        top = logits.topk(min(5, logits.shape[1]), dim=1).indices == part.labels[:, None]
        self.sums[number, 0] = (~top[:, 0]).sum()
        self.sums[number, 1] = (~top.any(dim=1)).sum()
        self.sums[number, 2] = F.cross_entropy(logits, part.labels, reduction="sum")
        self.sums[number, 3] = self.cost.macs_of(trace.asked, trace.ran).sum()
        asked, opened = trace.asked.sum(dim=0), (trace.asked & trace.ran).sum(dim=0)
        self.sums[number, 4:] = torch.cat([asked, opened])
        self.loops[part.first : part.first + len(part.labels)] = trace.loops

    def share(self, world: World) -> None:
        """Fill in what the other processes measured; collective."""
        self.sums = world.total(self.sums.to(world.device)).cpu()
        self.loops = world.total(self.loops.to(world.device)).cpu()

    def measures(self) -> Measures:
        count = len(self.loops)
        if not count:
            raise ValueError("expected at least one image to measure on, got none")
        # row by row: the order of the additions is that of the batches, whoever measured them
        total = np.add.accumulate(self.sums.numpy(), axis=0)[-1]
        wrong, wrong5, loss, macs = (float(each) for each in total[:4])
        asked, opened = torch.from_numpy(total[4:]).chunk(2)
        rates = opened / asked  # 0 / 0 is NaN: nobody asked
        return Measures(
            n=count,
            error=100 * wrong / count,
            error_top5=100 * wrong5 / count,
            loss=loss / count,
            loops_mean=float(self.loops.mean()),
            loops_std=float(self.loops.std()) if count > 1 else 0.0,
            loops_max=self.cost.loops_max,
            gate_rates=tuple(float(rate) for rate in rates),
            rate=float(rates.nanmean()) if len(rates) else float("nan"),
            macs_mean=macs / count,
        )
