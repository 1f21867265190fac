"""The page "Budget", from top to bottom: thresholds, what they cost and bring, a run of its own."""

from __future__ import annotations

import streamlit as st

from app import cache, charts, images, runpicker
from app.budget import controls, export, figures, neighbours, running, texts
from app.budget.axes import Axis, Trained
from app.budget.classes import MOST, classes_figure
from app.budget.controls import Setting
from app.budget.points import View, open_view, shown_range
from app.distribution.texts import require_records
from drnn_core.analysis.operating import class_changes
from drnn_core.commands.curves import Point

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
    setting = controls.setting(facts.layout)
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
    trained = _trained(table)
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


def _trained(table: cache.Table) -> Trained:
    frame = table.frame
    return Trained(
        n=len(frame),
        error=100 * float((~frame["correct"].to_numpy()).mean()),
        loops=float(frame["loops"].mean()),
        macs=float(frame["macs"].mean()),
    )


def _curve(view: View, setting: Setting, trained: Trained, point: Point | None, cost: Axis) -> None:
    curve, colours = view.curve(), charts.palette()
    left, right = st.columns([3, 2], gap="large")
    with left:
        texts.tradeoff_title(len(curve))
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
        shown = shown_range((*view.grid, setting.common))
        for name in ("loops", "error"):
            key = f"budget_along_{name}"
            charts.show(
                figures.along_figure(
                    curve, view.limits, shown, setting.single, trained, Axis.of(name), colours
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
