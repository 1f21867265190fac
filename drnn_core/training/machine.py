"""What computes, for people: the device, and the commit of the program."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import torch


def device_name(device: torch.device, processes: int = 1) -> str:
    """The device for people, with what decides about equal bits: model, threads, processes."""
    shared = "" if processes == 1 else f", {processes} processes"
    if device.type == "cuda":
        return torch.cuda.get_device_name(device) + shared
    return f"{_processor()}, {torch.get_num_threads()} thread(s){shared}"


def source_commit() -> str:
    """The commit of this program, marked where its files differ from it; "unknown" outside git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    here = Path(__file__).resolve().parent
    try:
        found = subprocess.run(command, cwd=here, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip() or "unknown"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
