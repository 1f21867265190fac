"""What a measurement was made on."""

from __future__ import annotations

import os
import platform

import torch

from drnn_core.benchmarking.machine import this_machine


def test_the_machine_is_described() -> None:
    found = this_machine("cpu")
    assert found["cores"] == os.cpu_count()
    assert found["torch"] == torch.__version__
    assert found["python"] == platform.python_version()
    assert f"{torch.get_num_threads()} thread(s)" in str(found["device"])
    assert found["instructions"] == torch.backends.cpu.get_cpu_capability()
