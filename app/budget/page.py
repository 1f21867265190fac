"""The page "Budget", from top to bottom: thresholds, what they cost and bring, a run of its own."""

from __future__ import annotations

import streamlit as st

from app import cache, charts, images, runpicker
from app.budget import controls, export, figures, neighbours, running, texts, wanted
from app.budget.axes import Axis, Spacing, Trained
from app.budget.classes import MOST, classes_figure
from app.budget.controls import Setting
from app.budget.mixing import ends_of
from app.budget.points import View, open_view, stops_of
from app.distribution.texts import require_records
from drnn_core.analysis.operating import class_changes
from drnn_core.commands.curves import Point
from drnn_core.querying.headline import Headline

_TRADEOFF, _CLASSES = "budget_tradeoff", "budget_classes"


def show() -> None:
    """Draw the page for the chosen run."""
    run = runpicker.require_run()
    texts.heading(run)
    table = require_records(run)
    facts = cache.facts(run)
    if not any(facts.asks):
        texts.no_gates(facts)
        return
    texts.lead()
    sliders_place, wanted_place = st.columns([3, 1], gap="large")
    with sliders_place:
        setting = controls.setting(facts.layout, stops_of(run, table))
    figures_place = st.container()
    with st.container(horizontal=True, vertical_alignment="center"):
        count = controls.sample_box(len(table.frame))
        view = open_view(run, table, facts, count)
        pictures = images.pictures_of(run, table)
        running.panel(view, setting, pictures)
        st.space("stretch")
        cost = Axis.of(controls.cost_box(), facts.cost.macs_max)
    running.progress(view, setting)
    texts.no_pictures(pictures)
    if view.problem:
        st.warning(view.problem)
    point = view.point(setting.blocks)
    trained = _trained(view.headline)
    with wanted_place:
        wanted.panel(view, setting, trained, cost)
    with figures_place:
        texts.key_figures(view, setting, trained, point)
        if point is None:
            neighbours.told(view, setting.single)
    _curve(view, setting, trained, point, cost)
    if point is None or setting.trained:
        export.panel(view, setting, pictures)
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        _who_pays(view, point)
    with right:
        texts.answers(point.found.answers)
        export.panel(view, setting, pictures)


def _trained(known: Headline) -> Trained:
    return Trained(known.error.n, 100 * known.error.value, known.loops.value, known.macs.value)


def _curve(view: View, setting: Setting, trained: Trained, point: Point | None, cost: Axis) -> None:
    curve, colours = view.curve(), charts.palette()
    left, right = st.columns([3, 2], gap="large")
    with left:
        texts.tradeoff_title(len(curve), mixed=ends_of(curve) is not None)
        charts.show(
            figures.tradeoff_figure(
                curve, trained, (point, view.bounds(setting.blocks)), cost, colours
            ),
            f"{view.run.name} budget",
            key=_TRADEOFF,
            data=lambda: figures.figures_table(curve),
            on_select=controls.on_point(_TRADEOFF),
            selection_mode="points",
            alt=figures.tradeoff_alt(curve, trained),
        )
        if not view.stored:
            texts.no_curve(view.run)
    with right:
        texts.along_title()
        spacing = Spacing.of(view.chances, view.stops)
        for name in ("loops", "error"):
            key = f"budget_along_{name}"
            charts.show(
                figures.along_figure(
                    curve, view.limits, spacing, setting.single, trained, Axis.of(name), colours
                ),
                f"{view.run.name} {name} over threshold",
                key=key,
                data=lambda: view.limits,
                on_select=controls.on_point(key),
                selection_mode="points",
                alt=figures.along_alt(name),
            )


def _who_pays(view: View, point: Point) -> None:
    changes = class_changes(point.found.classes, view.classes)
    texts.classes_title(point.found.n)
    charts.show(
        classes_figure(changes, charts.palette()),
        f"{view.run.name} classes that pay",
        key=_CLASSES,
        data=changes,
        alt="change of the error of each class with its interval, the largest rise first",
    )
    if len(changes) > MOST:
        st.caption(f"Both ends of {len(changes):,} classes; **Save** has them all.")
