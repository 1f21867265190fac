"""Taking a network apart into compiled blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn

from drnn_core.inference.skipping.blocks import (
    Block,
    GatedParts,
    MaskedBlock,
    OpaqueBlock,
    SkippingBlock,
    StaticBlock,
)
from drnn_core.inference.skipping.cutting import chain_of
from drnn_core.inference.skipping.gates import compile_gate
from drnn_core.inference.skipping.lowering import Lowered, Target, lower
from drnn_core.models.bodies import PlainBlock
from drnn_core.models.network import Network, StagedNetwork
from drnn_core.models.recursify import RecursifiedNetwork
from drnn_core.models.recursive import RecursiveBlock

# What the gates are asked for: whom to compute, nothing, or whom to select.
Asks = Literal["each image", "nobody", "and selects"]

# The largest tensor of a segment gets about so much memory. Measured: above 16 MB features leave
# the cache (a bottleneck at 56 x 56 runs at 86 GMAC/s with 4 images, at 58 with 64), below 4 MB the
# last stage reads its weights too often, and of 32 MB and more glibc keeps none.
_BYTES = 12_000_000


@dataclass(frozen=True)
class Segment:
    """Consecutive blocks, and how many images go through them at a time."""

    blocks: tuple[Block, ...]
    images: int


@dataclass(frozen=True)
class Pieces:
    """A compiled network: segments of blocks, then last features -> (B, classes) float32."""

    segments: tuple[Segment, ...]
    classify: Callable[[Tensor], Tensor]


def build(network: Network, asks: Asks, image_size: int, target: Target) -> Pieces:
    """Compile a network in evaluation mode.

    Raises:
        TypeError: the network is of a kind that is not known here.
        NotAChainError: branches lead around the network's recursive blocks.
    """
    device = next(network.parameters()).device
    images = torch.zeros(1, 3, image_size, image_size, device=device)
    builder = _Builder(images.contiguous(memory_format=torch.channels_last), asks, target)
    if isinstance(network, StagedNetwork):
        return builder.staged(network)
    if isinstance(network, RecursifiedNetwork):
        return builder.recursified(network)
    raise TypeError(
        f"expected a network of stages or a recursified backbone, got {type(network).__name__}"
    )


class _Builder:
    """Compiles block by block; ``example`` is one image, and then its features, on their way.

    ``found`` is the same as the compiled blocks make it.
    """

    def __init__(self, images: Tensor, asks: Asks, target: Target) -> None:
        self.asks: Asks = asks
        self.target = target
        self.step = 0
        self.largest = 0
        self.example = self.found = images

    def staged(self, network: StagedNetwork) -> Pieces:
        blocks: list[Block] = [StaticBlock([self._lower(network.stem)])]
        segments: list[Segment] = []
        for stage in network.stages:
            blocks += [self._block(block) for block in cast(nn.Sequential, stage)]
            segments.append(self._segment(blocks))
            blocks = []
        neck = self._lower(network.neck)
        tail = lower(_Tail(network), Target(), self.example).program
        return Pieces(tuple(segments), lambda x: tail(neck(x).float()))

    def recursified(self, network: RecursifiedNetwork) -> Pieces:
        stages = chain_of(network)
        segments = [self._segment([self._block(part) for part in stage]) for stage in stages]
        head = self._lower(network.head)
        return Pieces(tuple(segments), lambda x: head(x).float())

    def _segment(self, blocks: list[Block]) -> Segment:
        images = max(1, _BYTES // self.largest)
        self.largest = 0
        return Segment(tuple(blocks), images)

    def _lower(self, module: nn.Module, may_overwrite: bool = False) -> Callable[[Tensor], Tensor]:
        """A module that the features pass through."""
        return self._take(lower(module, self.target, self.example, may_overwrite=may_overwrite))

    def _take(self, lowered: Lowered) -> Callable[..., Tensor]:
        self.example, self.found = lowered.example, lowered.found
        self.largest = max(self.largest, lowered.largest)
        return lowered.program

    def _block(self, block: nn.Module) -> Block:
        if isinstance(block, PlainBlock):
            return StaticBlock([self._lower(_Transform(block), may_overwrite=True)])
        if not isinstance(block, RecursiveBlock):
            return StaticBlock([self._lower(block)])
        first, self.step = self.step, self.step + block.loops
        if type(block).forward is not RecursiveBlock.forward:
            return self._opaque(block)
        if block.gate is None or self.asks == "nobody":
            loops = [_Loop(block, loop) for loop in range(block.loops)]
            programs = [self._lower(loop, may_overwrite=True) for loop in loops]
            return StaticBlock(programs, block.loops)
        parts = self._gated(block, first)
        return SkippingBlock(parts) if self.asks == "each image" else MaskedBlock(parts)

    def _opaque(self, block: RecursiveBlock) -> Block:
        assert block.gate is None, "a block with a gate and a forward of its own"
        with torch.inference_mode():
            self.example = block(self.example).features
            self.found = self.example.to(self.target.dtype)
        self.largest = max(self.largest, self.example.numel() * self.target.dtype.itemsize)
        return OpaqueBlock(block, block.loops, self.target.dtype)

    def _gated(self, block: RecursiveBlock, first: int) -> GatedParts:
        assert block.gate is not None
        overwrites = self.asks == "each image"
        x, met = self.example, [self.found]
        shortcut: Lowered | None = None
        programs: list[Callable[..., Tensor]] = []
        if block.shortcut is not None:
            shortcut = lower(block.shortcut, self.target, x)
            examples = (x, shortcut.example)
            only = lower(_LoopBeside(block), self.target, *examples, may_overwrite=overwrites)
            programs.append(self._take(only))
        else:
            for loop in range(block.loops):
                programs.append(self._lower(_Loop(block, loop), may_overwrite=overwrites))
                met.append(self.found)
        gate = compile_gate(block.gate, met)
        acts = block.activation and shortcut is not None
        return GatedParts(
            first,
            tuple(gate if block.is_gated(loop) else None for loop in range(block.loops)),
            tuple(programs),
            None if shortcut is None else shortcut.program,
            torch.relu_ if acts else lambda beside: beside,
        )


class _Transform(nn.Module):
    """A plain block as a function of features."""

    def __init__(self, block: PlainBlock) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        return self.block.transform(x)


class _Loop(nn.Module):
    """One loop of a recursive block as a function of features alone."""

    def __init__(self, block: RecursiveBlock, loop: int) -> None:
        super().__init__()
        self.block = block
        self.loop = loop

    def forward(self, x: Tensor) -> Tensor:
        shortcut = self.block.shortcut
        beside = x if shortcut is None else shortcut(x)
        return self.block.advance(beside, self.block.body(x, self.loop))


class _LoopBeside(nn.Module):
    """The loop of a block with a shortcut, given what the shortcut made of x."""

    def __init__(self, block: RecursiveBlock) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor, beside: Tensor) -> Tensor:
        return self.block.advance(beside, self.block.body(x, 0))


class _Tail(nn.Module):
    """What follows the neck: features -> logits."""

    def __init__(self, network: StagedNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, features: Tensor) -> Tensor:
        return self.network.classifier(self.network.pool(features))
