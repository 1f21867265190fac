"""The table of our trainings as HTML, with a link to each of their runs."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from statistics import stdev
from urllib.parse import urlencode

from app.models import markup
from app.models.cells import DASH, Cell, Column, printed_cell
from app.models.ours import OwnRun, OwnTraining
from app.units import macs_text
from drnn_core.recipes import NETWORKS
from drnn_core.store.retraining import training_changes_of

_COLUMNS = (
    Column(
        "error",
        "error, %",
        "",
        "share of test images answered wrong: mean ± standard deviation over seeds",
    ),
    Column("loops", "loops", "", "executed per test image, mean ± standard deviation, of the most"),
    Column("macs", "multiply-adds", "", "measured, mean of the test images"),
    Column("epochs", "epochs", "", "of training; the paper trains 350 on CIFAR-10"),
    Column("paper", "printed, %", "", "error that the paper prints, if on this data set"),
    Column(
        "rate",
        "rate (target)",
        "",
        "realised opening rate: how often a gate that was asked opened, mean over gates; in "
        "brackets what training aimed at",
    ),
    Column("network", "network", "", "that was trained, and what was changed of it", words=True),
    Column("data", "data set", "", "of its training and its test", words=True),
)


def runs_table(trainings: Sequence[OwnTraining], chosen: str, caption: str) -> str:
    """Trainings of ours, one a row with its seeds; ``chosen`` is the run in the sidebar."""
    body = [_row(each, chosen) for each in trainings]
    return markup.table(caption, "Run", _COLUMNS, body)


def _row(ours: OwnTraining, chosen: str) -> str:
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
    trained = [f"recipe {info.recipe_name}", *training_changes_of(info), f"seed {ours.seeds}"]
    cells = [
        Cell(_error_text(ours), f"{each}; n = {metrics.n:,} images"),
        Cell(loops),
        Cell(macs_text(metrics.macs_mean)),
        Cell(f"{info.epochs:,}", ", ".join(trained)),
        _printed_error(ours),
        Cell(rate),
        Cell(title + changed),
        Cell(ours.data_set, info.dataset),
    ]
    row = zip(_COLUMNS, cells, strict=True)
    return markup.row_of_links(ours.network, _links(ours, chosen), row)


def _error_text(ours: OwnTraining) -> str:
    more = ""
    if len(ours.runs) > 1:
        more = f" ± {stdev(run.metrics.error for run in ours.runs):.2f}"
    return f"{ours.metrics.error:.2f}{more}"


def _printed_error(ours: OwnTraining) -> Cell:
    """The paper's error on its data set, also of a row that the network reads otherwise."""
    on_the_papers = ours.is_result_of(ours.network or "")
    return printed_cell(ours.network) if on_the_papers else Cell(DASH)


def _links(ours: OwnTraining, chosen: str) -> str:
    """The run's name as a link to it; of several what they have in common, and a link a seed."""
    several = len(ours.runs) > 1
    shared = ours.name.partition(" (seeds ")[0] + " " if several else ""
    links = " ".join(_link(run, f"s{run.info.seed}" if several else run.name) for run in ours.runs)
    here = any(run.name == chosen for run in ours.runs)
    return escape(shared) + links + (' <span class="here">in the sidebar</span>' if here else "")


def _link(run: OwnRun, text: str) -> str:
    address = f"/inspect?{urlencode({'run': run.name})}"
    title = f' title="{markup.quoted(run.name)}"' if text != run.name else ""
    return f'<a href="{markup.quoted(address)}" target="_self"{title}>{escape(text)}</a>'
