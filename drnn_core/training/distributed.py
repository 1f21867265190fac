"""Training in several processes, on one machine or more, as ``torchrun`` starts them.

Each process computes its slice of every batch. Losses, statistics, random numbers and gradients
are those of the whole batch (``models/synced.py``), so the processes together train the network
that one process would, to rounding; and the same number of processes, interrupted or not, to the
bit. Rank 0 writes and reports; the folders of run and data must be within reach of all.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from drnn_core.models.bodies import StochasticDepthBlock
from drnn_core.models.world import World
from drnn_core.trace import Output

# The first collective waits for the slowest process to have read its data set.
_PATIENCE = timedelta(hours=1)


@contextmanager
def joined(device: str) -> Generator[World]:
    """The processes that torchrun started, or this one alone where it did not.

    Args:
        device: "cpu" (talks over gloo) or "cuda" (nccl, one GPU for each process).

    Raises:
        ValueError: fewer GPUs than processes on this machine.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield World(device=torch.device(device))
        return
    place = _device(device)
    dist.init_process_group("nccl" if device == "cuda" else "gloo", timeout=_PATIENCE)
    try:
        yield World(dist.get_rank(), dist.get_world_size(), place)
    finally:
        dist.destroy_process_group()


def _device(device: str) -> torch.device:
    if device != "cuda":
        return torch.device(device)
    local = int(os.environ["LOCAL_RANK"])
    if local >= torch.cuda.device_count():
        raise ValueError(
            f"expected a GPU for each process, got {torch.cuda.device_count()} for process "
            f"{local + 1}; start torchrun with a smaller --nproc-per-node"
        )
    torch.cuda.set_device(local)
    return torch.device("cuda", local)


def replicated(network: nn.Module, world: World) -> nn.Module:
    """The network, its weights rank 0's, whose backward pass averages gradients; collective."""
    if world.size == 1:
        return network
    # Buffers are equal in all processes by construction; torch renamed the option in 2.13.
    known = inspect.signature(DistributedDataParallel).parameters
    option = "forward_sync_buffers" if "forward_sync_buffers" in known else "broadcast_buffers"
    options: dict[str, Any] = {option: False}
    drops = any(isinstance(module, StochasticDepthBlock) for module in network.modules())
    return DistributedDataParallel(network, find_unused_parameters=drops, **options)


def settle(replica: nn.Module, images: Tensor) -> None:
    """Pass images forward and backward once, and leave no trace of it in the network; collective.

    DistributedDataParallel lays its buckets of gradients out anew after the first backward pass.
    Among three and more processes, the order in which a value is added up depends on its place in
    a bucket. With that pass out of the way every step adds up alike, and a training that was
    interrupted ends in the bits of one that was not.
    """
    if not isinstance(replica, DistributedDataParallel):
        return
    before = [buffer.clone() for buffer in replica.buffers()]
    replica.train()
    output: Output = replica(images)
    output.logits.float().mean().backward()
    replica.zero_grad(set_to_none=True)
    for buffer, values in zip(replica.buffers(), before, strict=True):
        buffer.copy_(values)


def check_agreement(world: World, facts: Mapping[str, Any]) -> None:
    """Refuse to train with processes that stand elsewhere or were told otherwise; collective.

    Args:
        world: the processes.
        facts: must be the same in all of them.

    Raises:
        ValueError: they are not.
    """
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).digest()
    own = torch.tensor(list(digest), dtype=torch.int64, device=world.device)
    if (world.gathered(own) != own).any():
        raise ValueError(
            "expected every process to train the same recipe on the same data from the same "
            f"state, but rank {world.rank} and another differ; --data and --out must name "
            "folders that all machines share"
        )
