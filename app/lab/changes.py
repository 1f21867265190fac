"""What a change of the picture changed on its way through the network."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from app.inspection.path import Block, Loop, NetworkPath, Stage, digits

_FATES = {"ran": "ran", "closed": "closed", "unasked": "not asked", "possible": ""}


@dataclass(frozen=True)
class Change:
    """A gate that decided otherwise.

    Attributes:
        block: its name.
        loop: whose gate it is, from 1.
        before, after: its probability to open, for the picture as it was and as changed.
        loops: that the block runs more (below 0: fewer) than before.
    """

    block: str
    loop: int
    before: float
    after: float
    loops: int

    @property
    def opens(self) -> bool:
        """It opens now; else it closes."""
        return self.loops > 0

    def in_words(self) -> str:
        """For example "block 2.2, gate of loop 3: .496 → .53, opens now, 2 loops more"."""
        count = abs(self.loops)
        more = f"{count} loop{'s' if count > 1 else ''} {'more' if self.opens else 'fewer'}"
        now = "opens" if self.opens else "closes"
        before, after = digits(self.before), digits(self.after)
        return (
            f"block {self.block}, gate of loop {self.loop}: {before} → {after}, {now} now, {more}"
        )


def compared(path: NetworkPath, before: NetworkPath) -> NetworkPath:
    """A path that knows of each of its loops what it was in another path of the same network."""
    stages = zip(path.stages, before.stages, strict=True)
    return replace(path, stages=tuple(_stage(now, was) for now, was in stages))


def changes(path: NetworkPath) -> list[Change]:
    """The gates of a ``compared`` path that decided otherwise, in network order.

    A closed gate is final, so each block has at most one: what its later loops do follows from it.
    """
    found: list[Change] = []
    for block in path.recursive:
        before = sum(loop.was.ran for loop in block.loops if loop.was)
        for number, loop in enumerate(block.loops, 1):
            was = loop.was
            if was and loop.decided_otherwise and loop.prob is not None and was.prob is not None:
                more = block.executed - before
                found.append(Change(block.name, number, was.prob, loop.prob, more))
    return found


def gate_table(path: NetworkPath) -> pd.DataFrame:
    """Every step of a ``compared`` path: its gate and what became of it, before and after."""
    rows: list[dict[str, object]] = []
    for block in path.recursive:
        for number, loop in enumerate(block.loops, 1):
            was = loop.was or loop
            rows.append(
                {
                    "block": block.name,
                    "loop": number,
                    "gate_before": was.prob,
                    "gate_after": loop.prob,
                    "decision_before": _FATES[was.fate],
                    "decision_after": _FATES[loop.fate],
                }
            )
    columns = ["block", "loop", "gate_before", "gate_after", "decision_before", "decision_after"]
    return pd.DataFrame(rows, columns=columns)


def _stage(now: Stage, was: Stage) -> Stage:
    blocks = zip(now.blocks, was.blocks, strict=True)
    return replace(now, blocks=tuple(_block(one, other) for one, other in blocks))


def _block(now: Block, was: Block) -> Block:
    loops = zip(now.loops, was.loops, strict=True)
    return replace(now, loops=tuple(_loop(one, other) for one, other in loops))


def _loop(now: Loop, was: Loop) -> Loop:
    return replace(now, was=was)
