"""The parts of the path picture, each drawn around a point of the rail; x to the right, y down.

What ran is thick and filled, a gate that closed is dashed with a cross, what was never asked is
thin and dotted: the fates stay apart without any colour. Of no image, a ring is as thick as the
share of the images that are expected to run its loop.
"""

from __future__ import annotations

import re
from html import escape

from app.charts import Palette
from app.inspection.path import Block, Loop, digits

PLAIN_WIDTH = 23
STEM_WIDTH = 36
INPUT_SIDE = 46
FOLDED_WIDTH = 64  # at least, of a block that stands for several
_ANSWER_LONGEST = 26  # letters
_RING_X, _RING_Y = 9, 17  # each ring is so much wider and higher than the one inside it
_INNER_X, _INNER_Y = 17, 13
_BAND = 6  # thickness of a ring that ran
_PILL_WIDTH, _PILL_HEIGHT = 27, 14
START = 'text-anchor="start"'
START_BOLD = f'{START} font-weight="600"'


def recursive_width(loops: int) -> int:
    """Width of a recursive block of so many loops."""
    return 2 * (_INNER_X + _RING_X * loops) + _BAND + 8


def answer_width(said: str, chance: str) -> float:
    """Width of the end of the rail with what the network said."""
    return 34 + 7.4 * len(_shown(said, chance))


def _shown(said: str, chance: str) -> str:
    """The answer with its chance, a long name cut."""
    if len(said) > _ANSWER_LONGEST:
        said = f"{said[: _ANSWER_LONGEST - 1].rstrip(' ,')}…"
    return f"{said} {chance}".strip()


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


def count_of(x: float, y: float, count: int, colours: Palette) -> str:
    """How many blocks a drawn one stands for."""
    return text(x, y + 39, f"{count} blocks", colours.text, 10, 'font-weight="600"')


def plain_block(middle: float, y: float, block: Block, name: str, colours: Palette) -> str:
    """A plain block around ``middle``; one that halves the resolution narrows to the right."""
    half = 7
    left, right, top = middle - half, middle + half, 11
    slope = 5 if block.downsamples else 0
    shape = (
        f"M{left:g},{y - top:g}L{right:g},{y - top + slope:g}"
        f"V{y + top - slope:g}L{left:g},{y + top:g}Z"
    )
    note = "plain block, halves the resolution" if block.downsamples else "plain block"
    return (
        f"<g><title>Block {name}: {note}</title>"
        f'<path d="{shape}" fill="{colours.ran_soft}" stroke="{colours.ran}" '
        f'stroke-width="1.2" stroke-linejoin="round"/>'
        f"{text(middle, y + 27, name, colours.muted, 9.5)}</g>"
    )


def recursive_block(middle: float, y: float, block: Block, name: str, colours: Palette) -> str:
    """A recursive block around ``middle``: a ring for each loop, the first innermost."""
    parts = [_body(middle, y, block, name, colours)]
    numbered = list(enumerate(block.loops, 1))
    # From the outside in: what ran lies on top of what did not.
    parts += [_ring(middle, y, name, k, loop, colours) for k, loop in reversed(numbered)]
    parts += [
        _pill(middle, y - _INNER_Y - _RING_Y * k, loop, colours) for k, loop in reversed(numbered)
    ]
    parts.append(text(middle, y + 27, name, colours.muted, 9.5))
    return f"<g>{''.join(parts)}</g>"


def _body(x: float, y: float, block: Block, name: str, colours: Palette) -> str:
    """The body with the number of its runs; one that never ran is passed by below."""
    count, most = block.executed, len(block.loops)
    box = f'<rect x="{x - 13:g}" y="{y - 10:g}" width="26" height="20" rx="5"'
    if block.loops[0].share is not None:
        gated = any(loop.asked for loop in block.loops)
        note = f"recursive, {'up to ' if gated else ''}{most} loop{'s' if most > 1 else ''}"
        shown = f"{'≤' if gated else '×'}{most}"
    else:
        note, shown = f"{count} of {most} loops ran", f"×{count}"
    if block.downsamples:
        note += "; halves the resolution, its shortcut always runs"
    if shown != "×0":
        drawn = f'{box} fill="{colours.ran}"/>'
        label = text(x, y + 4, shown, colours.background, 11.5, 'font-weight="600"')
    else:
        half = recursive_width(most) / 2
        drawn = (
            f'<path d="M{x - half:g},{y:g}C{x - half / 2:g},{y:g} {x - half / 2:g},{y + 14:g} '
            f'{x:g},{y + 14:g}S{x + half / 2:g},{y:g} {x + half:g},{y:g}" '
            f'stroke="{colours.ran}" stroke-width="2.5" fill="none"/>'
            f'{box} fill="{colours.background}" stroke="{colours.muted}" '
            f'stroke-dasharray="3 2.5"/>'
        )
        label = text(x, y + 4, "×0", colours.muted, 11.5, 'font-weight="600"')
    return f"<g><title>Block {name}: {note}</title>{drawn}{label}</g>"


def _ring(x: float, y: float, name: str, number: int, loop: Loop, colours: Palette) -> str:
    across, up = _INNER_X + _RING_X * number, _INNER_Y + _RING_Y * number
    arc = f'd="M{x + across:g},{y:g}A{across},{up} 0 0 0 {x - across:g},{y:g}" fill="none"'
    strokes = {
        "ran": f'stroke="{colours.ran}" stroke-width="{_BAND}"',
        "closed": f'stroke="{colours.muted}" stroke-width="1.3" stroke-dasharray="5 3"',
        "unasked": f'stroke="{colours.muted}" stroke-opacity=".55" stroke-dasharray="1 3.5"',
        "possible": f'stroke="{colours.ran}" stroke-width="{_BAND * (loop.share or 0):g}"',
    }
    title = f"<title>Block {name}, loop {number}: {escape(loop.in_words())}</title>"
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
    chance = loop.share if loop.share is not None else loop.prob
    if chance is None or (loop.share is not None and not loop.asked):
        return ""
    number = re.sub(r"\b0\.", ".", digits(chance))
    possible, closed = loop.share is not None, loop.fate == "closed"
    width = _PILL_WIDTH + 6 * max(len(number) - 3, 0) + (9 if closed else 0)
    fill = colours.ran if loop.ran else colours.background
    stroke = colours.background if loop.ran else colours.ran if possible else colours.muted
    box = (
        f'<rect x="{x - width / 2:g}" y="{y - _PILL_HEIGHT / 2:g}" width="{width}" '
        f'height="{_PILL_HEIGHT}" rx="{_PILL_HEIGHT / 2:g}" fill="{fill}" stroke="{stroke}"/>'
    )
    ink = colours.background if loop.ran else colours.text
    label = text(x + 5 if closed else x, y + 3.6, number, ink, 10.5, 'pointer-events="none"')
    left = x - width / 2 + 7
    cross = (
        f'<path d="M{left:g},{y - 3:g}l6,6m0,-6l-6,6" stroke="{colours.wrong}" '
        f'stroke-width="1.6" stroke-linecap="round"/>'
    )
    mark = _mark(x, y, width, loop.ran, colours) if loop.decided_otherwise else ""
    return f'<g pointer-events="none">{mark}{box}{cross if closed else ""}{label}</g>'


def _mark(x: float, y: float, width: float, opens: bool, colours: Palette) -> str:
    """Around the pill of a gate that decides otherwise; it points up where the gate opens now."""
    left, top = x - width / 2 - 3, y - _PILL_HEIGHT / 2 - 3
    tip = x + width / 2 + 7.5
    arrow = f"M{tip:g},{y - 4:g}l4,7.5h-8z" if opens else f"M{tip:g},{y + 4:g}l4,-7.5h-8z"
    return (
        f'<rect x="{left:g}" y="{top:g}" width="{width + 18:g}" height="{_PILL_HEIGHT + 6}" '
        f'rx="{_PILL_HEIGHT / 2 + 3:g}" fill="{colours.background}" stroke="{colours.text}" '
        f'stroke-width="2"/><path d="{arrow}" fill="{colours.text}"/>'
    )


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


def stem(x: float, y: float, side: int, after: int, colours: Palette) -> str:
    """What stands before the first stage; ``side`` and ``after`` are pixels around it."""
    middle = x + STEM_WIDTH / 2
    return (
        f"<g><title>Stem: the first convolution, {side}×{side} to {after}×{after}</title>"
        f'<rect x="{x + 2:g}" y="{y - 11:g}" width="{STEM_WIDTH - 4}" height="22" rx="5" '
        f'fill="{colours.ran_soft}" stroke="{colours.ran}" stroke-width="1.2"/>'
        f"{text(middle, y + 4, 'stem', colours.text, 10.5)}</g>"
    )


def answer(x: float, y: float, said: str, chance: str, colours: Palette) -> str:
    """Pooling and classifier, and what they said."""
    whole = f"{said} {chance}".strip()
    return (
        f"<g><title>Global pooling, classifier: {escape(whole)}</title>"
        f'<path d="M{x:g},{y:g}h14" stroke="{colours.ran}" stroke-width="2.5"/>'
        f'<path d="M{x + 12:g},{y - 6:g}l8,6l-8,6z" fill="{colours.ran}"/>'
        f"{text(x + 26, y + 4, _shown(said, chance), colours.text, 13, START_BOLD)}"
        f"{text(x + 26, y + 19, 'pool · classifier', colours.muted, 9.5, START)}</g>"
    )
