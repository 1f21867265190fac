"""Writing a run's record table: every image once through the network, every decision kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor

from drnn_core.cost import NetworkCost
from drnn_core.counting import network_cost
from drnn_core.data.sets import ImageSet
from drnn_core.evaluation import outputs
from drnn_core.inference.skipping import fast_forward
from drnn_core.store.records import RECORD_SCHEMA, RecordsError, RecordsHeader, RecordWriter
from drnn_core.store.runs import RunInfo, load_network
from drnn_core.trace import Output

SHARD_ROWS = 2500


def record_run(
    run_folder: Path,
    image_set: ImageSet,
    batch: int = 250,
    progress: Callable[[int, int], None] | None = None,
    *,
    split: str = "test",
    device: str = "cpu",
    shard_rows: int = SHARD_ROWS,
) -> int:
    """Write the records of a run over an image set, or what is missing of them.

    May be killed at any moment and called again: sound shards are kept, and the table becomes
    the same to the bit as without the interruption (with the same ``batch``, whose images are
    computed together, and on the same machine).

    Args:
        run_folder: of the run.
        image_set: of the run's classes, at the size that its network sees.
        batch: images in one forward pass.
        progress: called with (done, total) images.
        split: which split ``image_set`` is.
        device: to compute on.
        shard_rows: rows of a shard; what an interruption costs at most.

    Returns:
        How many rows were written by this call; 0 where nothing was missing.

    Raises:
        RunError: the run is missing or damaged.
        RecordsError: the set does not fit the run, or the run has records of something else.
    """
    network, info = load_network(run_folder)
    _check_set(image_set, info)
    header = RecordsHeader(
        split=split,
        dataset=image_set.name,
        data_fingerprint=image_set.fingerprint,
        weights_sha256=info.weights_sha256,
        rows=len(image_set),
        shard_rows=shard_rows,
        columns=(*RECORD_SCHEMA.names, *image_set.columns),
    )
    network.to(torch.device(device))
    size = info.preprocessing.image_size
    cost = network_cost(network, size)
    with RecordWriter(run_folder, header) as writer:
        missing = writer.missing()
        forward = fast_forward(network, size) if missing else None
        written = 0
        done = header.rows - sum(rows for _, rows in missing)
        for first, rows in missing:
            parts: list[pa.Table] = []
            last = first + rows
            for part in outputs(
                network, image_set, info.preprocessing, first, last, batch, forward
            ):
                parts.append(_rows(part.output, part.labels, part.first, image_set, cost))
                if progress:
                    progress(done + written + sum(p.num_rows for p in parts), header.rows)
            writer.write(first, pa.concat_tables(parts).combine_chunks())
            written += rows
    return written


def rows_of(
    output: Output,
    labels: Tensor,
    ids: Sequence[str],
    cost: NetworkCost,
    first: int = 0,
    extra: dict[str, NDArray[np.float32]] | None = None,
) -> pa.Table:
    """The records of a batch; pure.

    Args:
        output: of B images, in evaluation mode.
        labels: (B,) int64.
        ids: B names.
        cost: of the network.
        first: position of the first image in its split.
        extra: further columns, (B,) each.

    Returns:
        B rows with the columns of ``RECORD_SCHEMA`` and those of ``extra``. Probabilities are
        computed in float64 and stored in float32.
    """
    trace = output.trace
    logits, labels = output.logits.double().cpu(), labels.cpu()
    log_prob = logits.log_softmax(dim=1)
    prob, prediction = log_prob.exp(), logits.argmax(dim=1)
    entropy = -(prob * log_prob).sum(dim=1)  # log_prob is finite in float64, also where prob is 0
    gate_prob = trace.prob.float().masked_fill(~trace.asked, float("nan")).cpu()
    columns: dict[str, Any] = {
        "index": np.arange(first, first + len(labels)),
        "id": list(ids),
        "label": labels.numpy(),
        "prediction": prediction.numpy(),
        "correct": (prediction == labels).numpy(),
        "confidence": prob.gather(1, prediction[:, None]).squeeze(1).float().numpy(),
        "entropy": entropy.float().numpy(),
        "loss": (-log_prob.gather(1, labels[:, None]).squeeze(1)).float().numpy(),
        "loops": trace.loops.cpu().numpy(),
        "block_loops": _lists(trace.block_loops(cost.layout).cpu(), pa.int8()),
        "gate_prob": _lists(gate_prob, pa.float32()),
        "macs": cost.macs_of(trace.asked, trace.ran).cpu().numpy(),
    }
    arrays: dict[str, Any] = {
        kind.name: pa.array(columns[kind.name], kind.type) for kind in _kinds()
    }
    table = pa.table(arrays, schema=RECORD_SCHEMA)
    for name, values in (extra or {}).items():
        table = table.append_column(name, pa.array(values))
    return table


def _rows(
    output: Output, labels: Tensor, first: int, image_set: ImageSet, cost: NetworkCost
) -> pa.Table:
    there = slice(first, first + len(labels))
    extra = {name: values[there] for name, values in image_set.columns.items()}
    ids = [image_set.ids[index] for index in range(there.start, there.stop)]
    return rows_of(output, labels, ids, cost, first, extra)


def _kinds() -> list[pa.Field[Any]]:
    return [RECORD_SCHEMA.field(name) for name in RECORD_SCHEMA.names]


def _lists(values: Tensor, kind: pa.DataType) -> pa.Array[Any]:
    """(B, K) as B lists of K."""
    count, width = values.shape
    offsets = pa.array(np.arange(count + 1) * width, type=pa.int32())
    flat = pa.array(values.reshape(-1).numpy()).cast(kind)
    return pa.ListArray.from_arrays(offsets, flat)


def _check_set(image_set: ImageSet, info: RunInfo) -> None:
    if tuple(image_set.classes) != info.classes:
        raise RecordsError(
            f"the run knows the classes {_few(info.classes)}, but {image_set.name} has "
            f"{_few(image_set.classes)}; records need the classes that the run was trained on"
        )
    if not len(image_set):
        raise RecordsError(f"expected at least one image to record, {image_set.name} has none")
    height, width = image_set.images([0]).shape[-2:]
    size = info.preprocessing.image_size
    if (height, width) != (size, size):
        raise RecordsError(
            f"the run sees {size} x {size} pixels, but {image_set.name} gives {height} x {width}; "
            f"open the set at {size} pixels"
        )
    taken = sorted(set(RECORD_SCHEMA.names) & set(image_set.columns))
    if taken:
        raise RecordsError(
            f"{image_set.name} brings columns with names that records use themselves: "
            f"{', '.join(taken)}; rename them"
        )


def _few(classes: Sequence[str]) -> str:
    return ", ".join(classes[:4]) + (f" ... ({len(classes)})" if len(classes) > 4 else "")
