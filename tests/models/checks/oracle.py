"""The recursive block once more, slowly and literally, image by image.

Nothing here is shared with drnn_core but the parameters: convolutions are those of torch, the
normalisation is written out with its moments, and decisions are single Python booleans.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass
class Statistics:
    """Population statistics of one BatchNorm, as the oracle believes they should become."""

    mean: Tensor
    var: Tensor
    batches: int


@dataclass
class Result:
    """Features (B, C, H, W), decisions (B, S) and the statistics of every norm."""

    features: Tensor
    prob: Tensor
    asked: Tensor
    ran: Tensor
    statistics: dict[tuple[str, int], Statistics] = field(default_factory=dict)


def _logit(gate: Any, image: Tensor) -> Tensor:
    pooled = image[0].sum(dim=(1, 2)) / (image.shape[2] * image.shape[3])
    if hasattr(gate.fc, "weight"):
        return gate.fc.weight[0] @ pooled + gate.fc.bias[0]
    hidden = gate.fc[0].weight @ pooled + gate.fc[0].bias
    return gate.fc[2].weight[0] @ hidden.clamp(min=0) + gate.fc[2].bias[0]


def _affine(norm: Any, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
    columns = (1, -1, 1, 1)
    centred = (x - mean.view(columns)) / torch.sqrt(var.view(columns) + norm.eps)
    return centred * norm.weight.view(columns) + norm.bias.view(columns)


def _own_norm(layer: Any, loop: int) -> tuple[int, Any]:
    index = 0 if layer.kind == "naive" else loop
    return index, layer.norms[index]


def evaluate(block: Any, images: Tensor) -> Result:
    """Evaluation mode: each image alone, and no computation for one that left."""
    count, loops = images.shape[0], block.loops
    prob, asked, ran = (
        torch.ones(count, loops),
        torch.zeros(count, loops),
        torch.zeros(count, loops),
    )
    finished: list[Tensor] = []
    for index in range(count):
        x = images[index : index + 1]
        for loop in range(loops):
            if block.gate is not None and (loop > 0 or block.first_loop == "gated"):
                asked[index, loop] = 1
                logit = _logit(block.gate, x)
                prob[index, loop] = 1 / (1 + torch.exp(-logit))
                if not logit > 0:
                    break
            ran[index, loop] = 1
            y = x
            for place in ("1", "2"):
                y = F.conv2d(y, getattr(block.body, f"conv{place}").weight, padding=1)
                _, norm = _own_norm(getattr(block.body, f"norm{place}"), loop)
                y = _affine(norm, y, norm.running_mean, norm.running_var)
                y = y.clamp(min=0) if place == "1" else y
            x = x + y
            x = x.clamp(min=0) if block.activation else x
        finished.append(x)
    return Result(torch.cat(finished), prob, asked.bool(), ran.bool())


def train(block: Any, images: Tensor, seed: int) -> Result:
    """Training mode, with the noise that ``torch.manual_seed(seed)`` gives to one draw a loop."""
    return _TrainingOracle(block, images, seed).run()


class _TrainingOracle:
    def __init__(self, block: Any, images: Tensor, seed: int) -> None:
        self.block = block
        self.count = images.shape[0]
        self.images = [images[index : index + 1] for index in range(self.count)]
        self.weights = [torch.ones(()) for _ in range(self.count)]
        self.inside = [True] * self.count
        self.generator = torch.Generator().manual_seed(seed)
        self.statistics: dict[tuple[str, int], Statistics] = {}
        for place in ("1", "2"):
            for index, norm in enumerate(getattr(block.body, f"norm{place}").norms):
                self.statistics[place, index] = Statistics(
                    norm.running_mean.clone(),
                    norm.running_var.clone(),
                    int(norm.num_batches_tracked),
                )

    def run(self) -> Result:
        loops = self.block.loops
        prob = [[torch.ones(()) for _ in range(loops)] for _ in range(self.count)]
        asked, ran = torch.zeros(self.count, loops), torch.zeros(self.count, loops)
        for loop in range(loops):
            consulted = self.block.gate is not None and (
                loop > 0 or self.block.first_loop == "gated"
            )
            if consulted:
                noise = torch.rand(self.count, generator=self.generator)
                for index in range(self.count):
                    asked[index, loop] = self.inside[index]
                    prob[index][loop] = self._ask(index, noise[index].clamp(1e-7, 1 - 1e-7))
            for index in range(self.count):
                ran[index, loop] = self.inside[index]
            self._loop(loop)
        stacked = torch.stack([torch.stack(row) for row in prob])
        return Result(torch.cat(self.images), stacked, asked.bool(), ran.bool(), self.statistics)

    def _ask(self, index: int, uniform: Tensor) -> Tensor:
        logit = _logit(self.block.gate, self.images[index])
        noisy = logit + torch.log(uniform / (1 - uniform))
        soft = 1 / (1 + torch.exp(-noisy / self.block.gate.temperature))
        opened = bool(noisy > 0)
        self.weights[index] = self.weights[index] * (float(opened) + (soft - soft.detach()))
        self.inside[index] = self.inside[index] and opened
        return 1 / (1 + torch.exp(-logit))

    def _loop(self, loop: int) -> None:
        residual = self.images
        for place in ("1", "2"):
            weight = getattr(self.block.body, f"conv{place}").weight
            residual = [F.conv2d(image, weight, padding=1) for image in residual]
            residual = self._normalise(place, loop, residual)
            if place == "1":
                residual = [image.clamp(min=0) for image in residual]
        for index, (x, y) in enumerate(zip(self.images, residual, strict=True)):
            after = x + y
            after = after.clamp(min=0) if self.block.activation else after
            self.images[index] = x + self.weights[index] * (after - x)

    def _normalise(self, place: str, loop: int, images: list[Tensor]) -> list[Tensor]:
        layer = getattr(self.block.body, f"norm{place}")
        index, norm = _own_norm(layer, loop)
        everyone = list(range(self.count))
        executed = [i for i in everyone if self.inside[i]]
        left = [i for i in everyone if not self.inside[i]]
        if layer.kind in ("naive", "lvbn"):
            executed, left = everyone, []
        kept = self.statistics[place, index]
        inner = _moments([images[i] for i in executed])
        outer = _moments([images[i] for i in left]) if layer.kind == "ilvbn" else inner
        if inner is not None:
            mean, var, values = inner
            kept.mean = (1 - norm.momentum) * kept.mean + norm.momentum * mean.detach()
            unbiased = var.detach() * values / (values - 1)
            kept.var = (1 - norm.momentum) * kept.var + norm.momentum * unbiased
            kept.batches += 1
        population = (kept.mean, kept.var)
        result = list(images)
        for group, moments in ((executed, inner), (left, outer)):
            mean, var = population if moments is None else moments[:2]
            for i in group:
                result[i] = _affine(norm, images[i], mean, var)
        return result


def _moments(group: list[Tensor]) -> tuple[Tensor, Tensor, int] | None:
    """Mean, biased variance and number of values per channel; None where no variance exists."""
    values = sum(image.shape[2] * image.shape[3] for image in group)
    if values <= 1:
        return None
    total = torch.stack([image[0].sum(dim=(1, 2)) for image in group]).sum(dim=0)
    mean = total / values
    squares = [(image[0] - mean.view(-1, 1, 1)).square().sum(dim=(1, 2)) for image in group]
    return mean, torch.stack(squares).sum(dim=0) / values, values
