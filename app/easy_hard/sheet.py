"""The contact sheet: figure 9 as one picture to print, drawn on the server.

Takes pictures and words only, so that it can be drawn without the app too.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_TEXT, _MUTED, _LINE, _WRONG, _EMPTY = "#1b2430", "#5d6978", "#cdd4dc", "#c2500b", "#f2f4f7"

# Pixels, at 300 to the inch.
_TILE, _GAP, _MARGIN, _SIDE = 192, 20, 80, 190
_UNDER = 44  # the line below a picture
_NARROWEST = 1300
_DPI = (300, 300)

_REGULAR, _BOLD = 400, 600
_FONT = "static/static/media/SourceSansVF-Upright*.woff2"  # the app's own, which Streamlit ships

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class Tile:
    """One image.

    Attributes:
        picture: (side, side, 3) uint8.
        loops: that it took.
        answer: the predicted class where that is wrong, or "".
    """

    picture: NDArray[np.uint8]
    loops: int
    answer: str = ""


@dataclass(frozen=True)
class Column:
    """One class: its name, and its images, fewest loops first and most loops first."""

    name: str
    easy: Sequence[Tile]
    hard: Sequence[Tile]


def contact_sheet(title: str, lines: Sequence[str], columns: Sequence[Column], note: str) -> bytes:
    """PNG of one class a column, easy images over hard ones, the loops below each.

    Args:
        title: of the sheet.
        lines: below it: the run, the rule, the counts.
        columns: at least one.
        note: at the foot: what stands below the pictures.

    Raises:
        ValueError: no class.
    """
    if not columns:
        raise ValueError("expected at least one class on the contact sheet, got none")
    ends = [[column.easy for column in columns], [column.hard for column in columns]]
    rows = [max(map(len, part)) for part in ends]
    width = max(_NARROWEST, 2 * _MARGIN + _SIDE + len(columns) * (_TILE + _GAP) - _GAP)
    wrapped = [part for line in lines for part in _wrap(line, _font(38), width - 2 * _MARGIN)]
    foot = _wrap(note, _font(32), width - 2 * _MARGIN)
    top = _MARGIN + 92 + 52 * len(wrapped) + 40
    bands = [top + 64, top + 64 + rows[0] * (_TILE + _UNDER) + 40]
    height = bands[1] + rows[1] * (_TILE + _UNDER) + 36 + 44 * len(foot) + _MARGIN
    sheet = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN + 50), title, _TEXT, _font(64, _BOLD), anchor="ls")
    for place, line in enumerate(wrapped):
        draw.text((_MARGIN, _MARGIN + 122 + 52 * place), line, _MUTED, _font(38), anchor="ls")
    _names(draw, columns, top)
    for first, words, part in zip(bands, _WORDS, ends, strict=True):
        _band(sheet, draw, first, words, part)
    draw.line((_MARGIN, bands[1] - 24, width - _MARGIN, bands[1] - 24), _LINE, 3)
    for place, line in enumerate(foot):
        y = height - _MARGIN - 44 * (len(foot) - place)
        draw.text((_MARGIN, y + 38), line, _MUTED, _font(32), anchor="ls")
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", dpi=_DPI)
    return buffer.getvalue()


_WORDS = (("Easy", "fewest loops"), ("Hard", "most loops"))


def _names(draw: ImageDraw.ImageDraw, columns: Sequence[Column], y: int) -> None:
    font = _font(38, _BOLD)
    for place, column in enumerate(columns):
        name = _fit(column.name, font, _TILE)
        draw.text((_x(place) + _TILE // 2, y + 38), name, _TEXT, font, anchor="ms")


def _band(
    sheet: Image.Image,
    draw: ImageDraw.ImageDraw,
    y: int,
    words: tuple[str, str],
    part: Sequence[Sequence[Tile]],
) -> None:
    """The easy or the hard images of all classes, from ``y`` on."""
    draw.text((_MARGIN, y + 38), words[0], _TEXT, _font(44, _BOLD), anchor="ls")
    draw.text((_MARGIN, y + 84), words[1], _MUTED, _font(30), anchor="ls")
    for place, tiles in enumerate(part):
        if not tiles:
            box = (_x(place), y, _x(place) + _TILE - 1, y + _TILE - 1)
            draw.rounded_rectangle(box, 8, _EMPTY)
            draw.text((_x(place) + _TILE // 2, y + _TILE // 2), "none", _MUTED, _font(32), "mm")
        for row, tile in enumerate(tiles):
            top = y + row * (_TILE + _UNDER)
            sheet.paste(_brought_to_size(tile.picture), (_x(place), top))
            _caption(draw, tile, place, top + _TILE + 28)


def _caption(draw: ImageDraw.ImageDraw, tile: Tile, place: int, y: int) -> None:
    """Loops and a wrong answer, on the line at ``y``; the frame of the picture above it."""
    bold, plain = _font(30, _BOLD), _font(30)
    loops = f"{tile.loops}"
    draw.text((_x(place), y), loops, _TEXT, bold, anchor="ls")
    if tile.answer:
        left = draw.textlength(loops, bold) + 14
        answer = _fit(f"× {tile.answer}", plain, int(_TILE - left))
        draw.text((_x(place) + left, y), answer, _WRONG, plain, anchor="ls")
        box = (_x(place), y - 28 - _TILE, _x(place) + _TILE - 1, y - 29)
        draw.rectangle(box, outline=_WRONG, width=5)


def _x(place: int) -> int:
    return _MARGIN + _SIDE + place * (_TILE + _GAP)


def _brought_to_size(picture: NDArray[np.uint8]) -> Image.Image:
    """A small picture's pixels as squares: smoothed, it would look blurred that is not."""
    image = Image.fromarray(picture)
    small = max(image.size) < _TILE
    return image.resize((_TILE, _TILE), Image.Resampling.BOX if small else Image.Resampling.LANCZOS)


@cache
def _font(size: int, weight: int = _REGULAR) -> Font:
    """The app's typeface; without it, the one that comes with Pillow, in one weight."""
    streamlit = find_spec("streamlit")
    for folder in (streamlit and streamlit.submodule_search_locations) or ():
        for path in Path(folder).glob(_FONT):
            try:
                font = ImageFont.truetype(path, size)
                font.set_variation_by_axes([weight])
            except OSError:  # a build of FreeType without WOFF2 or variations
                continue
            return font
    return ImageFont.load_default(size)


def _fit(text: str, font: Font, width: int) -> str:
    """As much of a text as fits, with an ellipsis where it was cut."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}…") > width:
        text = text[:-1].rstrip(" ,")
    return f"{text}…"


def _wrap(text: str, font: Font, width: int) -> list[str]:
    """A text in lines that fit; non-breaking spaces stay."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
