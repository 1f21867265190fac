"""What a measurement was made on."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass

import torch

from drnn_core.training.machine import device_name


@dataclass(frozen=True)
class Machine:
    """A machine as far as it decides about times.

    Attributes:
        device: model, and threads that PyTorch uses.
        cores: of the processor.
        instructions: the widest that oneDNN finds, for example "AVX512".
        load: how many programs wanted a core in the last minute, this one among them; a number
            above the cores makes every time here a lower bound of nothing.
        torch, python, system: versions.
    """

    device: str
    cores: int
    instructions: str
    load: float
    torch: str
    python: str
    system: str


def this_machine(device: str) -> dict[str, object]:
    """Describe this machine now."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return asdict(
        Machine(
            device_name(torch.device(device)),
            os.cpu_count() or 0,
            torch.backends.cpu.get_cpu_capability(),
            round(load, 2),
            torch.__version__,
            platform.python_version(),
            f"{platform.system()} {platform.machine()}",
        )
    )
