"""Which blocks of a backbone become which recursive blocks, and where its stages lie."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import fx

from drnn_core.models.recursify.blocks import Survey
from drnn_core.models.recursify.shapes import Call


@dataclass(frozen=True)
class Part:
    """Blocks of the backbone that become one recursive block.

    Attributes:
        paths: of the blocks, in network order.
        loops: l, the most loops of the recursive block.
    """

    paths: tuple[str, ...]
    loops: int


@dataclass(frozen=True)
class Stage:
    """Consecutive residual blocks of one resolution.

    Attributes:
        paths: of its blocks in the backbone, in network order.
        channels: C of its features.
        stride: pixels of the input to one of its features.
        first_stride: of its first block.
    """

    paths: tuple[str, ...]
    channels: int
    stride: int
    first_stride: int


def block_count(blocks: int, loops: int) -> int:
    """How many recursive blocks of ``loops`` loops stand for ``blocks`` plain ones.

    n / l rounded to the nearest, halves down, and at least 1: the paper's own counts. The 22
    blocks of ResNet-101's third stage become 11, 7, 5 and 4 blocks of 2, 3, 4 and 5 loops
    (table 2), the 17 and 8 blocks of ResNet-110's and ResNet-56's stages those of table 1.
    """
    return max(1, -((loops - 2 * blocks) // (2 * loops)))


def parts_of(group: Sequence[str], loops: int | None) -> list[Part]:
    """Divide a group of blocks that repeat each other among recursive blocks, evenly, in order.

    Args:
        group: their paths.
        loops: l, the most loops of a recursive block; None makes one block of the whole group.
    """
    most = len(group) if loops is None else min(loops, len(group))
    count = block_count(len(group), most)
    size, longer = divmod(len(group), count)
    parts: list[Part] = []
    start = 0
    for place in range(count):
        end = start + size + (place < longer)
        parts.append(Part(tuple(group[start:end]), most))
        start = end
    return parts


def groups_of(found: Survey, nodes: Mapping[str, fx.Node]) -> list[tuple[str, ...]]:
    """Paths of the blocks that can loop, those together that repeat each other in a chain.

    Args:
        found: the blocks.
        nodes: the call of each residual block, in network order.
    """
    groups: list[list[str]] = []
    for path, node in nodes.items():
        if path not in found.blocks:
            continue
        before = groups[-1][-1] if groups else None
        if before is not None and _follows(found, nodes, before, path, node):
            groups[-1].append(path)
        else:
            groups.append([path])
    return [tuple(group) for group in groups]


def _follows(
    found: Survey, nodes: Mapping[str, fx.Node], before: str, path: str, node: fx.Node
) -> bool:
    """Whether a block repeats the one before it, as the next child, and reads it alone."""
    siblings = before.rpartition(".")[0] == path.rpartition(".")[0]
    alike = found.blocks[before].kind == found.blocks[path].kind
    # Folding leaves out what is between two blocks: nobody else may read it.
    chained = node.args == (nodes[before],) and len(nodes[before].users) == 1
    return siblings and alike and chained


def plan(groups: Sequence[tuple[str, ...]], loops: int | None, where: str) -> list[Part]:
    """The recursive blocks to make.

    Args:
        groups: of blocks that repeat each other. A group is called as its first block.
        loops: l, the most loops; None takes each group's number of blocks. 1 makes every block
            that can loop a block of one loop; otherwise a block that repeats nothing stays plain.
        where: shell pattern of the groups to take.

    Raises:
        ValueError: fewer than one loop, no group of such a name, or nothing repeats.
    """
    if loops is not None and loops < 1:
        raise ValueError(f"expected at least 1 loop, or None, got {loops}")
    matched = [group for group in groups if fnmatch.fnmatchcase(group[0], where)]
    if not matched:
        names = ", ".join(f"{group[0]} ({len(group)})" for group in groups)
        raise ValueError(
            f"no group of blocks is called like where={where!r}; there are, with the number of "
            f"their blocks: {names}"
        )
    parts = [
        part for group in matched if loops == 1 or len(group) > 1 for part in parts_of(group, loops)
    ]
    if not parts:
        raise ValueError(
            "nothing repeats: every residual block that could loop differs from the one before "
            f"it ({', '.join(group[0] for group in matched)}); loops=1 gives each a gate"
        )
    return parts


def stages_of(calls: Mapping[str, Call], paths: Sequence[str]) -> list[Stage]:
    """The residual blocks by resolution, in network order."""
    runs: list[list[str]] = []
    for path in paths:
        if runs and calls[runs[-1][-1]].stride == calls[path].stride:
            runs[-1].append(path)
        else:
            runs.append([path])
    return [
        Stage(
            tuple(run),
            calls[run[-1]].after[1],
            calls[run[-1]].stride,
            round(calls[run[0]].before[2] / calls[run[0]].after[2]),
        )
        for run in runs
    ]
