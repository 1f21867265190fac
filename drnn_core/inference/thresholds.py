"""Gates that open above another probability than one half: the network run anew.

A gate opens where its logit z is above 0, that is where its probability is above one half.
Subtracting log(t / (1 - t)) from its bias makes it open where the probability was above t; nothing
else of the network changes. What records alone can tell says ``drnn_core/analysis/budget.py``.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence

import torch

from drnn_core.data.sets import ImageSet
from drnn_core.data.transforms import Preprocessing
from drnn_core.evaluation import Measures, measure
from drnn_core.models.gate import gate_bias
from drnn_core.models.network import Network


def with_thresholds(network: Network, thresholds: float | Sequence[float]) -> Network:
    """A copy of a network whose gates open above other probabilities.

    Args:
        network: left as it is.
        thresholds: one for all gates or one for each recursive block, from 0 (always open) to 1
            (never); blocks without a gate pay it no heed.

    Returns:
        The copy, in the same mode. The probabilities in its traces are those of its shifted
        gates: above one half where they open.

    Raises:
        ValueError: thresholds outside 0..1, or not one for each block.
    """
    changed = copy.deepcopy(network)
    blocks = changed.recursive_blocks()
    single = isinstance(thresholds, int | float)
    limits = (thresholds,) * len(blocks) if single else tuple(thresholds)
    if len(limits) != len(blocks):
        raise ValueError(
            f"expected one threshold, or one for each of {len(blocks)} blocks, got {len(limits)}"
        )
    for limit, (_, block) in zip(limits, blocks, strict=True):
        if not 0 <= limit <= 1:
            raise ValueError(f"expected thresholds from 0 to 1, got {limit}")
        if block.gate is not None:
            with torch.no_grad():
                gate_bias(block.gate).sub_(_logit(limit))
    return changed


def measure_thresholds(
    network: Network,
    images: ImageSet,
    preprocessing: Preprocessing,
    thresholds: Sequence[float],
    batch: int = 250,
    progress: Callable[[int, int], None] | None = None,
) -> list[Measures]:
    """Error, loops and multiply-adds under each threshold of all gates.

    Args:
        network: left as it is.
        images, preprocessing, batch: see ``evaluation.measure``.
        thresholds: 0..1 each.
        progress: called with (done, total) passes of images.
    """
    found: list[Measures] = []
    for place, threshold in enumerate(thresholds):

        def tick(done: int, total: int, place: int = place) -> None:
            if progress:
                progress(place * total + done, len(thresholds) * total)

        changed = with_thresholds(network, threshold)
        found.append(measure(changed, images, preprocessing, batch, tick))
    return found


def _logit(threshold: float) -> float:
    if threshold in (0, 1):
        return math.copysign(math.inf, threshold - 0.5)
    return math.log(threshold / (1 - threshold))
