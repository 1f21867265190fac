"""Runs of several seeds for the tests of what puts them together: real files, invented figures."""

from __future__ import annotations

import dataclasses
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from drnn_core.recipes import get_recipe
from drnn_core.store.records import read_records
from drnn_core.store.runs import CurvePoint, Metrics, RunInfo, RunMetrics, load_network, write_run
from drnn_core.training.outcome import network_arguments
from tests.app.fake_runs import fake_run

ROWS = 240
CIFAR = ("cifar10 (image Parquet)", "c1" * 32)
ABLATION = ("r_resnet32_l4_naive", "r_resnet32_l4", "dr_resnet32_l4_lvbn", "dr_resnet32_l4")


def seed_run(
    folder: Path,
    recipe: str,
    seed: int,
    data: tuple[str, str] = CIFAR,
    curve: tuple[float, ...] = (80.0, 40.0, 20.0),
    **arguments: Any,
) -> Path:
    """Write a run as training would, its error that of its records.

    Args:
        folder: of all runs.
        recipe: of the training.
        seed: of the run and of its records.
        data: name and fingerprint of the data set.
        curve: test error of each epoch, in %.
        arguments: of the network, other than registered.
    """
    found = get_recipe(recipe)
    network = found.network
    kind = "_".join([recipe, *map(str, arguments.values())])
    path = folder / f"{data[0].split(' ')[0]}_{kind}_s{seed}"
    points = [CurvePoint(n + 1, 1.0, e, None, 0.1, n + 1.0) for n, e in enumerate(curve)]
    info = fake_run(
        path,
        ROWS,
        network.name,
        seed=hash_of(path.name),
        of=data,
        dataset=data[0],
        data_fingerprint=data[1],
        model_args={**network_arguments(network), **arguments},
        recipe_name=recipe,
        recipe=dataclasses.asdict(found),
        epochs=found.training.epochs,
        curve=tuple(points),
        device="NVIDIA H100",
    )
    _measured(path, dataclasses.replace(info, seed=seed))
    return path


def hash_of(name: str) -> int:
    """A seed of a name, the same in every process."""
    return zlib.crc32(name.encode())


def _measured(path: Path, info: RunInfo) -> None:
    """Write run.json anew with the figures of the records; the weights stay the same."""
    records = read_records(path)
    loops = records["loops"].to_numpy().astype(np.float64)
    old = info.metrics.test
    metrics = Metrics(
        n=len(records),
        error=100 * float((~records["correct"]).mean()),
        loss=float(records["loss"].mean()),
        loops_mean=float(loops.mean()),
        loops_std=float(loops.std(ddof=1)),
        loops_max=old.loops_max,
        rate=old.rate,
        target=old.target,
        macs_mean=float(records["macs"].mean()),
    )
    state = load_network(path)[0].state_dict()
    write_run(path, state, dataclasses.replace(info, metrics=RunMetrics(metrics)))


def every_kind(folder: Path) -> None:
    """Two seeds of each: a pair of table 1, an ablation on ``generated``, and two readings."""
    generated = ("generated (train)", "9e" * 32)
    for seed in (1, 2):
        for network in ("resnet20", "dr_resnet16_l2"):
            seed_run(folder, f"{network}_paper", seed)
        seed_run(folder, "dr_resnet16_l2_paper", seed, norm="ilvbn_joint")
        seed_run(folder, "dr_resnet16_l2_paper", seed, first_loop="always")
        for network in ABLATION:
            falls = (70.0, 30.0, 90.0) if network.endswith("naive") and seed == 2 else None
            seed_run(folder, f"{network}_short", seed, generated, falls or (70.0, 50.0, 30.0))
