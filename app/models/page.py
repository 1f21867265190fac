"""The Models page: the paper's tables, our counts and our runs beside them, a network drawn."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from app import cache, charts, downloads, runpicker
from app.inspection import parts
from app.models import controls, export, markup, notes, own_table, points, texts
from app.models.against import Against, against_plain
from app.models.against_table import against_data, against_html
from app.models.figures import accuracy_figure
from app.models.network import show_network
from app.models.ours import OwnTraining, own_runs, trainings_of
from app.models.plot import Cost
from app.models.shown import most_epochs, shown_results
from app.models.tables import VIEWS, Model, View
from drnn_core.store.retraining import train_command

_TABLE, _RUNS, _DRAWING = "models_table", "models_runs", "models_drawing"
_AGAINST = "models_against"
_COSTS: tuple[Cost, Cost] = ("macs", "params")


@dataclass(frozen=True)
class Page:
    """What every part of the page looks at.

    Attributes:
        view: the table.
        groups: its networks that are shown, by heading.
        trainings: all of ours that can be read.
        chosen: name of the network that is drawn.
    """

    view: View
    groups: dict[str, list[Model]]
    trainings: list[OwnTraining]
    chosen: str

    @property
    def models(self) -> list[Model]:
        """The networks that are shown."""
        return [model for models in self.groups.values() for model in models]

    @property
    def own(self) -> list[OwnTraining]:
        """Trainings of the networks that are shown, changed or not, on whatever data set.

        Those of networks that stand in no table, such as other backbones, come after them.
        """
        names = {model.name for model in self.models}
        shown = [each for each in self.trainings if each.network in names]
        return [*shown, *(each for each in self.trainings if each.network is None)]


def show() -> None:
    """Draw the page."""
    parts.style(charts.palette())
    all_runs = cache.list_runs()
    trainings = trainings_of(own_runs(all_runs))
    in_sidebar = runpicker.chosen_run()
    every = [run for each in trainings for run in each.runs]
    of_run = next(
        (run.network for run in every if in_sidebar and run.name == in_sidebar.name), None
    )
    st.title("Models", anchor=False)
    texts.lead()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        view = controls.table_control(of_run)
        shown = controls.family_control(view)
        st.space("stretch")
        exports = st.empty()
    names = [name for group in shown.values() for name in group]
    counted = _count(names)
    groups = {title: [counted[name] for name in group] for title, group in shown.items()}
    _export(exports, view, groups, trainings, all_runs)
    plots = st.container()
    st.divider()
    with st.container(key=_DRAWING):
        chosen = controls.network_control(names, of_run)
        page = Page(view, groups, trainings, chosen)
        _network(page)
    with plots:
        _plots(page)
    st.divider()
    _table(page)
    _against(page, against_plain(page.own, trainings, all_runs))
    _own(page, all_runs, in_sidebar.name if in_sidebar else "")


def _count(names: Sequence[str]) -> dict[str, Model]:
    """The networks counted; the first time takes some seconds."""
    with st.spinner("Counting the networks…", show_time=True):
        return {name: Model.from_row(cache.network_counts(name)) for name in names}


def _plots(page: Page) -> None:
    """A pair of plots for each data set of the table that has results."""
    for data_set in dict.fromkeys(model.recipe.dataset for model in page.models):
        models = [model for model in page.models if model.recipe.dataset == data_set]
        # Of the ablation at the size of table 1 the paper prints what stands in table 1 already.
        ours = any(run.data_set == data_set for run in page.own)
        if ours or page.view != "ablation" or data_set == "ImageNet":
            _pair(page, models, data_set)


def _pair(page: Page, printed: Sequence[Model], data_set: str) -> None:
    """The paper's results of some networks and our runs of all shown, on one data set."""
    runs = [run for run in page.own if run.data_set == data_set]
    found = [*points.printed_points(printed), *points.own_points(runs, page.models)]
    if not any(point.accuracy is not None for point in found):
        return
    texts.plots_title(found, data_set)
    for column, cost in zip(st.columns(2, gap="large"), _COSTS, strict=True):
        key = f"models_{cost}_{data_set}"
        with column:
            charts.show(
                accuracy_figure(found, cost, data_set, page.chosen, charts.palette()),
                f"{data_set} accuracy over {cost}",
                key=key,
                on_select=controls.on_point(key),
                selection_mode="points",
                alt=texts.plot_alt(found, cost, data_set),
                data=export.points_table(found),
            )
    texts.key_of_marks(found, f"models_key_{data_set}")
    texts.plots_note(found, data_set)


def _network(page: Page) -> None:
    counted = {model.name: model for model in page.models}
    model = counted[page.chosen]
    other = model.recipe.counterpart
    counterpart = None if other is None else _count([other])[other]
    results = shown_results(page.view, page.groups, page.trainings)[model.name]
    show_network(model, counterpart, results[0] if results else None)


def _table(page: Page) -> None:
    """One table for each data set, because they measure otherwise: one, but for the ablation."""
    texts.table_title(page.view)
    found = notes.numbered(tuple(model.name for model in page.models))
    data_sets = list(dict.fromkeys(model.recipe.dataset for model in page.models))
    for data_set in data_sets:
        groups = _of(page.groups, data_set)
        table = markup.models_table(groups, page.trainings, found, page.view, data_set)
        key = f"{_TABLE}_{data_set}"
        markup.show_table(key, table, page.chosen, _picked(key), _DRAWING)
        texts.how_long(most_epochs(shown_results(page.view, groups, page.trainings)))
    texts.column_meanings(page.view, data_sets[0])
    texts.notes(found)
    texts.other_readings(model.name for model in page.models)


def _of(groups: Mapping[str, list[Model]], data_set: str) -> dict[str, list[Model]]:
    """The groups of networks that are for a data set."""
    return {
        title: models for title, models in groups.items() if models[0].recipe.dataset == data_set
    }


def _against(page: Page, found: Sequence[Against]) -> None:
    """Our trainings tested against those of their plain counterparts, where there are any."""
    if not found:
        return
    texts.against_title()
    markup.show_table(_AGAINST, against_html(found), page.chosen, _picked(_AGAINST), _DRAWING)
    texts.other_readings(each.ours.network for each in found if not math.isnan(each.printed))


def _own(page: Page, runs: Sequence[cache.Run], in_sidebar: str) -> None:
    """Runs of the networks shown; those on other data sets have plots of their own."""
    texts.runs_title()
    damaged = [run for run in runs if run.info is None]
    if page.own:
        table = own_table.runs_table(page.own, in_sidebar, "Runs of these networks")
        markup.show_table(_RUNS, table, page.chosen, _picked(_RUNS), _DRAWING)
        results = [each.network for each in page.own if each.is_result_of(each.network or "")]
        texts.other_readings(results)
        texts.commands([train_command(each.info) for each in page.own])
    else:
        texts.no_runs(page.chosen)
    if damaged:
        texts.damaged([run.name for run in damaged])
    there = {model.recipe.dataset for model in page.models}
    drawn = [run for run in page.own if run.network and not run.changed]
    elsewhere = Counter(run.data_set for run in drawn if run.data_set not in there)
    for data_set in sorted(name for name, count in elsewhere.items() if count > 1):
        _pair(page, [], data_set)


def _export(
    place: Any,
    view: View,
    groups: dict[str, list[Model]],
    trainings: Sequence[OwnTraining],
    all_runs: Sequence[cache.Run],
) -> None:
    with place.popover("Export", width="content"):
        st.caption("Every figure at full length")
        downloads.tables(
            VIEWS[view], lambda: export.models_table(view, groups, trainings), "models", "Table"
        )
        if trainings:
            runs = [run for each in trainings for run in each.runs]
            downloads.tables("runs", lambda: export.runs_table(runs), "models_runs", "Runs")
            pairs = partial(against_plain, trainings, trainings, all_runs)
            downloads.tables("pairs", lambda: against_data(pairs()), "models_pairs", "Pairs")


def _picked(key: str) -> Callable[[], None]:
    return lambda: controls.choose(str(st.session_state[key].get("picked", "")))
