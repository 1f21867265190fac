"""The gradient in each loop along training, from what ``drnn train --gradients`` keeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.results.shipped import Shipped
from benchmarks.results.tables import NOTHING, table
from drnn_core.store.gradients import StoredGradients, has_gradients, read_gradients

COLUMNS = """"Through": the gradient by the features that enter a block's first loop over that by
those that leave its last loop (norms image by image, mean over images): how much the loops magnify
it on its way back. "First / last": what the first loop contributes to the gradient of the shared
weights over what the last one does{convs}. "Scales and shifts": of the norms in recursive blocks.
Means over seeds, in brackets the smallest and the largest."""

_MEANING = """Norms of the gradient of one batch of {images} training images as they are, in
training mode, measured during training (`drnn train ... --gradients`); epoch 0 is before the first
update. {columns}"""


@dataclass(frozen=True)
class _Seeds:
    """Trainings of one network on one data set that differ in their seeds."""

    title: str
    dataset: str
    found: list[StoredGradients]


def along_training(runs: Sequence[Shipped]) -> str:
    """A table for each data set: the networks' gradients by epoch; "" where none was measured."""
    groups: dict[tuple[str, str], _Seeds] = {}
    for run in runs:
        if has_gradients(run.folder):
            key = (run.info.title, run.info.dataset)
            group = groups.setdefault(key, _Seeds(*key, []))
            group.found.append(read_gradients(run.folder))
    if not groups:
        return ""
    images = max(each.images for group in groups.values() for each in group.found)
    columns = COLUMNS.format(convs=" (geometric mean over convolutions)")
    parts = [_MEANING.format(images=images, columns=columns)]
    for dataset in dict.fromkeys(group.dataset for group in groups.values()):
        own = [group for group in groups.values() if group.dataset == dataset]
        parts.append(f"On {dataset}:\n\n{_table(own)}")
    return "\n\n".join(parts)


def _table(groups: Sequence[_Seeds]) -> str:
    columns = (
        "network", "seeds", "epoch", "loss", "all weights", "scales and shifts",
        "through each block", "first / last loop of each block",
    )  # fmt: skip
    rows = [
        [group.title, *_row(group.found, epoch)]
        for group in groups
        for epoch in sorted({point.epoch for each in group.found for point in each.points})
    ]
    return table(columns, rows)


def _row(found: Sequence[StoredGradients], epoch: int) -> list[str]:
    points = [point for each in found for point in each.points if point.epoch == epoch]
    cells = [str(len(points)), str(epoch)]
    for name in ("loss", "grad_norm", "affine_grad_norm"):
        numbers = [getattr(point, name) for point in points]
        cells.append(_spread([np.nan if number is None else number for number in numbers]))
    rows = pd.concat(
        [each.table().query(f"epoch == {epoch}").assign(seed=each.seed) for each in found]
    )
    return [*cells, *(_by_block(measure, rows) for measure in (through_block, first_over_last))]


def _by_block(measure: Callable[[pd.DataFrame], float], rows: pd.DataFrame) -> str:
    """Means over seeds, block by block."""
    shown: list[str] = []
    for block, own in rows.groupby("block", sort=False):
        numbers = [measure(part) for _, part in own.groupby("seed")]
        shown.append(f"{block}: {np.mean(numbers):.3g}")
    return ", ".join(shown) or NOTHING


def through_block(rows: pd.DataFrame) -> float:
    """Gradient by what enters a block over that by what leaves it; rows of one block and epoch."""
    first, last = (rows[rows["loop"] == loop].iloc[0] for loop in (0, rows["loop"].max()))
    return _ratio(float(first["input_grad_norm"]), float(last["output_grad_norm"]))


def first_over_last(rows: pd.DataFrame) -> float:
    """First loop's contribution over the last one's, geometric mean over convolutions."""
    by_loop = rows.pivot_table(index="loop", columns="conv", values="grad_norm", dropna=False)
    ratios = [
        _ratio(float(first), float(last))
        for first, last in zip(by_loop.iloc[0], by_loop.iloc[-1], strict=True)
    ]
    return float(np.exp(np.mean(np.log(ratios)))) if min(ratios) > 0 else np.nan


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else np.nan


def _spread(numbers: Sequence[float]) -> str:
    """Mean, and where there are several the smallest and the largest."""
    if not numbers or not np.isfinite(numbers).all():
        return NOTHING if not numbers else "not finite"
    mean = f"{np.mean(numbers):.3g}"
    return mean if len(numbers) == 1 else f"{mean} ({min(numbers):.3g} to {max(numbers):.3g})"
