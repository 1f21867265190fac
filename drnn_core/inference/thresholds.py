"""Gates that open above another probability than one half: the network run anew.

A gate opens where its logit z is above 0, that is where its probability is above one half.
Subtracting log(t / (1 - t)) from its bias makes it open where the probability was above t; nothing
else of the network changes. What records alone can tell says ``drnn_core/analysis/replay.py``;
only the images of which they cannot tell need the network.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from numpy.typing import NDArray

from drnn_core.counting import network_cost
from drnn_core.data.sets import ImageSet
from drnn_core.data.transforms import Preprocessing
from drnn_core.evaluation import Measures, measure
from drnn_core.inference.predictor import one_thread
from drnn_core.inference.recording import rows_of
from drnn_core.inference.skipping import fast_forward
from drnn_core.models.gate import gate_bias
from drnn_core.models.network import Network

# Given for a batch; what is computed at once holds the turn.
Turn = Callable[[], AbstractContextManager[None]]

_BATCH = 100
# Whoever waits for the turn would else hardly ever get it between two batches.
_PAUSE = 0.002


@contextmanager
def taking_turns() -> Generator[None]:
    """Compute on one thread while no prediction does, and let one that waits go next."""
    with one_thread():
        yield
    time.sleep(_PAUSE)


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
                _move(gate_bias(block.gate), limit)
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


def _move(bias: torch.Tensor, threshold: float) -> None:
    if threshold in (0, 1):  # also of a gate that was shut or open for good before
        bias.fill_(math.copysign(math.inf, 0.5 - threshold))
    else:
        bias.sub_(math.log(threshold / (1 - threshold)))


# What a record says of a decision is left out: the gates are others.
RERUN_COLUMNS = (
    *("index", "id", "label", "prediction", "correct", "confidence", "entropy", "loss"),
    *("loops", "block_loops", "macs"),
)


def rerun(
    network: Network,
    records: pd.DataFrame,
    images: ImageSet,
    preprocessing: Preprocessing,
    thresholds: float | Sequence[float],
    changes: NDArray[np.bool_],
    progress: Callable[[int, int], None] | None = None,
    turn: Turn = nullcontext,
) -> pd.DataFrame:
    """The records as they would be under other thresholds.

    Only the images whose path may change pass through the network; the others keep their records.

    Args:
        network: in evaluation mode; left as it is.
        records: of N images of the set, their ``index`` in it, recorded with this network.
        images, preprocessing: as recorded.
        thresholds: see ``with_thresholds``.
        changes: (N,) whose path may change: not ``Replayed.unchanged``.
        progress: called with (done, total) images that pass, before the first and after each
            batch; what it raises ends the passes.
        turn: entered for each batch, such as ``taking_turns``.

    Returns:
        N rows in the order of ``records`` with ``RERUN_COLUMNS``.

    Raises:
        ValueError: see ``with_thresholds``.
    """
    changed = with_thresholds(network, thresholds)
    rows = np.flatnonzero(changes)
    kept = records.loc[~changes, list(RERUN_COLUMNS)]
    tell = progress or _nobody
    tell(0, len(rows))
    parts = [kept]
    for part in _passes(changed, records.iloc[rows], images, preprocessing, turn):
        parts.append(part)
        tell(sum(map(len, parts[1:])), len(rows))
    order = np.concatenate([np.flatnonzero(~changes), rows])
    return pd.concat(parts, ignore_index=True).iloc[np.argsort(order)].reset_index(drop=True)


def _nobody(done: int, total: int) -> None:
    """Nobody asks how far it is."""


def _passes(
    network: Network,
    records: pd.DataFrame,
    images: ImageSet,
    preprocessing: Preprocessing,
    turn: Turn,
) -> Iterator[pd.DataFrame]:
    """New records of some images, batch by batch."""
    if records.empty:
        return
    size = preprocessing.image_size
    with turn():
        forward, cost = fast_forward(network, size), network_cost(network, size)
    for start in range(0, len(records), _BATCH):
        old = records.iloc[start : start + _BATCH]
        there = old["index"].to_numpy().astype(np.int64)
        pixels = images.images(there)
        labels = torch.from_numpy(old["label"].to_numpy().astype(np.int64))
        with turn(), torch.inference_mode():
            output = forward(preprocessing.normalise(pixels))
            table: pa.Table = rows_of(output, labels, old["id"].tolist(), cost)
        yield table.to_pandas().assign(index=old["index"].to_numpy())[list(RERUN_COLUMNS)]
