"""The page's tables as HTML; whatever comes from outside is escaped here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from html import escape
from itertools import groupby
from pathlib import Path
from statistics import stdev
from typing import Any
from urllib.parse import urlencode

from streamlit.components import v2

from app.models.cells import DASH, Cell, Column, cells_of, columns_of, marks_of
from app.models.notes import Note
from app.models.ours import OwnRun, OwnTraining, results_of
from app.models.tables import VIEWS, Model, View
from app.units import macs_text
from drnn_core.recipes import NETWORKS
from drnn_core.store.retraining import training_changes_of

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
    columns = columns_of(view, data_set)
    body: list[str] = []
    for title, models in groups.items():
        body.append(
            f'<tr class="group"><th scope="colgroup" colspan="{len(columns) + 1}">'
            f"<span>{escape(title)}</span></th></tr>"
        )
        for model in models:
            cells = cells_of(model, results_of(model.name, trainings))
            first = _name(model, notes)
            row = [(column, cells[column.key]) for column in columns]
            body.append(_row(f'class="{model.kind}" {_pick(model.name)}', first, row))
    return table(f"{VIEWS[view]}, networks for {data_set}", "Network", columns, body)


def _name(model: Model, notes: Mapping[int, Note]) -> str:
    marks = "".join(
        f'<sup title="{_quoted(notes[number].text)}">{number}</sup>'
        for number in marks_of(model, notes)
    )
    return (
        f'<button type="button" title="draw {_quoted(model.name)}">'
        f"{escape(model.recipe.title)}</button>{marks}"
    )


def _pick(network: str | None) -> str:
    return f'data-pick="{_quoted(network)}"' if network else ""


def row(network: str | None, title: str, cells: Iterable[tuple[Column, Cell]]) -> str:
    """A row whose click, or button, draws a network."""
    first = f'<button type="button" title="draw {_quoted(network or "")}">{escape(title)}</button>'
    return _row(_pick(network), first, cells)


def _row(attributes: str, first: str, cells: Iterable[tuple[Column, Cell]]) -> str:
    drawn = "".join(_cell(column, cell) for column, cell in cells)
    return f'<tr {attributes}><th scope="row">{first}</th>{drawn}</tr>'


def _cell(column: Column, cell: Cell) -> str:
    title = f' title="{_quoted(cell.meaning)}"' if cell.meaning else ""
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
    title = _quoted(column.meaning)
    return f'<th scope="col"{extra}{words} title="{title}"><abbr>{escape(column.head)}</abbr></th>'


def _quoted(text: str) -> str:
    return escape(text, quote=True)


_RUN_COLUMNS = (
    Column("network", "network", "", "that was trained, and what was changed of it", words=True),
    Column("data", "data set", "", "of its training and its test", words=True),
    Column("epochs", "epochs", "", "of training; the paper trains 350 on CIFAR-10"),
    Column(
        "error",
        "error, %",
        "",
        "share of test images answered wrong: mean ± standard deviation over seeds",
    ),
    Column("loops", "loops", "", "executed per test image, mean ± standard deviation, of the most"),
    Column(
        "rate",
        "rate (target)",
        "",
        "realised opening rate: how often a gate that was asked opened, mean over gates; in "
        "brackets what training aimed at",
    ),
    Column("macs", "multiply-adds", "", "measured, mean of the test images"),
    Column("paper", "printed, %", "", "error that the paper prints, if on this data set"),
)


def runs_table(trainings: Sequence[OwnTraining], chosen: str, caption: str) -> str:
    """Trainings of ours, one a row with its seeds; ``chosen`` is the run in the sidebar."""
    body = [_training_row(each, chosen) for each in trainings]
    return table(caption, "Run", _RUN_COLUMNS, body)


def _training_row(ours: OwnTraining, chosen: str) -> str:
    metrics, info = ours.metrics, ours.info
    title = NETWORKS[ours.network].title if ours.network else info.title
    changed = f"; {', '.join(ours.changed)}" if ours.changed else ""
    loops = DASH
    if metrics.loops_max:
        loops = f"{metrics.loops_mean:.2f} ± {metrics.loops_std:.2f} of {metrics.loops_max}"
    rate = DASH
    if metrics.rate is not None:
        rate = f"{metrics.rate:.3f}" + (f" ({metrics.target:g})" if metrics.target else "")
    each = "; ".join(f"seed {run.info.seed}: {run.metrics.error:.2f}" for run in ours.runs)
    cells = [
        Cell(title + changed),
        Cell(info.dataset),
        Cell(
            f"{info.epochs:,}",
            ", ".join(
                [f"recipe {info.recipe_name}", *training_changes_of(info), f"seed {ours.seeds}"]
            ),
        ),
        Cell(_error_text(ours), f"{each}; n = {metrics.n:,} images"),
        Cell(loops),
        Cell(rate),
        Cell(macs_text(metrics.macs_mean)),
        _printed_error(ours),
    ]
    return _row(_pick(ours.network), _links(ours, chosen), zip(_RUN_COLUMNS, cells, strict=True))


def _error_text(ours: OwnTraining) -> str:
    more = ""
    if len(ours.runs) > 1:
        more = f" ± {stdev(run.metrics.error for run in ours.runs):.2f}"
    return f"{ours.metrics.error:.2f}{more}"


def _printed_error(ours: OwnTraining) -> Cell:
    """The paper's error, of the network as it is on the paper's data set."""
    if ours.network is None or not ours.is_result_of(ours.network):
        return Cell(DASH)
    paper = NETWORKS[ours.network].paper
    if paper is None or paper.error is None:
        return Cell(DASH)
    return Cell(f"{paper.error:.2f}", f"{paper.source} of the paper")


def _links(ours: OwnTraining, chosen: str) -> str:
    """The run's name as a link to it; of several what they have in common, and a link a seed."""
    several = len(ours.runs) > 1
    shared = ours.name.partition(" (seeds ")[0] + " " if several else ""
    links = " ".join(_link(run, f"s{run.info.seed}" if several else run.name) for run in ours.runs)
    here = any(run.name == chosen for run in ours.runs)
    return escape(shared) + links + (' <span class="here">in the sidebar</span>' if here else "")


def _link(run: OwnRun, text: str) -> str:
    address = f"/inspect?{urlencode({'run': run.name})}"
    title = f' title="{_quoted(run.name)}"' if text != run.name else ""
    return f'<a href="{_quoted(address)}" target="_self"{title}>{escape(text)}</a>'


def table(caption: str, first: str, columns: Sequence[Column], body: Sequence[str]) -> str:
    """A table of rows as ``row`` makes them; ``first`` heads the column of their names."""
    return (
        f'<div class="scroller" tabindex="0" role="region" aria-label="{_quoted(caption)}">'
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
