"""The Inspect page: one image all the way through."""

from __future__ import annotations

import streamlit as st

from app import cache, charts, columns
from app.inspection import intake, parts
from app.inspection.choice import chosen_picture
from app.inspection.components import drawing, small_uri
from app.inspection.evidence import show_evidence
from app.inspection.path import NetworkPath
from app.inspection.pictures import Picture
from app.inspection.predictions import open_network, path_of, prediction_of
from app.inspection.sources import samples
from app.inspection.standing import show_decisions, show_standing
from app.lab.answers import Subject
from app.lab.section import show_lab
from app.markdown import escaped
from app.pathpicture import legend, path_html
from drnn_core.data.samples import SamplesError
from drnn_core.inference.prediction import Prediction
from drnn_core.inference.predictor import Predictor

VIEW = "view"
_AS_IT_IS, _LAB = "As it is", "Counterfactual lab"


def show(run: cache.Run) -> None:
    """Draw the page for a run that can be opened."""
    parts.style(charts.palette())
    st.title("Inspect", anchor=False)
    predictor = open_network(run)
    shipped, missing = _samples()
    left, right = st.columns([5, 6], gap="large")
    with left:
        intake.show_uploader(run, predictor)
    picture, problem = chosen_picture(run, shipped, intake.inbox())
    with right:
        if shipped:
            intake.show_samples(run, shipped, picture)
        if missing:
            st.warning(missing)
    intake.show_refused()
    intake.show_comparison(run, predictor, picture)
    if problem:
        st.warning(escaped(problem))  # it may name what the address holds
    if picture is None:
        st.info("Drop a picture on the field above, or paste one, to look inside the network.")
        return
    _show_picture(run, predictor, picture)


def _samples() -> tuple[dict[str, Picture], str | None]:
    try:
        return samples(), None
    except (SamplesError, OSError) as error:
        return {}, f"The sample pictures cannot be shown: {error}."


def _show_picture(run: cache.Run, predictor: Predictor, picture: Picture) -> None:
    prediction = prediction_of(run, predictor, picture)
    classes = predictor.info.classes
    st.divider()
    st.subheader(escaped(picture.name), anchor=False)
    seen, answer, cost = st.columns([10, 9, 8], gap="large")
    with seen:
        st.html(parts.pair(picture, prediction, predictor.info.preprocessing))
    with answer:
        st.html(parts.verdict(prediction, classes, picture.truth))
        st.html(parts.top_bars(prediction, classes, picture.truth))
    with cost:
        st.html(parts.cost_meters(prediction) + parts.known_factors(picture))
        if picture.index is not None and (own := columns.own_of(run, picture.index)):
            st.html(parts.own_columns(own))
    as_it_is, lab = st.tabs([_AS_IT_IS, _LAB], key=VIEW, bind="query-params")
    if lab.open:
        with lab:
            show_lab(Subject(picture.name, run, predictor, prediction, picture.number))
        return
    with as_it_is:
        _show_as_it_is(run, predictor, picture, prediction)


def _show_as_it_is(
    run: cache.Run, predictor: Predictor, picture: Picture, prediction: Prediction
) -> None:
    path = path_of(predictor, prediction)
    _show_path(path, prediction)
    if any(loop.asked for block in path.recursive for loop in block.loops):
        standing, gates = st.columns(2, gap="large")
        with standing:
            show_standing(run, prediction)
        with gates:
            show_decisions(run, path, predictor.info.metrics.test.gate_rates)
    show_evidence(run, predictor, picture, prediction)


def _show_path(path: NetworkPath, prediction: Prediction) -> None:
    total = f"{prediction.loops} of {prediction.loops_max} loops" if prediction.loops_max else ""
    gates = "There are no gates: every loop runs."
    if any(loop.asked for block in path.recursive for loop in block.loops):
        first = all(block.loops[0].asked for block in path.recursive)
        gates = (
            f"Before every loop{'' if first else ' but the first'} its gate decides; a closed gate "
            "is final."
        )
    st.subheader(
        f"The path it took{': ' if total else ''}{total}",
        anchor=False,
        help=(
            "A recursive block runs the same body up to as many times as it has rings. "
            f"{gates} Point at a part for details."
        ),
    )
    colours = charts.palette()
    picture = path_html(path, colours, small_uri(prediction.seen))
    drawing(picture + legend(path, colours), "inspect_path")
