"""The path that one image took through a network, as data and in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from drnn_core.trace import StageLayout


def digits(prob: float) -> str:
    """Two digits of a gate's probability; three where two would hide on which side of 1/2 it is."""
    shown = f"{prob:.2f}"
    return f"{prob:.3f}" if shown == "0.50" else shown


@dataclass(frozen=True)
class Loop:
    """One loop of a recursive block and what became of it.

    Attributes:
        prob: the gate's chance to run it; None where no gate was asked.
        asked: the gate was consulted.
        ran: the loop was executed.
    """

    prob: float | None
    asked: bool
    ran: bool

    @property
    def fate(self) -> Literal["ran", "closed", "unasked"]:
        """Executed; its gate closed; or never reached, because an earlier gate closed."""
        if self.ran:
            return "ran"
        return "closed" if self.asked else "unasked"

    def in_words(self) -> str:
        """For example "gate 0.93, ran"."""
        gate = "no gate" if self.prob is None else f"gate {digits(self.prob)}"
        return {"ran": f"{gate}, ran", "closed": f"{gate}, closed", "unasked": "not asked"}[
            self.fate
        ]


@dataclass(frozen=True)
class Block:
    """A residual block: ``loops`` is empty for a plain one, which always runs once.

    Attributes:
        name: ``stage.block``, counted from 1.
        downsamples: halves the resolution.
        loops: of a recursive block.
    """

    name: str
    downsamples: bool = False
    loops: tuple[Loop, ...] = ()

    @property
    def executed(self) -> int:
        """How many of the loops ran."""
        return sum(loop.ran for loop in self.loops)


@dataclass(frozen=True)
class Stage:
    """Blocks of one resolution: ``side`` pixels in height and width."""

    number: int
    channels: int
    side: int
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class NetworkPath:
    """What one image met on its way.

    Attributes:
        side: height and width of the network's input in pixels.
        stages: in network order.
        answer: what the network said, for example "ship 93 %".
    """

    side: int
    stages: tuple[Stage, ...]
    answer: str

    @property
    def recursive(self) -> tuple[Block, ...]:
        """The recursive blocks in network order."""
        return tuple(b for stage in self.stages for b in stage.blocks if b.loops)

    def in_words(self) -> str:
        """All that the picture shows, to be read aloud."""
        parts = [f"Path of the image through the network, {self.side} by {self.side} pixels."]
        for stage in self.stages:
            head = f"Stage {stage.number}, {stage.channels} channels, {stage.side} by {stage.side}"
            plain = sum(not block.loops for block in stage.blocks)
            blocks = [f"{plain} plain block{'s' if plain != 1 else ''}"] if plain else []
            blocks += [_block_in_words(block) for block in stage.blocks if block.loops]
            parts.append(f"{head}: {'; '.join(blocks)}.")
        total = sum(block.executed for block in self.recursive)
        most = sum(len(block.loops) for block in self.recursive)
        parts.append(f"In all {total} of {most} loops ran." if most else "It has no loops.")
        parts.append(f"Answer: {self.answer}.")
        return " ".join(parts)


def _block_in_words(block: Block) -> str:
    loops = ", ".join(
        f"loop {number} {loop.in_words()}" for number, loop in enumerate(block.loops, 1)
    )
    return f"block {block.name} ran {block.executed} of {len(block.loops)} loops ({loops})"


def network_path(
    layouts: Sequence[StageLayout],
    side: int,
    answer: str,
    asked: NDArray[np.bool_],
    ran: NDArray[np.bool_],
    prob: NDArray[np.float32],
) -> NetworkPath:
    """The path of one image.

    Args:
        layouts: the stages of the network.
        side: of the network's input in pixels.
        answer: the prediction, to be printed at the end of the rail.
        asked, ran, prob: (S,) each, the image's row of the trace.

    Raises:
        ValueError: the trace is not of as many steps as the stages have loops.
    """
    loops = [
        Loop(float(p) if a else None, bool(a), bool(r))
        for a, r, p in zip(asked, ran, prob, strict=True)
    ]
    expected = sum(block.loops for stage in layouts for block in stage.blocks)
    if len(loops) != expected:
        raise ValueError(
            f"expected a trace of {expected} steps for this network, got {len(loops)}; "
            "pass what it returned"
        )
    stages: list[Stage] = []
    before = layouts[0].stride
    for number, layout in enumerate(layouts, 1):
        blocks: list[Block] = []
        for place, block in enumerate(layout.blocks):
            smaller = place == 0 and layout.stride > before
            blocks.append(Block(block.name, smaller, tuple(loops[: block.loops])))
            del loops[: block.loops]
        resolution = math.ceil(side / layout.stride)
        stages.append(Stage(number, layout.channels, resolution, tuple(blocks)))
        before = layout.stride
    return NetworkPath(side, tuple(stages), answer)
