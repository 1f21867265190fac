"""What the gates said on the way: notes as they come, a ``Trace`` at the end.

On the way this is Python's lists and loops: a few numbers an image, between convolutions that have
swept every library out of the caches. They are put together when all is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray

from drnn_core.inference.skipping.gates import Logits
from drnn_core.models.recursive import RecursiveBlock
from drnn_core.trace import Trace, empty_trace

# The step, the images that were asked, and the logit of each.
Note = tuple[int, list[int], Logits | list[float]]


class Path:
    """What happens to the images of a batch.

    Attributes:
        who: which image lies where now, B of them.
        told: (S, B) logits that overrule the gates', in the order in which the images came.
        notes: of all gates so far.
    """

    __slots__ = ("notes", "told", "who")

    def __init__(
        self, who: list[int], told: Sequence[Sequence[float]] | None, notes: list[Note]
    ) -> None:
        self.who = who
        self.told = told
        self.notes = notes

    def ask(self, step: int, start: int, logits: Logits) -> list[float]:
        """Write down what a gate says (n,) of the images from ``start``; returns what counts."""
        who = self.who[start : start + len(logits)]
        if self.told is None:
            self.notes.append((step, who, logits))
            return logits.tolist()
        row = self.told[step]
        values = [row[image] for image in who]
        self.notes.append((step, who, values))
        return values

    def part(self, start: int, stop: int) -> Path:
        """The path of the images that lie from ``start`` to ``stop``, with an order of its own."""
        return Path(self.who[start:stop], self.told, self.notes)


class Steps:
    """The steps of a network, S of them, and which gates stand before them.

    Args:
        blocks: the recursive blocks in network order.
        asks: whether gates are asked at all.
        device: of the traces.
    """

    def __init__(self, blocks: Sequence[RecursiveBlock], asks: bool, device: torch.device) -> None:
        gated = [asks and block.is_gated(loop) for block in blocks for loop in range(block.loops)]
        loops = [loop for block in blocks for loop in range(block.loops)]
        self.count = len(gated)
        self.device = device
        self._gated = np.asarray(gated, dtype=np.bool_)
        self._first = np.asarray(loops, dtype=np.intp) == 0
        # A step that runs unasked is opened by an infinite logit: its chance to run is 1.
        self._unsaid = np.where(self._gated, np.nan, np.inf).astype(np.float32)[:, None]
        # By loop, from the second on: the steps that have a loop before them.
        self._later = [
            np.flatnonzero(np.asarray(loops) == loop)
            for loop in range(1, max(loops, default=0) + 1)
        ]

    def logits(self, batch: int, notes: Sequence[Note]) -> Logits:
        """(S, B): what the gates said of each image; of one that left, its last logit again.

        That is what the gate would say of it: nothing has changed the image since.
        """
        found = self._unsaid.repeat(batch, axis=1)
        if notes:
            starts = [step * batch for step, _, _ in notes]
            places = np.repeat(starts, [len(who) for _, who, _ in notes])
            places += np.fromiter(chain.from_iterable(who for _, who, _ in notes), np.intp)
            found.reshape(-1)[places] = np.concatenate([values for _, _, values in notes])
        for steps in self._later:
            found[steps] = np.where(np.isnan(found[steps]), found[steps - 1], found[steps])
        return found

    def trace(self, logits: Logits) -> Trace:
        """The decisions that (S, B) logits mean."""
        if not self.count:
            return empty_trace(logits.shape[1], self.device)
        by_image = torch.from_numpy(logits.T.copy())
        ran = by_image.numpy() > 0
        asked = np.empty_like(ran)
        asked[:, 1:] = ran[:, :-1]
        asked[:, self._first] = True
        asked &= self._gated
        found = (torch.sigmoid(by_image), torch.from_numpy(asked), torch.from_numpy(ran))
        if self.device.type == "cpu":
            return Trace(*found)
        return Trace(*(tensor.to(self.device) for tensor in found))


def overruling(decisions: NDArray[np.bool_]) -> list[list[float]]:
    """Decisions (B, S) as logits that say so, (S, B)."""
    logits = np.where(decisions.T, np.inf, -np.inf)
    return logits.tolist()
