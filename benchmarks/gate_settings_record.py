"""What ``benchmarks/gate_settings.py`` found, a line of JSON for each training."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from drnn_core.store.files import atomic_write_bytes

GATE_SETTINGS = Path("benchmarks/measured/gate_settings.jsonl")


@dataclass(frozen=True)
class GateSetting:
    """One training: what is held fixed of the gates, and its size.

    Attributes:
        rate_weight, rate_loss, target_falls, temperature, noise_until: as in ``TrainingRecipe``.
        initial_rate: the gates' opening rate at initialisation.
        first_loop: as in ``RecursiveBlock``.
        seed, epochs: of the training.
        images: the first so many of the training set.
    """

    rate_weight: float = 2.0
    rate_loss: str = "sampled"
    target_falls: tuple[float, float] | None = None
    temperature: float = 1.0
    noise_until: float | None = 0.6
    initial_rate: float = 0.85
    first_loop: str = "gated"
    seed: int = 1
    epochs: int = 8
    images: int = 8_000


@dataclass(frozen=True)
class GateResult:
    """What became of it, measured in evaluation and before any calibration.

    Attributes:
        error: in % of the test set.
        rate: realised, mean over gates.
        gate_rates: of each gate and loop; None where nobody asked.
        rates: realised rate after each epoch.
        loops_mean, loops_std: over images.
        macs_mean: multiply-adds per image.
        seconds: of the training.
    """

    error: float
    rate: float
    gate_rates: tuple[float | None, ...]
    rates: tuple[float, ...]
    loops_mean: float
    loops_std: float
    macs_mean: float
    seconds: float


def read(path: Path) -> dict[GateSetting, GateResult]:
    """What stands in the file, in the order in which it was measured."""
    found: dict[GateSetting, GateResult] = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        values: dict[str, dict[str, Any]] = json.loads(line)
        result = values["result"]
        result["gate_rates"] = tuple(result["gate_rates"])
        result["rates"] = tuple(result["rates"])
        setting = values["setting"]
        if setting.get("target_falls") is not None:
            setting["target_falls"] = tuple(setting["target_falls"])
        found[GateSetting(**setting)] = GateResult(**result)
    return found


def write(path: Path, found: dict[GateSetting, GateResult]) -> None:
    """Write all of it, whole or not at all."""
    lines = [
        json.dumps({"setting": asdict(setting), "result": asdict(result)})
        for setting, result in found.items()
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write_bytes(path, ("\n".join(lines) + "\n").encode())
