"""The parts of the path picture in rows of a given width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from app.inspection import glyphs
from app.inspection.path import Block, NetworkPath, Stage

GAP = 10  # between the parts of a row
_HEAD = 34  # for the name of a stage and its figures above a row
_HEAD_CONTINUED = 21  # for a name alone
_FOOT = 46  # for the names below a row
# In a narrow picture of no image, so many blocks that are alike are drawn as one.
_NARROW, _FOLDED = 600, 4


@dataclass(frozen=True)
class Part:
    """Something on the rail: ``stage`` is None for the ends; ``block`` is None but for blocks.

    ``alike`` are all the blocks that it stands for, ``block`` the first of them.
    """

    width: float
    kind: str
    stage: Stage | None = None
    block: Block | None = None
    alike: tuple[Block, ...] = ()

    @property
    def rise(self) -> int:
        """How far it stands above the rail."""
        if self.block is None:
            return glyphs.INPUT_SIDE // 2 if self.kind == "input" else 12
        return glyphs.rise(len(self.block.loops))

    @property
    def continues(self) -> bool:
        """Whether it is not the start of its stage."""
        return self.stage is not None and self.block is not self.stage.blocks[0]


@dataclass
class Row:
    """Parts beside each other; ``width`` is of the rail, ``extent`` of all that is drawn."""

    parts: list[Part] = field(default_factory=list[Part])
    width: float = 0
    extent: float = 0

    @property
    def rise(self) -> int:
        """How far its parts stand above the rail."""
        return max(part.rise for part in self.parts)

    @property
    def head(self) -> int:
        """Room above the parts for the names of stages."""
        firsts = [parts[0] for stage, parts in _by_stage(self.parts) if stage]
        if not firsts:
            return 4
        return _HEAD_CONTINUED if all(part.continues for part in firsts) else _HEAD

    @property
    def foot(self) -> int:
        """Room below the rail for the names of blocks."""
        if any(len(part.alike) > 1 for part in self.parts):
            return _FOOT + 6
        return _FOOT if self.parts[0].kind == "input" else _FOOT - 8

    def gap(self, part: Part) -> float:
        """Space before a part; a stage whose blocks are narrower than its name is widened."""
        if not self.parts:
            return 0
        before = self.parts[-1]
        if before.stage is part.stage and before.stage is not None:
            return 0
        if before.stage is None:
            return GAP
        return 2 * GAP + max(0.0, self.extent - self.width)

    def add(self, part: Part) -> None:
        """Put a part at the end."""
        self.width += self.gap(part) + part.width
        self.parts.append(part)
        stage = [each for each in self.parts if each.stage is part.stage]
        start = self.width - sum(each.width for each in stage)
        self.extent = max(self.width, start + (_heading_width(stage[0]) if part.stage else 0))

    def has_room(self, parts: Sequence[Part], width: float) -> bool:
        """Whether the parts can stand at its end, all of them, with the name of the last stage."""
        trial = Row(list(self.parts), self.width, self.extent)
        for part in parts:
            trial.add(part)
        return trial.extent <= width


def parts_of(path: NetworkPath, width: int) -> list[Part]:
    """Everything on the rail, from the image to the answer."""
    parts = [Part(glyphs.INPUT_SIDE, "input"), Part(glyphs.STEM_WIDTH, "stem")]
    fold = not path.of_image and width < _NARROW
    for stage in path.stages:
        for alike in _alike(stage.blocks, _FOLDED if fold else len(stage.blocks) + 1):
            block = alike[0]
            loops = len(block.loops)
            wide = glyphs.recursive_width(loops) if loops else glyphs.PLAIN_WIDTH
            if len(alike) > 1:
                wide = max(wide, glyphs.FOLDED_WIDTH)
            parts.append(Part(wide, "block", stage, block, alike))
    return [*parts, Part(glyphs.answer_width(path.answer, path.chance), "answer")]


def _alike(blocks: Sequence[Block], least: int) -> Iterable[tuple[Block, ...]]:
    """Neighbours that are alike together, where they are at least ``least``; others alone."""
    for _, group in groupby(blocks, key=lambda block: (block.downsamples, block.loops)):
        together = tuple(group)
        if len(together) >= least:
            yield together
        else:
            yield from ((block,) for block in together)


def rows_of(parts: Sequence[Part], width: int) -> list[Row]:
    """Fill rows; a stage that fits in a row of its own is rather not broken.

    The answer does not stand alone: the last stage, or where that is too wide its last block,
    comes along.
    """
    rows = [Row()]
    *groups, last, answer = [together for _, together in _by_stage(parts)]
    for group in groups:
        _add_stage(rows, group, [], width)
    _add_stage(rows, last, answer, width)
    return rows


def _add_stage(rows: list[Row], stage: list[Part], tail: list[Part], width: int) -> None:
    whole = [*stage, *tail]
    if rows[-1].has_room(whole, width) or Row().has_room(whole, width):
        _add(rows, whole, width)
        return
    *blocks, end = stage
    for block in blocks:
        _add(rows, [block], width)
    _add(rows, [end, *tail], width)


def _add(rows: list[Row], parts: list[Part], width: int) -> None:
    """Put parts into one row, the last or a new one; if none is wide enough, into several."""
    if len(parts) > 1 and not Row().has_room(parts, width):
        for part in parts:
            _add(rows, [part], width)
        return
    if rows[-1].parts and not rows[-1].has_room(parts, width):
        rows.append(Row())
    for part in parts:
        rows[-1].add(part)


def _by_stage(parts: Sequence[Part]) -> list[tuple[Stage | None, list[Part]]]:
    """Neighbours of one stage together; the ends, which have none, each alone."""
    found: list[tuple[Stage | None, list[Part]]] = []
    for part in parts:
        if found and part.stage is not None and found[-1][0] is part.stage:
            found[-1][1].append(part)
        else:
            found.append((part.stage, [part]))
    return found


def heading_of(part: Part) -> tuple[str, str]:
    """Name of a part's stage and its figures; no figures where the stage is continued."""
    assert part.stage is not None
    stage = part.stage
    if part.continues:
        return f"Stage {stage.number} continued", ""
    return f"Stage {stage.number}", f"{stage.channels} channels · {stage.side}×{stage.side}"


def _heading_width(part: Part) -> float:
    name, facts = heading_of(part)
    return max(6.4 * len(name), 5.4 * len(facts))
