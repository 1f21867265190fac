"""Runs for the tests of the app: real files by the store's own writers, invented figures.

The networks have fresh weights, and the records are drawn from a simple model: harder images keep
more gates open and are misread more often. Ids, labels and fingerprint are those of ``generated``,
so that the app finds the pictures.
"""

from __future__ import annotations

import dataclasses
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from drnn_core.counting import network_cost
from drnn_core.data.generated import FACTORS, GeneratedSet
from drnn_core.data.sets import ImageSet
from drnn_core.data.transforms import Preprocessing
from drnn_core.inference.facts import network_facts
from drnn_core.models.network import Network
from drnn_core.models.registry import create_model
from drnn_core.recipes import get_recipe
from drnn_core.store.records import RECORD_SCHEMA, RecordsHeader, RecordWriter
from drnn_core.store.runs import Metrics, RunInfo, RunMetrics, read_run, write_run

_PREPROCESSING = Preprocessing(32, 32, True, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
_SHARD_ROWS = 10_000


def fake_run(
    folder: Path,
    rows: int = 500,
    model: str = "dr_resnet32_l4",
    records: bool = True,
    seed: int = 0,
    of: tuple[str, str] | None = None,
    images: ImageSet | None = None,
    spread: float = 1.0,
    **changes: Any,
) -> RunInfo:
    """Write a run, and records of its images if asked for.

    ``images`` are the first ``rows`` of ``generated`` unless given; ``of`` is another name and
    fingerprint for them; ``spread`` scales what tells the gates' logits apart. ``changes`` are of
    ``RunInfo``.
    """
    images = images or GeneratedSet("test", rows)
    network = create_model(model, num_classes=len(images.classes))
    whole = _info(network, len(images), classes=images.classes, **changes)
    info = write_run(folder, network.state_dict(), whole)
    if records:
        table = _records(info, images, seed, spread)
        _write(folder, info, table, of or (images.name, images.fingerprint))
    return info


def records_anew(folder: Path, images: ImageSet) -> None:
    """Write a fake run's records again, of other images."""
    shutil.rmtree(folder / "records")
    info = read_run(folder)
    _write(folder, info, _records(info, images, 0, 1.0), (images.name, images.fingerprint))


def _info(network: Network, rows: int, **changes: Any) -> RunInfo:
    recipe = get_recipe(f"{network.recipe.name}_short")
    cost = network_cost(network)
    gated = recipe.network.target is not None
    metrics = Metrics(
        n=rows,
        error=11.4,
        loss=0.39,
        loops_mean=cost.loops_max * (0.57 if gated else 1.0),
        loops_std=cost.loops_max * (0.16 if gated else 0.0),
        loops_max=cost.loops_max,
        rate=0.71 if gated else None,
        target=recipe.network.target,
        macs_mean=cost.expected_macs(recipe.network.target),
    )
    info = RunInfo(
        title=recipe.network.title,
        model=network.recipe.name,
        model_args={},
        recipe_name=recipe.name,
        recipe=dataclasses.asdict(recipe),
        dataset="generated (train)",
        data_fingerprint=GeneratedSet("train").fingerprint,
        classes=(),
        preprocessing=_PREPROCESSING,
        seed=0,
        epochs=24,
        precision="float32",
        commit="0000000",
        versions={},
        device="cpu",
        seconds=1.0,
        metrics=RunMetrics(metrics),
        curve=(),
    )
    return dataclasses.replace(info, **changes)


def _records(info: RunInfo, images: ImageSet, seed: int, spread: float) -> dict[str, Any]:
    facts = network_facts(info)
    random = np.random.default_rng(seed)
    rows, classes = len(images), len(info.classes)
    labels = images.labels.astype(np.int64)
    hard = random.beta(2, 2, rows) + 0.06 * (labels - classes / 2) / classes
    apart = 2.4 * (hard - 0.5)[:, None] + random.normal(0, 0.5, (rows, len(facts.asks)))
    opening = 1 / (1 + np.exp(-(0.9 + spread * apart)))
    ran, asked = _walk(random.random(opening.shape) < opening, facts)
    wrong = random.random(rows) < 0.02 + 0.2 * np.clip(hard, 0, 1)
    guess = (labels + random.integers(1, classes, rows)) % classes
    prediction = np.where(wrong, guess, labels)
    confidence = np.clip(random.beta(6, 1 + 2 * np.clip(hard, 0, 1), rows) - 0.2 * wrong, 0.2, 1)
    gates = np.where(asked, opening, np.nan).astype(np.float32)
    blocks = np.stack(_split(ran, facts), axis=1) if facts.layout else np.zeros((rows, 0), np.int8)
    macs = facts.cost.fixed_macs + ran @ np.array(facts.cost.step_macs, dtype=np.int64)
    return {
        "index": np.arange(rows, dtype=np.int32),
        "id": list(images.ids),
        "label": labels.astype(np.int16),
        "prediction": prediction.astype(np.int16),
        "correct": prediction == labels,
        "confidence": confidence.astype(np.float32),
        "entropy": (1 - confidence).astype(np.float32),
        "loss": np.where(wrong, 2.0, -np.log(confidence)).astype(np.float32),
        "loops": ran.sum(axis=1).astype(np.int16),
        "block_loops": list(blocks.astype(np.int8)),
        "gate_prob": list(gates),
        "macs": macs.astype(np.int64) if facts.layout else np.full(rows, facts.cost.fixed_macs),
        **{name: random.random(rows).astype(np.float32) for name in FACTORS},
    }


def _walk(opens: np.ndarray, facts: Any) -> tuple[np.ndarray, np.ndarray]:
    """(ran, asked): a closed gate is final within its block; where there is none, all pass."""
    ran, asked = np.zeros_like(opens), np.zeros_like(opens)
    step = 0
    for block in facts.layout:
        inside = np.ones(len(opens), dtype=bool)
        for _ in range(block.loops):
            gate = facts.asks[step]
            asked[:, step] = inside & gate
            inside = inside & (opens[:, step] | (not gate))
            ran[:, step] = inside
            step += 1
    return ran, asked


def _split(ran: np.ndarray, facts: Any) -> list[np.ndarray]:
    bounds = np.cumsum([block.loops for block in facts.layout])[:-1]
    return [part.sum(axis=1) for part in np.split(ran, bounds, axis=1)]


def _write(folder: Path, info: RunInfo, columns: dict[str, Any], of: tuple[str, str]) -> None:
    extra = [(name, pa.float32()) for name in FACTORS]
    schema = pa.schema([*((field.name, field.type) for field in RECORD_SCHEMA), *extra])
    table = pa.table(columns, schema=schema)
    header = RecordsHeader(
        split="test",
        dataset=of[0],
        data_fingerprint=of[1],
        weights_sha256=info.weights_sha256,
        rows=table.num_rows,
        shard_rows=_SHARD_ROWS,
        columns=tuple(schema.names),
    )
    with RecordWriter(folder, header) as writer:
        for first, count in writer.missing():
            writer.write(first, table.slice(first, count))


if __name__ == "__main__":
    import sys

    started = time.perf_counter()
    where = Path(sys.argv[1])
    for rows in (500, 10_000, 50_000):
        fake_run(where / f"dr_resnet32_l4-{rows}", rows)
    fake_run(where / "resnet20", 500, "resnet20")
    fake_run(where / "elsewhere", 500, of=("CIFAR-10 (image Parquet)", "ab" * 32))
    fake_run(where / "dr_resnet16_l2-no-records", 500, "dr_resnet16_l2", records=False)
    (where / "damaged").mkdir(exist_ok=True)
    (where / "damaged" / "run.json").write_text('{"format": 1, "title"')
    print(f"{time.perf_counter() - started:.1f} s")
