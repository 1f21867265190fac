"""The processes among which the images of a batch are spread, and sums over all of them.

Every method that talks to the others is a *collective*: all processes must call it, in the same
order. So nothing may stand before it that depends on the images of one process alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True)
class World:
    """Process ``rank`` of ``size``; each has an equal slice of every batch, in rank order.

    Attributes:
        rank: 0-based; rank 0 writes and reports.
        size: processes; 1 talks to nobody.
        device: where this process computes.
    """

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def part(self, batch: int) -> slice:
        """The places of this process's images in a batch of ``batch``.

        Raises:
            ValueError: the batch cannot be spread evenly.
        """
        if batch % self.size:
            raise ValueError(
                f"expected a batch that {self.size} processes can share evenly, got {batch}; "
                "start as many processes as divide it"
            )
        count = batch // self.size
        return slice(self.rank * count, (self.rank + 1) * count)

    def total(self, values: Tensor) -> Tensor:
        """The sum of ``values`` over the processes, to the same bits in each; collective.

        Differentiable, and then collective once more in the backward pass: the gradient of the
        sum of every process's loss.
        """
        return values if self.size == 1 else cast(Tensor, _Total.apply(values))

    def gathered(self, values: Tensor) -> Tensor:
        """(...) -> (size, ...): the ``values`` of every process, in rank order; collective."""
        if self.size == 1:
            return values[None]
        parts = [torch.empty_like(values) for _ in range(self.size)]
        dist.all_gather(parts, values)
        return torch.stack(parts)

    def any(self, flag: bool) -> bool:
        """Whether one of the processes says so; collective."""
        if self.size == 1:
            return flag
        return bool(self.total(torch.tensor(float(flag), device=self.device)) > 0)


ALONE = World()


class _Total(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        del ctx
        return _summed(values)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Tensor:
        del ctx
        return _summed(grads[0])


def _summed(values: Tensor) -> Tensor:
    values = values.detach().clone(memory_format=torch.contiguous_format)
    dist.all_reduce(values)
    return values
