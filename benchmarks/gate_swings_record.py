"""What ``benchmarks/gate_swings.py`` found, a line of JSON for each run and rate loss."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from drnn_core.store.files import atomic_write_bytes

GATE_SWINGS = Path("benchmarks/measured/gate_swings.jsonl")


@dataclass(frozen=True)
class Swings:
    """The updates with which a run was gone on, without noise.

    Attributes:
        run: name of its folder.
        title: of its network.
        rate_loss: as in ``TrainingRecipe``.
        updates, batch, lr: how it was gone on.
        gates: block of each gate.
        rate_mean, rate_std: of each gate's rate at the first loop that it decides on, over the
            updates: mean, and standard deviation from one batch to another.
        logit_std: of each gate, over a batch; mean over the updates.
        loss: cross-entropy of training, mean over the updates.
    """

    run: str
    title: str
    rate_loss: str
    updates: int
    batch: int
    lr: float
    gates: tuple[str, ...]
    rate_mean: tuple[float, ...]
    rate_std: tuple[float, ...]
    logit_std: tuple[float, ...]
    loss: float


def read(path: Path) -> list[Swings]:
    """What stands in the file, in the order in which it was measured."""
    found: list[Swings] = []
    for line in path.read_text().splitlines() if path.exists() else []:
        values: dict[str, Any] = json.loads(line)
        for name in ("gates", "rate_mean", "rate_std", "logit_std"):
            values[name] = tuple(values[name])
        found.append(Swings(**values))
    return found


def write(path: Path, found: Sequence[Swings]) -> None:
    """Write all of it, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join(json.dumps(asdict(each)) for each in found) + "\n"
    atomic_write_bytes(path, text.encode())
