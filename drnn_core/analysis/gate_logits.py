"""How far apart a gate's logits lie: whether it tells images apart at all.

A gate that gives all images nearly one logit still has a rate, and loops that differ: a threshold
laid among equal logits lets a share of the images in. Its hidden units may be off for all images,
or its threshold may have swung with the batches until nothing else was learned (docs/paper.md, "The
loss"). Rates and loops do not show it; the standard deviation of its logits does.

Nor does the deviation show everything. Where all hidden units of a gate are off for an image, its
logit is the gate's bias, to the bit the same for every such image: the gate knows two kinds of
images, and tells apart only those of the other kind.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from drnn_core.layout import BlockLayout

# A standard deviation of the logits below which chances differ by about .01 between images.
FLAT = 0.05
# A share of the images with one and the same logit from which on that is worth saying.
LUMPED = 0.2
_ROUNDED = 1e-6  # chances nearer to 0 or 1 may be equal by rounding alone


@dataclass(frozen=True)
class GateLogits:
    """One gate at one of its loops.

    Attributes:
        block: its name.
        loop: 0-based.
        asked: images that came to it.
        rate: of them, the share that it let in.
        std: standard deviation of its logits over them.
        alike: the largest share of them with one and the same chance, other than the 0 and 1 to
            which large logits are rounded.
        alike_chance: which chance that is, the lowest where there are several; NaN where all are
            rounded.
    """

    block: str
    loop: int
    asked: int
    rate: float
    std: float
    alike: float
    alike_chance: float

    @property
    def lumped(self) -> bool:
        """Whether many images get one logit from it, though it is not flat."""
        return not self.flat and self.alike >= LUMPED

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
    chance = _checked(probs, layout)
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


def _checked(probs: ArrayLike, layout: Sequence[BlockLayout]) -> NDArray[np.float64]:
    steps = sum(block.loops for block in layout)
    chance = np.asarray(probs, dtype=np.float64)
    if chance.size and chance.shape[1:] != (steps,):
        raise ValueError(
            f"expected {steps} chances for each image, one for each loop of the layout, got "
            f"{chance.shape[1:]}; pass the layout of the run that was recorded"
        )
    return chance


def _of_loop(chance: NDArray[np.float64], block: str, loop: int) -> GateLogits | None:
    asked = chance[~np.isnan(chance)]
    if len(asked) < 2:
        return None
    # float32 knows no chance between 1 - 6e-8 and 1
    held = np.clip(asked, 1e-7, 1 - 1e-7)
    std = float(np.std(np.log(held / (1 - held)), ddof=1))
    rate = float((asked > 0.5).mean())
    return GateLogits(block, loop, len(asked), rate, std, *_commonest(asked))


def _commonest(asked: NDArray[np.float64]) -> tuple[float, float]:
    inside = asked[(asked > _ROUNDED) & (asked < 1 - _ROUNDED)]
    if not len(inside):
        return 0.0, math.nan
    values, counts = np.unique(inside, return_counts=True)
    most = int(counts.argmax())
    return float(counts[most] / len(asked)), float(values[most])


def chance_counts(probs: ArrayLike, layout: Sequence[BlockLayout], bins: int = 40) -> pd.DataFrame:
    """How the chances to run lie that each gate gives at each of its loops.

    Args:
        probs, layout: as in ``gate_logits``.
        bins: of equal width over 0..1. A bin holds its upper limit, the first also 0: what lies in
            the bin that ends at one half stays out.

    Returns:
        A row for each loop that was asked about and each bin, in network order: ``block``,
        ``loop`` (0-based), ``low``, ``high``, ``images``, and ``share`` of those that asked.

    Raises:
        ValueError: fewer than one bin, or probabilities of other loops than the layout's.
    """
    if bins < 1:
        raise ValueError(f"expected at least 1 bin, got {bins}")
    chance = _checked(probs, layout)
    steps = [(block.name, loop) for block in layout for loop in range(block.loops)]
    counts: list[NDArray[np.int64]] = []
    names: list[tuple[str, int]] = []
    for step, name in enumerate(steps if chance.size else []):
        asked = chance[~np.isnan(chance[:, step]), step]
        if len(asked):
            # rounded up, and one back: a bin holds its upper limit
            place = np.clip(np.ceil(asked * bins).astype(np.int64) - 1, 0, bins - 1)
            counts.append(np.bincount(place, minlength=bins))
            names.append(name)
    images = np.asarray(counts, dtype=np.int64).reshape(-1, bins)
    return pd.DataFrame(
        {
            "block": [block for block, _ in names for _ in range(bins)],
            "loop": [loop for _, loop in names for _ in range(bins)],
            "low": np.tile(np.arange(bins) / bins, len(names)),
            "high": np.tile(np.arange(1, bins + 1) / bins, len(names)),
            "images": images.ravel(),
            "share": (images / images.sum(axis=1, keepdims=True)).ravel(),
        }
    )
