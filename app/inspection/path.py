"""The path that one image took through a network, as data and in words; or all paths there are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from drnn_core.inference.facts import NetworkShape
from drnn_core.layout import StageLayout

_OPENS = 0.5  # above it a gate opens
_MOST_DIGITS = 4


def digits(prob: float) -> str:
    """Two digits of a gate's probability; more where two would hide on which side of 1/2 it is.

    Where even the most would hide it, the side alone: "> 0.5".
    """
    for count in range(2, _MOST_DIGITS + 1):
        shown = f"{prob:.{count}f}"
        if float(shown) != _OPENS or prob == _OPENS:
            return shown
    return f"{'>' if prob > _OPENS else '<'} {_OPENS}"


@dataclass(frozen=True)
class Loop:
    """One loop of a recursive block and what became of it.

    Attributes:
        prob: the gate's chance to run it; None where no gate was asked.
        asked: the gate was consulted.
        ran: the loop was executed.
        share: of all images, expected to run it; None where this is the loop of one image.
        was: the same loop of the picture that this one was made of, to be compared with.
    """

    prob: float | None
    asked: bool
    ran: bool
    share: float | None = None
    was: Loop | None = None

    @property
    def fate(self) -> Literal["ran", "closed", "unasked", "possible"]:
        """Executed; its gate closed; never reached, because an earlier gate closed; or open yet."""
        if self.share is not None:
            return "possible"
        if self.ran:
            return "ran"
        return "closed" if self.asked else "unasked"

    @property
    def decided_otherwise(self) -> bool:
        """Whether its gate was asked for both pictures and answered differently."""
        before = self.was
        return before is not None and before.asked and self.asked and before.ran != self.ran

    def in_words(self) -> str:
        """For example "gate 0.93, ran"."""
        if self.share is not None:
            return f"{self.share:.0%} of the images expected" if self.asked else "always"
        gate = "no gate" if self.prob is None else f"gate {digits(self.prob)}"
        now = (
            f"{gate}, {'ran' if self.ran else 'closed'}" if self.ran or self.asked else "not asked"
        )
        before = self.was.in_words() if self.was else now
        return now if before == now else f"{now}; before: {before}"


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
    """What one image met on its way, or any image may meet.

    Attributes:
        side: height and width of the network's input in pixels.
        stages: in network order.
        answer: what the network said, for example "ship".
        chance: of the answer, for example "93 %".
        of_image: it is the path of one image.
    """

    side: int
    stages: tuple[Stage, ...]
    answer: str
    chance: str = ""
    of_image: bool = True

    @property
    def recursive(self) -> tuple[Block, ...]:
        """The recursive blocks in network order."""
        return tuple(b for stage in self.stages for b in stage.blocks if b.loops)

    def in_words(self) -> str:
        """All that the picture shows, to be read aloud."""
        what = "Path of the image through the network" if self.of_image else "The network"
        parts = [f"{what}, {self.side} by {self.side} pixels."]
        for stage in self.stages:
            head = f"Stage {stage.number}, {stage.channels} channels, {stage.side} by {stage.side}"
            plain = sum(not block.loops for block in stage.blocks)
            blocks = [f"{plain} plain block{'s' if plain != 1 else ''}"] if plain else []
            looped = [block for block in stage.blocks if block.loops]
            if self.of_image:
                blocks += [_block_in_words(block) for block in looped]
            else:
                alike = groupby(looped, key=lambda block: block.loops)
                blocks += [_blocks_in_words(list(blocks)) for _, blocks in alike]
            parts.append(f"{head}: {'; '.join(blocks)}.")
        end = f"Answer: {self.said}." if self.of_image else f"Answer: one of {self.answer}."
        return " ".join([*parts, self._total_in_words(), end])

    @property
    def said(self) -> str:
        """The answer with its chance."""
        return f"{self.answer} {self.chance}".strip()

    def _total_in_words(self) -> str:
        loops = [loop for block in self.recursive for loop in block.loops]
        if not loops:
            return "It has no loops."
        if self.of_image:
            return f"In all {sum(loop.ran for loop in loops)} of {len(loops)} loops ran."
        expected = sum(loop.share or 0 for loop in loops)
        return f"In all up to {len(loops)} loops, {expected:.2f} expected."


def _block_in_words(block: Block) -> str:
    return (
        f"block {block.name} ran {block.executed} of {len(block.loops)} loops "
        f"({_loops_in_words(block)})"
    )


def _blocks_in_words(blocks: Sequence[Block]) -> str:
    """Blocks that are alike, of a network without an image."""
    first, most = blocks[0], len(blocks[0].loops)
    gated = any(loop.asked for loop in first.loops)
    return (
        f"{len(blocks)} recursive block{'s' if len(blocks) > 1 else ''} of "
        f"{'up to ' if gated else ''}{most} loop{'s' if most > 1 else ''} "
        f"({_loops_in_words(first)})"
    )


def _loops_in_words(block: Block) -> str:
    return ", ".join(
        f"loop {number} {loop.in_words()}" for number, loop in enumerate(block.loops, 1)
    )


def network_path(
    layouts: Sequence[StageLayout],
    side: int,
    answer: tuple[str, str],
    asked: NDArray[np.bool_],
    ran: NDArray[np.bool_],
    prob: NDArray[np.float32],
) -> NetworkPath:
    """The path of one image.

    Args:
        layouts: the stages of the network.
        side: of the network's input in pixels.
        answer: the prediction and its chance, to be printed at the end of the rail.
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
    return NetworkPath(side, _stages(layouts, side, loops), *answer)


def network_structure(shape: NetworkShape) -> NetworkPath:
    """All paths that a network offers, of no image."""
    shares = shape.cost.expected_rates(shape.target)
    loops = [
        Loop(None, asked, False, share)
        for asked, share in zip(shape.cost.asks, shares, strict=True)
    ]
    stages = _stages(shape.stages, shape.image_size, loops)
    return NetworkPath(shape.image_size, stages, f"{shape.classes:,} classes", of_image=False)


def _stages(layouts: Sequence[StageLayout], side: int, loops: list[Loop]) -> tuple[Stage, ...]:
    """The stages with the loops dealt out to their blocks."""
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
    return tuple(stages)
