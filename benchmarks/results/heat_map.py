"""Tables of numbers as coloured cells in SVG, by hand: equal numbers give equal bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_CELL, _LINE = (58, 30), 22
_LEFT, _TOP, _GAP = 56, 62, 34
_LIGHT, _DARK = (0xF7, 0xFB, 0xFF), (0x08, 0x30, 0x6B)
_MARKED, _MISSING = "#d55e00", "#eeeeee"


@dataclass(frozen=True)
class Cell:
    """A cell: its text, and how dark it is (0 to 1), or None where it is marked instead."""

    text: str
    shade: float | None


@dataclass(frozen=True)
class Panel:
    """One table: its name, and a row of cells for each row's name; None where there is none."""

    name: str
    cells: Sequence[Sequence[Cell | None]]


def heat_map(
    title: str, panels: Sequence[Panel], axes: tuple[str, str], names: tuple[list[str], list[str]]
) -> str:
    """SVG of panels side by side.

    Args:
        title: over all, and its name for those who do not see it.
        panels: each with as many rows and columns as ``names`` has.
        axes: what rows and columns are.
        names: of rows and of columns.
    """
    rows, columns = names
    width = len(columns) * _CELL[0]
    whole = (_LEFT + len(panels) * (width + _GAP), _TOP + len(rows) * _CELL[1] + 2 * _LINE + 8)
    parts = [
        f'<text x="{_LEFT}" y="20" font-weight="bold">{escape(title)}</text>',
        f'<text x="{_LEFT - 8}" y="{_TOP - 8}" text-anchor="end">{escape(axes[0])}</text>',
    ]
    for row, name in enumerate(rows):
        parts.append(_text(name, _LEFT - 8, _TOP + (row + 0.5) * _CELL[1], "end"))
    for place, panel in enumerate(panels):
        left = _LEFT + place * (width + _GAP)
        parts.append(f'<text x="{left}" y="{_TOP - 8}">{escape(panel.name)}</text>')
        for row, cells in enumerate(panel.cells):
            parts += [_cell(cell, left, row, column) for column, cell in enumerate(cells)]
        below = _TOP + len(rows) * _CELL[1] + 0.5 * _LINE
        parts += [
            _text(name, left + (column + 0.5) * _CELL[0], below)
            for column, name in enumerate(columns)
        ]
        parts.append(_text(axes[1], left + width / 2, below + _LINE))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole[0]} {whole[1]}" '
        f'width="{whole[0]}" height="{whole[1]}" role="img" font-family="sans-serif" '
        f'font-size="12"><title>{escape(title)}</title>\n'
        f'<rect width="{whole[0]}" height="{whole[1]}" fill="white"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _cell(cell: Cell | None, left: float, row: int, column: int) -> str:
    x, y = left + column * _CELL[0], _TOP + row * _CELL[1]
    fill, ink, text = _MISSING, "black", ""
    if cell is not None:
        text = cell.text
        fill = _MARKED if cell.shade is None else _colour(cell.shade)
        ink = "white" if cell.shade is not None and cell.shade > 0.5 else "black"
    box = f'<rect x="{x:g}" y="{y:g}" width="{_CELL[0]}" height="{_CELL[1]}" stroke="white"'
    middle = (x + _CELL[0] / 2, y + _CELL[1] / 2)
    return f'{box} fill="{fill}"/>' + (_text(text, *middle, ink=ink) if text else "")


def _colour(shade: float) -> str:
    part = min(max(shade, 0.0), 1.0)
    mixed = (round(a + part * (b - a)) for a, b in zip(_LIGHT, _DARK, strict=True))
    return "#" + "".join(f"{each:02x}" for each in mixed)


def _text(text: str, x: float, y: float, anchor: str = "middle", ink: str = "black") -> str:
    return (
        f'<text x="{x:g}" y="{y + 4:g}" text-anchor="{anchor}" fill="{ink}">{escape(text)}</text>'
    )
