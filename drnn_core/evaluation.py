"""One pass of a network over an image set, and what it measures.

Training, evaluation and the record table all pass through ``outputs``; a faster forward than
the reference belongs there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from drnn_core.cost import NetworkCost, network_cost
from drnn_core.data.sets import ImageSet
from drnn_core.data.transforms import Preprocessing
from drnn_core.models.network import Network
from drnn_core.trace import Output

Progress = Callable[[int, int], None]


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
) -> Iterator[Batch]:
    """Forward passes in evaluation mode over images ``first`` to ``last`` (exclusive).

    The network's mode is restored at the end.
    """
    device = next(network.parameters()).device
    labels = torch.from_numpy(np.asarray(images.labels))
    was_training = network.training
    network.eval()
    try:
        end = len(images) if last is None else last
        for start in range(first, end, batch):
            stop = min(start + batch, end)
            pixels = images.images(range(start, stop)).to(device)
            with torch.inference_mode():
                output = network(preprocessing.normalise(pixels))
            yield Batch(start, labels[start:stop].to(device), output)
    finally:
        network.train(was_training)


def measure(
    network: Network,
    images: ImageSet,
    preprocessing: Preprocessing,
    batch: int = 250,
    progress: Progress | None = None,
) -> Measures:
    """Evaluate a network on a whole set."""
    tally = _Tally(network_cost(network, preprocessing.image_size))
    for part in outputs(network, images, preprocessing, batch=batch):
        tally.add(part)
        if progress:
            progress(part.first + len(part.labels), len(images))
    return tally.measures()


class _Tally:
    def __init__(self, cost: NetworkCost) -> None:
        self.cost = cost
        self.wrong = self.wrong5 = self.count = 0
        self.loss = self.macs = 0.0
        self.loops: list[Tensor] = []
        self.asked = torch.zeros(cost.loops_max, dtype=torch.int64)
        self.opened = torch.zeros(cost.loops_max, dtype=torch.int64)

    def add(self, part: Batch) -> None:
        logits, trace = part.output.logits.float(), part.output.trace
        self.count += len(part.labels)
        top = logits.topk(min(5, logits.shape[1]), dim=1).indices == part.labels[:, None]
        self.wrong += int((~top[:, 0]).sum())
        self.wrong5 += int((~top.any(dim=1)).sum())
        self.loss += float(F.cross_entropy(logits, part.labels, reduction="sum"))
        self.macs += float(self.cost.macs_of(trace.asked, trace.ran).sum())
        self.loops.append(trace.loops.cpu())
        self.asked += trace.asked.sum(dim=0).cpu()
        self.opened += (trace.asked & trace.ran).sum(dim=0).cpu()

    def measures(self) -> Measures:
        if not self.count:
            raise ValueError("expected at least one image to measure on, got none")
        loops = torch.cat(self.loops).double()
        rates = self.opened.double() / self.asked.double()  # 0 / 0 is NaN: nobody asked
        return Measures(
            n=self.count,
            error=100 * self.wrong / self.count,
            error_top5=100 * self.wrong5 / self.count,
            loss=self.loss / self.count,
            loops_mean=float(loops.mean()),
            loops_std=float(loops.std()) if self.count > 1 else 0.0,
            loops_max=self.cost.loops_max,
            gate_rates=tuple(float(rate) for rate in rates),
            rate=float(rates.nanmean()) if len(rates) else float("nan"),
            macs_mean=self.macs / self.count,
        )
