"""The device that computes, for people."""

from __future__ import annotations

import platform
from pathlib import Path

import torch


def device_name(device: torch.device, processes: int = 1) -> str:
    """The device for people, with what decides about equal bits: model, threads, processes."""
    shared = "" if processes == 1 else f", {processes} processes"
    if device.type == "cuda":
        return torch.cuda.get_device_name(device) + shared
    return f"{_processor()}, {torch.get_num_threads()} thread(s){shared}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
