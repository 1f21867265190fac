"""Where the blocks and loops of a network stand, seen from outside.

Numbers and names alone: whoever looks at records without running a network needs no torch.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BlockLayout:
    """One block as seen from outside: where it stands and how often it may loop (plain: 0)."""

    name: str
    loops: int
    gated: bool


@dataclass(frozen=True)
class StageLayout:
    """One stage seen from outside: blocks of one resolution.

    Attributes:
        name: for example "stage3".
        channels: C of the stage's features.
        stride: pixels of the input to one of the features, in height and in width.
        blocks: all residual blocks; a plain one has 0 loops.
    """

    name: str
    channels: int
    stride: int
    blocks: tuple[BlockLayout, ...]
