"""What a network says of one picture, and the path that the picture took."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Prediction:
    """One picture's prediction; plain values, no tensors. S steps, as ``trace.py`` counts them.

    Attributes:
        seen: (H, W, 3) uint8, the picture as the network saw it.
        probabilities: (classes,) float32, softmax of the logits, in the order of the classes.
        top: the (at most) five likeliest classes and their probabilities, likeliest first.
        loops: executed, over all blocks.
        block_loops: (blocks,) int64, executed in each recursive block.
        asked: (S,) bool, the gate was consulted.
        ran: (S,) bool, the loop was executed.
        prob: (S,) float32, the gate's chance to run the loop; NaN where it was not asked.
        macs: multiply-adds spent on this picture.
        macs_max: spent if every loop ran.
        macs_mean_of_run: mean of the run's test set.
        loops_max: the most loops that the network can run.
        loops_mean_of_run, loops_std_of_run: over the run's test set.
    """

    seen: NDArray[np.uint8]
    probabilities: NDArray[np.float32]
    top: list[tuple[str, float]]
    loops: int
    block_loops: NDArray[np.int64]
    asked: NDArray[np.bool_]
    ran: NDArray[np.bool_]
    prob: NDArray[np.float32]
    macs: int
    macs_max: int
    macs_mean_of_run: float
    loops_max: int
    loops_mean_of_run: float
    loops_std_of_run: float

    @property
    def label(self) -> int:
        """The likeliest class, as a position among the classes."""
        return int(self.probabilities.argmax())
