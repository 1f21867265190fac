"""Run a function in several processes that talk over gloo, and hand back what each returns."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import torch
import torch.distributed as dist
from torch.multiprocessing.spawn import spawn

from drnn_core.models.world import World

Work = Callable[[World, Path], dict[str, Any]]


def in_processes(size: int, work: Work, folder: Path) -> list[dict[str, Any]]:
    """What ``work`` returned on each rank; of plain values and tensors.

    The processes find each other through a file, not a port that somebody else may take.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # A new process runs the main module anew. Tests of the app's pages leave theirs as that module.
    with patch.dict(sys.modules, {"__main__": ModuleType("__main__")}):
        spawn(_process, (size, work, folder), nprocs=size)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(size)]


def _process(rank: int, size: int, work: Work, folder: Path) -> None:
    warnings.simplefilter("error")
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{folder / 'meeting'}", rank=rank, world_size=size
    )
    torch.save(work(World(rank, size), folder), folder / f"{rank}.pt")
    dist.destroy_process_group()
