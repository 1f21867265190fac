"""The path that one image took through a network, or all paths of a network, as a picture.

One SVG: the rail runs from the image through the stem, the stages and the classifier; a recursive
block stands on it with one ring for each loop that it may run. The rail wraps to the width that it
is given, and the page shows the one of several widths that fits.
"""

from __future__ import annotations

from html import escape

from app.charts import FONT, Palette
from app.inspection import glyphs
from app.inspection.path import NetworkPath
from app.inspection.rows import GAP, Part, Row, heading_of, parts_of, rows_of

WIDTHS = (330, 500, 700, 860, 1040)


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
    rows = rows_of(parts_of(path, width), width)
    drawn: list[str] = []
    top = rail_before = 0
    for number, row in enumerate(rows):
        rail_y = top + row.head + row.rise
        if number:
            drawn.append(_turn(rows[number - 1], rail_before, top, rail_y, colours))
        drawn.append(_draw_row(row, rail_y, path, colours, image))
        rail_before = rail_y
        top = rail_y + row.foot
    across = max(row.extent for row in rows) + 2 * GAP
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
        low = f"(min-width:{width + 2 * GAP}px)" if index else ""
        high = f"(max-width:{WIDTHS[index + 1] + 2 * GAP - 0.02}px)" if width != WIDTHS[-1] else ""
        query = " and ".join(filter(None, (low, high)))
        rules.append(f"@container {query}{{.path-picture>.w{width}{{display:block}}}}")
    pictures = "".join(
        f'<div class="w{width}">{path_svg(path, width, colours, image)}</div>' for width in WIDTHS
    )
    return f'<style>{"".join(rules)}</style><div class="path-picture">{pictures}</div>'


def _draw_row(row: Row, y: float, path: NetworkPath, colours: Palette, image: str) -> str:
    drawn: list[str] = []
    done = Row()
    x = float(GAP)
    for part in row.parts:
        gap = done.gap(part)
        drawn.append(glyphs.rail(x, x + gap, y, colours) if gap else "")
        x += gap
        first = not done.parts or done.parts[-1].stage is not part.stage
        if part.stage and first:
            span = sum(p.width for p in row.parts if p.stage is part.stage)
            drawn.append(_heading(x, y - row.rise - row.head, row.head, span, part, colours))
        drawn.append(_draw_part(part, x, y, path, colours, image))
        done.add(part)
        x += part.width
    return "".join(drawn)


def _heading(x: float, top: float, height: float, span: float, part: Part, colours: Palette) -> str:
    """The name of a stage over the blocks of it that stand in this row."""
    name, facts = heading_of(part)
    line = (
        f'<path d="M{x + 2:g},{top + height - 3:g}H{x + max(span, 20) - 2:g}" '
        f'stroke="{colours.grid}" stroke-width="1.5"/>'
    )
    lines = glyphs.text(x + 2, top + 12, name, colours.text, 11.5, glyphs.START_BOLD)
    if facts:
        lines += glyphs.text(x + 2, top + 25, facts, colours.muted, 10.5, glyphs.START)
    return line + lines


def _draw_part(
    part: Part, x: float, y: float, path: NetworkPath, colours: Palette, image: str
) -> str:
    if part.block is not None:
        return _draw_blocks(part, x, y, colours)
    if part.kind == "input":
        return glyphs.input_image(x, y, path.side, image, colours)
    if part.kind == "stem":
        return glyphs.rail(x, x + part.width, y, colours) + glyphs.stem(
            x, y, path.side, path.stages[0].side, colours
        )
    return glyphs.answer(x, y, path.answer, path.chance, colours)


def _draw_blocks(part: Part, x: float, y: float, colours: Palette) -> str:
    """A block, or one that stands for several."""
    assert part.block is not None
    block, count = part.block, len(part.alike)
    passes = not block.loops or block.executed or block.loops[0].share is not None
    rail = glyphs.rail(x, x + part.width, y, colours) if passes else ""
    name = f"{block.name} to {part.alike[-1].name}" if count > 1 else block.name
    middle = x + part.width / 2
    draw = glyphs.recursive_block if block.loops else glyphs.plain_block
    drawn = rail + draw(middle, y, block, name, colours)
    drawn += glyphs.count_of(middle, y, count, colours) if count > 1 else ""
    return _pickable(part, x, y, drawn) if block.loops else drawn


def _pickable(part: Part, x: float, y: float, drawn: str) -> str:
    """A recursive block with a frame that pages may show and let be clicked; unseen by itself."""
    names = escape(" ".join(block.name for block in part.alike), quote=True)
    frame = (
        f'<rect class="frame" x="{x:g}" y="{y - part.rise - 3:g}" width="{part.width:g}" '
        f'height="{part.rise + 35:g}" rx="6" fill="none"/>'
    )
    return f'<g data-blocks="{names}">{frame}{drawn}</g>'


def _turn(before: Row, rail_before: float, gutter: float, rail: float, colours: Palette) -> str:
    """From the end of a row back to the start of the next one."""
    right, left, r = before.width + GAP, float(GAP), 6
    y = gutter - 5
    path = (
        f"M{right:g},{rail_before:g}q{r},0 {r},{r}V{y - r:g}q0,{r} {-r},{r}H{left - 2:g}"
        f"q{-r},0 {-r},{r}V{rail - r:g}q0,{r} {r},{r}H{left:g}"
    )
    return f'<path d="{path}" fill="none" stroke="{colours.ran_soft}" stroke-width="2.5"/>'


def legend(path: NetworkPath, colours: Palette) -> str:
    """What the rings mean, beside the picture; empty where there are none."""
    if not path.recursive:
        return ""
    gated = any(loop.asked for block in path.recursive for loop in block.loops)
    if not path.of_image:
        share = "on a ring, and its thickness: the share of images expected to run the loop"
        return _legend([], share if gated else "every image runs every loop")
    if not gated:
        return _legend([], "every loop ran: no gate stands in this network")
    samples = [
        (f'stroke="{colours.ran}" stroke-width="5"', "the loop ran"),
        (
            f'stroke="{colours.muted}" stroke-width="1.3" stroke-dasharray="4 2.5"',
            "its gate closed (×), which is final",
        ),
        (
            f'stroke="{colours.muted}" stroke-width="1.2" stroke-dasharray="1 3"',
            "never asked",
        ),
    ]
    return _legend(samples, ".93 the gate’s probability to open; it opens above .50")


def _legend(samples: list[tuple[str, str]], words: str) -> str:
    rows = "".join(
        f'<span><svg width="26" height="16" aria-hidden="true"><path d="M3,15A10,11 0 0 1 23,15" '
        f'fill="none" {stroke}/></svg>{words}</span>'
        for stroke, words in samples
    )
    return f'<div class="ls-legend">{rows}<span>{words}</span></div>'
