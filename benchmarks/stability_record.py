"""What ``benchmarks/stability.py`` found, a line of JSON for each configuration."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from drnn_core.store.files import atomic_write_bytes

STABILITY = Path("benchmarks/measured/stability.jsonl")


@dataclass(frozen=True)
class Configuration:
    """One training.

    Attributes:
        norm: "naive", "lvbn", or "one loop", where these two are the same network.
        loops: of stages 2 and 3.
        rate: peak of the learning rate.
        seed, epochs: of the training.
        images: the first so many of the training set.
    """

    norm: str
    loops: int
    rate: float
    seed: int
    epochs: int
    images: int


@dataclass(frozen=True)
class Result:
    """What became of it.

    Attributes:
        outcome: "trained"; "not finite": a loss or a gradient was not, and training ended there;
            "above chance": the loss of the last epoch is larger than that of guessing.
        losses: mean training loss of each epoch, nats.
        error: in % of the test set, with running statistics; None where not finite.
        batch_error: the same with the batches' own in recursive blocks; None without these.
        largest_gradient: the largest norm of the whole gradient of any update that was made.
        updates: that were made or tried.
        seconds, device: of the training.
    """

    outcome: str
    losses: tuple[float, ...]
    error: float | None
    batch_error: float | None
    largest_gradient: float
    updates: int
    seconds: float
    device: str


class Record:
    """The file: a line for each configuration that is done.

    Attributes:
        found: in the order in which they were done.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.alone = Lock()
        self.found: dict[Configuration, Result] = {}
        for line in path.read_text().splitlines() if path.exists() else []:
            values = json.loads(line)
            result: dict[str, Any] = values["result"]
            result["losses"] = tuple(result["losses"])
            self.found[Configuration(**values["configuration"])] = Result(**result)

    def add(self, configuration: Configuration, result: Result) -> None:
        """Write one more, whole or not at all."""
        with self.alone:
            self.found[configuration] = result
            lines = [
                json.dumps({"configuration": asdict(each), "result": asdict(found)}) + "\n"
                for each, found in self.found.items()
            ]
            atomic_write_bytes(self.path, "".join(lines).encode())
