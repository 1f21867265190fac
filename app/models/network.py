"""The chosen network: its figures, and its blocks and loops as a picture."""

from __future__ import annotations

import streamlit as st

from app import cache, charts
from app.inspection.components import drawing
from app.inspection.path import network_structure
from app.models import words
from app.models.cells import epochs_text
from app.models.notes import MEASURED, notes_on
from app.models.ours import OwnTraining
from app.models.tables import Model, counts_right
from app.pathpicture import legend, path_html
from app.units import macs_text, params_text


def show_network(model: Model, counterpart: Model | None, run: OwnTraining | None) -> None:
    """The section below the choice."""
    _figures(model, run)
    sentences = [words.described(model)]
    if counterpart is not None:
        sentences.append(words.compared(model, counterpart))
    shape = cache.shape_of(model.name)
    implied = ""
    if model.paper.flops is not None:
        implied = words.implied(model, shape.cost.rate_that_costs(model.paper.flops * 1e9))
    st.markdown(" ".join(filter(None, [*sentences, implied])))
    path, colours = network_structure(shape), charts.palette()
    drawing(path_html(path, colours) + legend(path, colours), "models_network")
    for note in notes_on(model.name):
        if note is not MEASURED or not implied:
            st.caption(note.text)
    if run is None:
        st.caption(words.untrained(model))


def _figures(model: Model, run: OwnTraining | None) -> None:
    paper, recipe = model.paper, model.recipe
    with st.container(horizontal=True, key="key_figures"):
        printed = "" if paper.params is None else f"; printed {paper.params:g} M"
        _figure(
            "Parameters",
            params_text(model.params),
            f"{model.params:,} that our network allocates; counted as the paper counts "
            f"{params_text(model.params_as_paper)}{printed}.",
        )
        macs, most = macs_text(model.macs_expected), macs_text(model.macs_max)
        printed = "" if paper.flops is None else f" The paper prints {paper.flops:g} G."
        _figure(
            "Multiply-adds",
            macs if macs == most else f"{macs} of {most}",
            f"Of one image, expected at the target, of the most.{printed}",
        )
        if model.loops_max:
            gated = recipe.target is not None
            _figure(
                "Loops",
                f"{model.loops_expected:.2f} of {model.loops_max}" if gated else model.loops_max,
                "Expected of an image at the target t, of the most: the sum over blocks and loops "
                f"k of t^{'k' if recipe.first_loop == 'gated' else '(k - 1)'}."
                if gated
                else "Of every image.",
            )
        what = "top-1" if counts_right(recipe.dataset) else "error"
        if model.printed is not None:
            _figure(
                f"Printed {what}", f"{model.printed:.2f} %", f"{paper.source}, {recipe.dataset}."
            )
        if run is not None:
            _figure(
                f"Our {what}, {epochs_text(run)}",
                f"{run.accuracy_text} %",
                f"Run {run.name} on {run.data_set}, n = {run.metrics.n:,} test images; ±: "
                "standard deviation over seeds. Fewer epochs than the paper's are no reproduction.",
            )


def _figure(label: str, value: str | int, meaning: str) -> None:
    st.metric(label, value, help=meaning, width="content")
