"""The path that one image took through a network, as a picture.

One SVG: the rail runs from the image through the stem, the stages and the classifier; a recursive
block stands on it with one ring for each loop that it may run. The rail wraps to the width that it
is given, and the page shows the one of several widths that fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from app.charts import FONT, Palette
from app.inspection import glyphs
from app.inspection.path import Block, NetworkPath, Stage

WIDTHS = (330, 500, 700, 860, 1040)
_GAP = 10  # between the parts of a row
_HEAD = 34  # for the name of a stage above a row
_FOOT = 46  # for the names below a row
_STAGE_LEAST = 104  # so that the name of a stage finds room


@dataclass(frozen=True)
class _Part:
    """Something on the rail: ``stage`` is None for the ends; ``block`` is None but for blocks."""

    width: float
    kind: str
    stage: Stage | None = None
    block: Block | None = None

    @property
    def rise(self) -> int:
        if self.block is None:
            return glyphs.INPUT_SIDE // 2 if self.kind == "input" else 12
        return glyphs.rise(len(self.block.loops))


@dataclass
class _Row:
    parts: list[_Part] = field(default_factory=list[_Part])
    width: float = 0

    @property
    def rise(self) -> int:
        return max(part.rise for part in self.parts)

    @property
    def head(self) -> int:
        return _HEAD if any(part.stage for part in self.parts) else 4

    @property
    def foot(self) -> int:
        return _FOOT if self.parts[0].kind == "input" else _FOOT - 8


def path_svg(path: NetworkPath, width: int, colours: Palette, image: str = "") -> str:
    """Draw a path.

    Args:
        path: what to draw.
        width: in pixels, at least 300; the picture may be narrower.
        colours: of the page.
        image: what the network saw, as a data URI, for the start of the rail.

    Returns:
        An ``<svg>`` element with its description as the accessible name.
    """
    rows = _wrap(_parts(path), width)
    drawn: list[str] = []
    top = rail_before = 0
    for number, row in enumerate(rows):
        rail_y = top + row.head + row.rise
        if number:
            drawn.append(_turn(rows[number - 1], rail_before, top, rail_y, colours))
        drawn.append(_draw_row(row, rail_y, path, colours, image))
        rail_before = rail_y
        top = rail_y + row.foot
    across = max(row.width for row in rows) + 2 * _GAP
    label = escape(path.in_words(), quote=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {across:g} {top}" role="img" '
        f'width="{across:g}" height="{top}" aria-label="{label}" font-family="{escape(FONT)}" '
        f'style="max-width:100%;height:auto;font-variant-numeric:tabular-nums">'
        f"{''.join(drawn)}</svg>"
    )


def path_html(path: NetworkPath, colours: Palette, image: str = "") -> str:
    """The picture in every width, of which the page shows the one that fits its column."""
    rules = [".path-picture{container-type:inline-size}.path-picture>div{display:none}"]
    for index, width in enumerate(WIDTHS):
        low = f"(min-width:{width + 2 * _GAP}px)" if index else ""
        high = f"(max-width:{WIDTHS[index + 1] + 2 * _GAP - 0.02}px)" if width != WIDTHS[-1] else ""
        query = " and ".join(filter(None, (low, high)))
        rules.append(f"@container {query}{{.path-picture>.w{width}{{display:block}}}}")
    pictures = "".join(
        f'<div class="w{width}">{path_svg(path, width, colours, image)}</div>' for width in WIDTHS
    )
    return f'<style>{"".join(rules)}</style><div class="path-picture">{pictures}</div>'


def _parts(path: NetworkPath) -> list[_Part]:
    parts = [_Part(glyphs.INPUT_SIDE, "input"), _Part(glyphs.STEM_WIDTH, "stem")]
    for stage in path.stages:
        for block in stage.blocks:
            loops = len(block.loops)
            width = glyphs.recursive_width(loops) if loops else glyphs.PLAIN_WIDTH
            parts.append(_Part(width, "block", stage, block))
    return [*parts, _Part(glyphs.answer_width(path.answer), "answer")]


def _wrap(parts: Sequence[_Part], width: int) -> list[_Row]:
    """Fill rows; a stage that fits in a row of its own is rather not broken."""
    rows = [_Row()]
    for index, part in enumerate(parts):
        row = rows[-1]
        starts = index > 0 and part.stage is not parts[index - 1].stage
        gap = _gap(row, part)
        whole = sum(p.width for p in parts if p.stage is part.stage) if part.stage else part.width
        need = max(whole, _STAGE_LEAST) if starts and part.stage and whole <= width else part.width
        if row.parts and row.width + gap + need > width:
            rows.append(row := _Row())
            gap = 0
        row.parts.append(part)
        row.width += gap + part.width
    return rows


def _gap(row: _Row, part: _Part) -> float:
    """Space before a part; a stage whose blocks are narrower than its name is widened."""
    if not row.parts:
        return 0
    before = row.parts[-1]
    if before.stage is part.stage and before.stage is not None:
        return 0
    if before.stage is None:
        return _GAP
    span = sum(p.width for p in row.parts if p.stage is before.stage)
    return 2 * _GAP + max(0, _STAGE_LEAST - span)


def _draw_row(row: _Row, y: float, path: NetworkPath, colours: Palette, image: str) -> str:
    drawn: list[str] = []
    done = _Row()
    x = float(_GAP)
    for part in row.parts:
        gap = _gap(done, part)
        drawn.append(glyphs.rail(x, x + gap, y, colours) if gap else "")
        x += gap
        first = not done.parts or done.parts[-1].stage is not part.stage
        if part.stage and first:
            span = sum(p.width for p in row.parts if p.stage is part.stage)
            drawn.append(_heading(x, y - row.rise - _HEAD, span, part.stage, part.block, colours))
        drawn.append(_draw_part(part, x, y, path, colours, image))
        done.parts.append(part)
        x += part.width
    return "".join(drawn)


def _heading(
    x: float, top: float, span: float, stage: Stage, block: Block | None, colours: Palette
) -> str:
    """The name of a stage over the blocks of it that stand in this row."""
    continued = block is not stage.blocks[0]
    start = 'text-anchor="start"'
    name = f"Stage {stage.number}" + (" continued" if continued else "")
    facts = f"{stage.channels} channels · {stage.side}×{stage.side}"
    line = (
        f'<path d="M{x + 2:g},{top + 31:g}H{x + max(span, 20) - 2:g}" '
        f'stroke="{colours.grid}" stroke-width="1.5"/>'
    )
    lines = glyphs.text(x + 2, top + 12, name, colours.text, 11.5, f'font-weight="600" {start}')
    if not continued:
        lines += glyphs.text(x + 2, top + 25, facts, colours.muted, 10.5, start)
    return line + lines


def _draw_part(
    part: _Part, x: float, y: float, path: NetworkPath, colours: Palette, image: str
) -> str:
    if part.block is not None:
        if part.block.loops:
            through = "" if not part.block.executed else glyphs.rail(x, x + part.width, y, colours)
            return through + glyphs.recursive_block(x, y, part.block, colours)
        return glyphs.rail(x, x + part.width, y, colours) + glyphs.plain_block(
            x, y, part.block, colours
        )
    if part.kind == "input":
        return glyphs.input_image(x, y, path.side, image, colours)
    if part.kind == "stem":
        return glyphs.rail(x, x + part.width, y, colours) + glyphs.stem(
            x, y, path.stages[0].channels, colours
        )
    return glyphs.answer(x, y, path.answer, colours)


def _turn(before: _Row, rail_before: float, gutter: float, rail: float, colours: Palette) -> str:
    """From the end of a row back to the start of the next one."""
    right, left, r = before.width + _GAP, float(_GAP), 6
    y = gutter - 5
    path = (
        f"M{right:g},{rail_before:g}q{r},0 {r},{r}V{y - r:g}q0,{r} {-r},{r}H{left - 2:g}"
        f"q{-r},0 {-r},{r}V{rail - r:g}q0,{r} {r},{r}H{left:g}"
    )
    return f'<path d="{path}" fill="none" stroke="{colours.ran_soft}" stroke-width="2.5"/>'


def legend(colours: Palette) -> str:
    """What the rings mean, beside the picture."""
    samples = (
        (f'stroke="{colours.ran}" stroke-width="5"', "the loop ran"),
        (
            f'stroke="{colours.muted}" stroke-width="1.3" stroke-dasharray="4 2.5"',
            "its gate closed (×), which is final",
        ),
        (
            f'stroke="{colours.muted}" stroke-width="1.2" stroke-dasharray="1 3"',
            "never asked",
        ),
    )
    rows = "".join(
        f'<span><svg width="26" height="16" aria-hidden="true"><path d="M3,15A10,11 0 0 1 23,15" '
        f'fill="none" {stroke}/></svg>{words}</span>'
        for stroke, words in samples
    )
    number = "<span>.93 the gate’s probability to open; it opens above .50</span>"
    return f'<div class="ls-legend">{rows}{number}</div>'
