"""What the gates said on the way: logits as they come, a ``Trace`` at the end."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from drnn_core.models.recursive import RecursiveBlock
from drnn_core.trace import Trace, empty_trace


class Steps:
    """The steps of a network, S of them, and which gates stand before them.

    Args:
        blocks: the recursive blocks in network order.
        asks: whether gates are asked at all.
        device: of the traces.
    """

    def __init__(self, blocks: Sequence[RecursiveBlock], asks: bool, device: torch.device) -> None:
        gated = [asks and block.is_gated(loop) for block in blocks for loop in range(block.loops)]
        first = [loop == 0 for block in blocks for loop in range(block.loops)]
        self.count = len(gated)
        self.device = device
        self.gated = torch.tensor(gated, dtype=torch.bool, device=device)
        # A step that runs unasked is opened by an infinite logit: its chance to run is 1.
        self._certain = torch.where(self.gated, 0.0, torch.inf)[:, None]
        self._first = torch.tensor(first, dtype=torch.bool, device=device)[:, None]

    def path(self, batch: int, who: Tensor | None = None) -> Path:
        """An empty path of so many images."""
        return Path(self._certain.repeat(1, batch), who)

    def trace(self, logits: Tensor) -> Trace:
        """Decisions of (S, B) logits, where an image that left has its last logit again.

        That is what the gate would say of it: nothing has changed the image since.
        """
        if not self.count:
            return empty_trace(logits.shape[1], self.device)
        ran = logits > 0
        reached = torch.cat((ran[:1], ran[:-1])) | self._first
        asked = reached & self.gated[:, None]
        prob = torch.sigmoid(logits)
        return Trace(prob.t().contiguous(), asked.t().contiguous(), ran.t().contiguous())


class Path:
    """Logits of the gates for the images of a batch, in the order in which the images came.

    Attributes:
        logits: (S, B) float32.
        who: (B,) int64, which image lies where now.
    """

    __slots__ = ("logits", "who")

    def __init__(self, logits: Tensor, who: Tensor | None = None) -> None:
        self.logits = logits
        batch = logits.shape[1]
        self.who = torch.arange(batch, device=logits.device) if who is None else who

    def note(self, step: int, end: int, logits: Tensor) -> None:
        """Write down logits (n,) of the images that lie first, for the block's steps from ``step``.

        The block's later steps, until ``end``, write over it where they are asked.
        """
        n = logits.shape[0]
        rows = self.logits[step:end]
        rows.index_copy_(1, self.who[:n], logits.expand(end - step, n))

    def part(self, start: int, stop: int) -> Path:
        """The path of the images that lie from ``start`` to ``stop``; changes to it are shared."""
        return Path(self.logits, self.who[start:stop])
