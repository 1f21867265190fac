"""The page's tables as HTML; whatever comes from outside is escaped here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

from streamlit.components import v2

from app.models.cells import DASH, Cell, Column, cells_of, columns_of, marks_of
from app.models.notes import Note
from app.models.ours import OwnTraining
from app.models.shown import most_epochs, shown_results
from app.models.tables import VIEWS, Model, View

_ASSETS = Path(__file__).resolve().parent / "assets"


def show_table(
    key: str, markup: str, selected: str, on_pick: Callable[[], None], drawing: str
) -> None:
    """Show a table of ours; a click on a row, or its button, chooses its network.

    Args:
        key: of the component; in ``on_pick``, ``st.session_state[key]["picked"]`` is a name.
        markup: HTML, escaped.
        selected: name of the network whose row is marked.
        on_pick: called before the page runs again.
        drawing: key of the container that is brought into view then.
    """
    data = {"markup": markup, "selected": selected, "drawing": drawing}
    _component()(key=key, data=data, on_picked_change=on_pick)


def models_table(
    groups: Mapping[str, Sequence[Model]],
    trainings: Sequence[OwnTraining],
    notes: Mapping[int, Note],
    view: View,
    data_set: str,
) -> str:
    """A table of the paper with our counts and results beside what it prints.

    Args:
        groups: the networks by the heading under which they stand.
        trainings: all of ours.
        notes: with the numbers that stand beside the names.
        view: which table.
        data_set: that all of the networks are for.
    """
    shown = shown_results(view, groups, trainings)
    most = most_epochs(shown)
    columns = columns_of(view, data_set, most)
    body: list[str] = []
    for title, models in groups.items():
        body.append(
            f'<tr class="group"><th scope="colgroup" colspan="{len(columns) + 1}">'
            f"<span>{escape(title)}</span></th></tr>"
        )
        for model in models:
            cells = cells_of(model, shown[model.name], most)
            first = _name(model, notes)
            row = [(column, cells[column.key]) for column in columns]
            body.append(_row(f'class="{model.kind}" {_pick(model.name)}', first, row))
    return table(f"{VIEWS[view]}, networks for {data_set}", "Network", columns, body)


def _name(model: Model, notes: Mapping[int, Note]) -> str:
    marks = "".join(
        f'<sup title="{quoted(notes[number].text)}">{number}</sup>'
        for number in marks_of(model, notes)
    )
    return (
        f'<button type="button" title="draw {quoted(model.name)}">'
        f"{escape(model.recipe.title)}</button>{marks}"
    )


def _pick(network: str | None) -> str:
    return f'data-pick="{quoted(network)}"' if network else ""


def row(network: str | None, title: str, cells: Iterable[tuple[Column, Cell]]) -> str:
    """A row whose click, or button, draws a network."""
    first = f'<button type="button" title="draw {quoted(network or "")}">{escape(title)}</button>'
    return row_of_links(network, first, cells)


def row_of_links(network: str | None, first: str, cells: Iterable[tuple[Column, Cell]]) -> str:
    """A row whose first cell is HTML; a click beside its links draws the network."""
    return _row(_pick(network), first, cells)


def _row(attributes: str, first: str, cells: Iterable[tuple[Column, Cell]]) -> str:
    drawn = "".join(_cell(column, cell) for column, cell in cells)
    return f'<tr {attributes}><th scope="row">{first}</th>{drawn}</tr>'


def _cell(column: Column, cell: Cell) -> str:
    title = f' title="{quoted(cell.meaning)}"' if cell.meaning else ""
    marks = {"none": cell.text == DASH, "differs": cell.differs, "words": column.words}
    names = " ".join(name for name, here in marks.items() if here)
    return f'<td{title} class="{names}">{escape(cell.text)}</td>'


def _heads(first: str, columns: Sequence[Column]) -> str:
    """Two rows, groups of columns and the columns; one where there are no groups."""
    if not any(column.group for column in columns):
        return f'<tr><th scope="col">{escape(first)}</th>{"".join(map(_head, columns))}</tr>'
    upper = [f'<th rowspan="2" scope="col">{escape(first)}</th>']
    lower: list[str] = []
    for group, together in groupby(columns, key=lambda column: column.group):
        part = list(together)
        if group:
            upper.append(
                f'<th scope="colgroup" colspan="{len(part)}"><span>{escape(group)}</span></th>'
            )
            lower += map(_head, part)
        else:
            upper += [_head(column, ' rowspan="2"') for column in part]
    return f"<tr>{''.join(upper)}</tr><tr>{''.join(lower)}</tr>"


def _head(column: Column, extra: str = "") -> str:
    words = ' class="words"' if column.words else ""
    title = quoted(column.meaning)
    return f'<th scope="col"{extra}{words} title="{title}"><abbr>{escape(column.head)}</abbr></th>'


def quoted(text: str) -> str:
    """Escaped for an attribute."""
    return escape(text, quote=True)


def table(caption: str, first: str, columns: Sequence[Column], body: Sequence[str]) -> str:
    """A table of rows as ``row`` makes them; ``first`` heads the column of their names."""
    return (
        f'<div class="scroller" tabindex="0" role="region" aria-label="{quoted(caption)}">'
        f"<table><caption>{escape(caption)}</caption><thead>{_heads(first, columns)}</thead>"
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


@cache
def _component() -> Callable[..., Any]:
    return v2.component(
        "loopscope_models",
        html='<div class="models"></div>',
        css=(_ASSETS / "table.css").read_text("utf-8"),
        js=(_ASSETS / "table.js").read_text("utf-8"),
    )
