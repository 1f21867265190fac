"""How far apart a gate's logits lie: whether it tells images apart at all.

A gate that gives all images nearly one logit still has a rate, and loops that differ: a threshold
laid among equal logits lets a share of the images in. Its hidden units may be off for all images,
or its threshold may have swung with the batches until nothing else was learned (docs/paper.md, "The
loss"). Rates and loops do not show it; the standard deviation of its logits does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drnn_core.layout import BlockLayout

# A standard deviation of the logits below which chances differ by about .01 between images.
FLAT = 0.05


@dataclass(frozen=True)
class GateLogits:
    """One gate at one of its loops.

    Attributes:
        block: its name.
        loop: 0-based.
        asked: images that came to it.
        rate: of them, the share that it let in.
        std: standard deviation of its logits over them.
    """

    block: str
    loop: int
    asked: int
    rate: float
    std: float

    @property
    def flat(self) -> bool:
        """Whether it gives all images nearly one logit."""
        return self.std < FLAT


def gate_logits(
    probs: ArrayLike, layout: Sequence[BlockLayout], first_only: bool = False
) -> list[GateLogits]:
    """The gates of a run at each loop that they were asked about.

    Args:
        probs: (N, S), chance to run, NaN where a gate was not asked: ``loops.gate_matrix``.
        layout: the recursive blocks, of S loops together.
        first_only: each gate at the first loop that it is asked about, by all images.

    Returns:
        In network order; loops that fewer than two images asked about are left out.

    Raises:
        ValueError: probabilities of other loops than the layout's.
    """
    steps = sum(block.loops for block in layout)
    chance = np.asarray(probs, dtype=np.float64)
    if chance.size and chance.shape[1:] != (steps,):
        raise ValueError(
            f"expected {steps} chances for each image, one for each loop of the layout, got "
            f"{chance.shape[1:]}; pass the layout of the run that was recorded"
        )
    if not chance.size:
        return []
    found: list[GateLogits] = []
    first = 0
    for block in layout:
        of_block = [
            one
            for loop in range(block.loops)
            if (one := _of_loop(chance[:, first + loop], block.name, loop)) is not None
        ]
        found += of_block[:1] if first_only else of_block
        first += block.loops
    return found


def _of_loop(chance: NDArray[np.float64], block: str, loop: int) -> GateLogits | None:
    asked = chance[~np.isnan(chance)]
    if len(asked) < 2:
        return None
    # float32 knows no chance between 1 - 6e-8 and 1
    held = np.clip(asked, 1e-7, 1 - 1e-7)
    std = float(np.std(np.log(held / (1 - held)), ddof=1))
    return GateLogits(block, loop, len(asked), float((asked > 0.5).mean()), std)
