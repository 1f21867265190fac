"""Blocks compiled by torch, so that norms, activations and sums are a few kernels each.

Only for updates of fixed shapes (``fixed_shapes.py``), where a block's forward in training depends
on nothing but tensors. Convolutions stay the libraries'. Blocks of equal shapes share their code:
parameters are inputs to it.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, cast

import torch
from torch import nn

from drnn_core.models.bodies import PlainBlock
from drnn_core.models.network import Network
from drnn_core.models.recursive import RecursiveBlock

# Versions of a block's code: by shape, loop, precision, and training or not.
_VERSIONS = 256


def can_fuse(device: torch.device) -> bool:
    """Whether torch can make kernels for the device; its compiler for GPUs is part of Triton."""
    return device.type == "cuda" and find_spec("triton") is not None


def fuse_blocks(network: Network, backend: str = "inductor") -> None:
    """Compile every plain block, and a loop of every recursive one, when it is first run.

    Args:
        network: changed in place; its parameters, buffers and their names stay.
        backend: of ``torch.compile``.
    """
    cast(Any, torch)._dynamo.config.recompile_limit = _VERSIONS
    cast(Any, torch)._dynamo.config.accumulated_recompile_limit = 4 * _VERSIONS
    for module in network.modules():
        name = _METHODS.get(type(module))
        if name is not None:
            method = getattr(module, name)
            fused = torch.compile(method, backend=backend, dynamic=False, fullgraph=True)
            setattr(module, name, fused)


@contextmanager
def unfused(network: Network) -> Generator[None]:
    """The blocks as they were written, for a pass that looks into them."""
    fused = [
        (module, name, module.__dict__.pop(name))
        for module in network.modules()
        if (name := _METHODS.get(type(module), "")) in module.__dict__
    ]
    try:
        yield
    finally:
        for module, name, method in fused:
            setattr(module, name, method)


_METHODS: dict[type[nn.Module], str] = {PlainBlock: "transform", RecursiveBlock: "loop_once"}
