"""Whether records agree with themselves, their network, run.json and the budget curve; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from drnn_core.counting import network_cost
from drnn_core.models.network import Network
from drnn_core.store.budget import BudgetCurve
from drnn_core.store.manifest import RecordsHeader
from drnn_core.store.runinfo import Metrics, RunInfo

Array = NDArray[Any]

# run.json's figures may come from another device, whose last bits turn a few decisions.
_ERROR_POINTS = 0.05
_RELATIVE = 0.005
_PART = re.compile(r", [\d,]+ of [\d,]+$")  # as ``Subset`` names itself


def disagreements(
    table: pa.Table, header: RecordsHeader, info: RunInfo, network: Network
) -> list[str]:
    """What contradicts what, a sentence each; nothing where all agree.

    Args:
        table: all records.
        header: of their manifest.
        info: of their run.
        network: of the run.
    """
    found = [*_rows(table, info), *_paths(table, info, network)]
    if not found and _same_images(header, info):
        found = list(_figures(table, info.metrics.test))
    return found


def budget_disagreements(
    curve: BudgetCurve, header: RecordsHeader, records: pd.DataFrame, classes: int
) -> list[str]:
    """In what a budget curve contradicts the records, a sentence each.

    Args:
        curve: of the run.
        header: of the records.
        records: ``label``, ``correct``, ``loops`` and ``macs`` of all images.
        classes: how many the run has.
    """
    if not curve.is_of(header):
        return [f"the curve is of {curve.n:,} images of {curve.dataset}, not of those recorded"]
    images = np.bincount(records["label"].to_numpy(), minlength=classes)
    if images.tolist() != list(curve.class_images):
        return ["expected 'class_images' to count the labels of the records"]
    point = curve.at(0.5)  # there nothing is moved
    if point is None:
        return []
    told = {
        "error": 100 * float((~records["correct"].to_numpy()).mean()),
        "loops": float(records["loops"].mean()),
        "macs": float(records["macs"].mean()),
    }
    return [
        f"at the threshold 0.5 the curve says {name} {getattr(point, name)[0]:.6g}, the records "
        f"{value:.6g}"
        for name, value in told.items()
        if abs(getattr(point, name)[0] - value) > 1e-5 * max(1.0, value)
    ]


def _column(table: pa.Table, name: str) -> Array:
    return table[name].to_numpy()


def _rows(table: pa.Table, info: RunInfo) -> Iterator[str]:
    if any(column.null_count for column in table.columns):
        yield "expected a value in every row and column of the records, found empty ones"
        return
    if not np.array_equal(_column(table, "index"), np.arange(table.num_rows)):
        yield "expected 'index' to count the rows from 0"
    ids = table["id"].to_pylist()
    if len(set(ids)) != len(ids):
        yield "expected every 'id' once"
    label, prediction = _column(table, "label"), _column(table, "prediction")
    classes = len(info.classes)
    for name, values in (("label", label), ("prediction", prediction)):
        if values.min() < 0 or values.max() >= classes:
            yield f"expected '{name}' from 0 to {classes - 1}, as the run has {classes} classes"
    if not np.array_equal(_column(table, "correct"), label == prediction):
        yield "expected 'correct' to tell whether 'prediction' is 'label'"
    confidence = _column(table, "confidence")
    if not ((confidence > 0) & (confidence <= 1)).all():
        yield "expected 'confidence' above 0 and at most 1"
    if not (_column(table, "loss") >= 0).all() or not (_column(table, "entropy") >= 0).all():
        yield "expected 'loss' and 'entropy' of at least 0"


def _paths(table: pa.Table, info: RunInfo, network: Network) -> Iterator[str]:
    """Loops of blocks, gates and MACs must be those of one path through the network."""
    cost = network_cost(network, info.preprocessing.image_size)
    block_loops = _matrix(table, "block_loops", len(cost.layout))
    gate_prob = _matrix(table, "gate_prob", cost.loops_max)
    if block_loops is None or gate_prob is None:
        yield (
            f"expected lists of {len(cost.layout)} 'block_loops' and {cost.loops_max} "
            "'gate_prob' in every row, as the network has so many blocks and steps"
        )
        return
    most = np.asarray([block.loops for block in cost.layout], dtype=np.int64)
    if (block_loops < 0).any() or (block_loops > most).any():
        yield f"expected 'block_loops' of at most {most.tolist()}"
        return
    if not np.array_equal(_column(table, "loops"), block_loops.sum(axis=1)):
        yield "expected 'loops' to be the sum of 'block_loops'"
    ran, asked = _path(block_loops, most, np.asarray(cost.gate_macs) > 0)
    if not np.array_equal(asked, ~np.isnan(gate_prob)):
        yield "expected 'gate_prob' to be a number exactly where a gate was asked"
    elif ((ran & (gate_prob < 0.5)) | (~ran & asked & (gate_prob > 0.5))).any():
        yield "expected the loops to have run whose 'gate_prob' is above 0.5, and no others"
    macs = cost.fixed_macs + ran @ np.asarray(cost.step_macs, dtype=np.int64)
    macs = macs + asked @ np.asarray(cost.gate_macs, dtype=np.int64)
    if not np.array_equal(_column(table, "macs"), macs):
        yield "expected 'macs' to be what the executed loops and asked gates cost"


def _path(block_loops: Array, most: Array, gated: Array) -> tuple[Array, Array]:
    """(N, S) bool each: which steps ran, and which gates were asked."""
    block_of_step = np.repeat(np.arange(len(most)), most)
    starts = np.cumsum(most) - most
    loop = np.arange(len(block_of_step)) - starts[block_of_step]  # 0-based, within the block
    executed = block_loops[:, block_of_step]
    return loop < executed, (loop <= executed) & gated


def _matrix(table: pa.Table, name: str, width: int) -> Array | None:
    """A column of lists as (N, width); None where a list has another length."""
    column = cast("pa.ListArray[Any]", table[name].combine_chunks())
    lengths = np.diff(column.offsets.to_numpy())
    if (lengths != width).any():
        return None
    flat = column.flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(table.num_rows, width)


def _same_images(header: RecordsHeader, info: RunInfo) -> bool:
    """Whether the records are of the images on which run.json's figures were measured.

    run.json names the images of the training, of which some may have been left out; the figures
    are of the whole test set.
    """
    trained = _PART.sub("", info.dataset).replace(" (train)", " (test)")
    return header.split == "test" and header.dataset == trained


def _figures(table: pa.Table, test: Metrics) -> Iterator[str]:
    if table.num_rows != test.n:
        yield f"run.json measured {test.n:,} images, the records are of {table.num_rows:,}"
        return
    loops = _column(table, "loops").astype(np.float64)
    error = 100 * float((~_column(table, "correct")).mean())
    if abs(error - test.error) > max(_ERROR_POINTS, 200 / test.n) + 1e-9:
        yield f"run.json says an error of {test.error:.3f} %, the records {error:.3f} %"
    figures = {
        "loss": float(_column(table, "loss").astype(np.float64).mean()),
        "loops_mean": float(loops.mean()),
        "loops_std": float(loops.std(ddof=1)) if len(loops) > 1 else 0.0,
        "macs_mean": float(_column(table, "macs").mean()),
    }
    for name, value in figures.items():
        told = float(getattr(test, name))
        apart = np.isfinite(value) != np.isfinite(told)
        if apart or abs(value - told) > _RELATIVE * max(abs(value), abs(told)) + 1e-6:
            yield f"run.json says {name} {told:.5g}, the records {value:.5g}"
