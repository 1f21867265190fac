"""The parts of the path picture, each drawn around a point of the rail; x to the right, y down.

What ran is thick and filled, a gate that closed is dashed with a cross, what was never asked is
thin and dotted: the fates stay apart without any colour.
"""

from __future__ import annotations

from html import escape

from app.charts import Palette
from app.inspection.path import Block, Loop, digits

PLAIN_WIDTH = 23
STEM_WIDTH = 36
INPUT_SIDE = 46
_RING_X, _RING_Y = 9, 17  # each ring is so much wider and higher than the one inside it
_INNER_X, _INNER_Y = 17, 13
_BAND = 6  # thickness of a ring that ran
_PILL_WIDTH, _PILL_HEIGHT = 27, 14
START = 'text-anchor="start"'
START_BOLD = f'{START} font-weight="600"'


def recursive_width(loops: int) -> int:
    """Width of a recursive block of so many loops."""
    return 2 * (_INNER_X + _RING_X * loops) + _BAND + 8


def answer_width(said: str) -> float:
    """Width of the end of the rail with what the network said."""
    return 34 + 7.4 * len(said)


def rise(loops: int) -> int:
    """How far a block of so many loops stands above the rail."""
    return _INNER_Y + _RING_Y * loops + _PILL_HEIGHT // 2 + 2 if loops else 14


def text(x: float, y: float, content: str, fill: str, size: float = 11, extra: str = "") -> str:
    """A line of text, centred on ``x`` unless ``extra`` says otherwise."""
    anchor = "" if "text-anchor" in extra else ' text-anchor="middle"'
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" fill="{fill}"{anchor} {extra}>'
        f"{escape(content)}</text>"
    )


def rail(x1: float, x2: float, y: float, colours: Palette) -> str:
    """A piece of the path."""
    return f'<path d="M{x1:g},{y:g}H{x2:g}" stroke="{colours.ran}" stroke-width="2.5"/>'


def plain_block(x: float, y: float, block: Block, colours: Palette) -> str:
    """A plain block that starts at ``x``; one that halves the resolution narrows to the right."""
    middle, half = x + PLAIN_WIDTH / 2, 7
    left, right, top = middle - half, middle + half, 11
    slope = 5 if block.downsamples else 0
    shape = (
        f"M{left:g},{y - top:g}L{right:g},{y - top + slope:g}"
        f"V{y + top - slope:g}L{left:g},{y + top:g}Z"
    )
    note = "plain block, halves the resolution" if block.downsamples else "plain block"
    return (
        f"<g><title>Block {block.name}: {note}</title>"
        f'<path d="{shape}" fill="{colours.ran_soft}" stroke="{colours.ran}" '
        f'stroke-width="1.2" stroke-linejoin="round"/>'
        f"{text(middle, y + 27, block.name, colours.muted, 9.5)}</g>"
    )


def recursive_block(x: float, y: float, block: Block, colours: Palette) -> str:
    """A recursive block that starts at ``x``: a ring for each loop, the first innermost."""
    middle = x + recursive_width(len(block.loops)) / 2
    parts = [_body(middle, y, block, colours)]
    numbered = list(enumerate(block.loops, 1))
    # From the outside in: what ran lies on top of what did not.
    parts += [_ring(middle, y, block.name, k, loop, colours) for k, loop in reversed(numbered)]
    parts += [
        _pill(middle, y - _INNER_Y - _RING_Y * k, loop, colours) for k, loop in reversed(numbered)
    ]
    parts.append(text(middle, y + 27, block.name, colours.muted, 9.5))
    return f"<g>{''.join(parts)}</g>"


def _body(x: float, y: float, block: Block, colours: Palette) -> str:
    """The body with the number of its runs; one that never ran is passed by below."""
    count = block.executed
    note = f"Block {block.name}: {count} of {len(block.loops)} loops ran"
    box = f'<rect x="{x - 13:g}" y="{y - 10:g}" width="26" height="20" rx="5"'
    if count:
        drawn = f'{box} fill="{colours.ran}"/>'
        label = text(x, y + 4, f"×{count}", colours.background, 11.5, 'font-weight="600"')
    else:
        half = recursive_width(len(block.loops)) / 2
        drawn = (
            f'<path d="M{x - half:g},{y:g}C{x - half / 2:g},{y:g} {x - half / 2:g},{y + 14:g} '
            f'{x:g},{y + 14:g}S{x + half / 2:g},{y:g} {x + half:g},{y:g}" '
            f'stroke="{colours.ran}" stroke-width="2.5" fill="none"/>'
            f'{box} fill="{colours.background}" stroke="{colours.muted}" '
            f'stroke-dasharray="3 2.5"/>'
        )
        label = text(x, y + 4, "×0", colours.muted, 11.5, 'font-weight="600"')
    return f"<g><title>{note}</title>{drawn}{label}</g>"


def _ring(x: float, y: float, name: str, number: int, loop: Loop, colours: Palette) -> str:
    across, up = _INNER_X + _RING_X * number, _INNER_Y + _RING_Y * number
    arc = f'd="M{x + across:g},{y:g}A{across},{up} 0 0 0 {x - across:g},{y:g}" fill="none"'
    strokes = {
        "ran": f'stroke="{colours.ran}" stroke-width="{_BAND}"',
        "closed": f'stroke="{colours.muted}" stroke-width="1.3" stroke-dasharray="5 3"',
        "unasked": f'stroke="{colours.muted}" stroke-opacity=".55" stroke-dasharray="1 3.5"',
    }
    title = f"<title>Block {name}, loop {number}: {loop.in_words()}</title>"
    direction = _chevron(x - across, y, colours) if loop.ran else ""
    # The wide unseen stroke makes a thin ring easy to point at.
    reach = f'<path {arc} stroke="transparent" stroke-width="10"/>'
    return f"<g>{title}{reach}<path {arc} {strokes[loop.fate]}/>{direction}</g>"


def _chevron(x: float, y: float, colours: Palette) -> str:
    """The direction of a ring, near its left foot: back down to the rail."""
    return (
        f'<path d="M{x - 1.8:g},{y - 10:g}L{x + 0.2:g},{y - 7.6:g}L{x + 2:g},{y - 10.2:g}" '
        f'fill="none" stroke="{colours.background}" stroke-width="1.2"/>'
    )


def _pill(x: float, y: float, loop: Loop, colours: Palette) -> str:
    """The gate's probability on the top of its ring; a cross beside it where the gate closed."""
    if loop.prob is None:
        return ""
    number = digits(loop.prob).removeprefix("0")
    open_ = loop.ran
    width = _PILL_WIDTH + (6 if len(number) > 3 else 0) + (0 if open_ else 9)
    fill, stroke = (
        (colours.ran, colours.background) if open_ else (colours.background, colours.muted)
    )
    box = (
        f'<rect x="{x - width / 2:g}" y="{y - _PILL_HEIGHT / 2:g}" width="{width}" '
        f'height="{_PILL_HEIGHT}" rx="{_PILL_HEIGHT / 2:g}" fill="{fill}" stroke="{stroke}"/>'
    )
    ink = colours.background if open_ else colours.text
    label = text(x if open_ else x + 5, y + 3.6, number, ink, 10.5, 'pointer-events="none"')
    left = x - width / 2 + 7
    cross = (
        ""
        if open_
        else f'<path d="M{left:g},{y - 3:g}l6,6m0,-6l-6,6" stroke="{colours.wrong}" '
        f'stroke-width="1.6" stroke-linecap="round"/>'
    )
    return f'<g pointer-events="none">{box}{cross}{label}</g>'


def input_image(x: float, y: float, side: int, image: str, colours: Palette) -> str:
    """The image as the network sees it, at the start of the rail."""
    half = INPUT_SIDE / 2
    frame = f'x="{x:g}" y="{y - half:g}" width="{INPUT_SIDE}" height="{INPUT_SIDE}"'
    pixels = (
        f'<image {frame} href="{escape(image, quote=True)}" style="image-rendering:pixelated"/>'
        if image
        else ""
    )
    return (
        f"<g><title>What the network sees: {side} × {side} pixels</title>"
        f'<rect {frame} fill="{colours.surface}"/>{pixels}'
        f'<rect {frame} fill="none" stroke="{colours.ran}" stroke-width="1.5"/>'
        f"{text(x + half, y + half + 13, f'{side}×{side}', colours.muted, 9.5)}</g>"
    )


def stem(x: float, y: float, channels: int, colours: Palette) -> str:
    """The first convolution."""
    middle = x + STEM_WIDTH / 2
    return (
        f"<g><title>Stem: 3×3 convolution, 3 to {channels} channels</title>"
        f'<rect x="{x + 2:g}" y="{y - 11:g}" width="{STEM_WIDTH - 4}" height="22" rx="5" '
        f'fill="{colours.ran_soft}" stroke="{colours.ran}" stroke-width="1.2"/>'
        f"{text(middle, y + 4, 'stem', colours.text, 10.5)}</g>"
    )


def answer(x: float, y: float, said: str, colours: Palette) -> str:
    """Pooling and classifier, and what they said."""
    return (
        f"<g><title>Global average pool, classifier: {escape(said)}</title>"
        f'<path d="M{x:g},{y:g}h14" stroke="{colours.ran}" stroke-width="2.5"/>'
        f'<path d="M{x + 12:g},{y - 6:g}l8,6l-8,6z" fill="{colours.ran}"/>'
        f"{text(x + 26, y + 4, said, colours.text, 13, START_BOLD)}"
        f"{text(x + 26, y + 19, 'pool · classifier', colours.muted, 9.5, START)}</g>"
    )
