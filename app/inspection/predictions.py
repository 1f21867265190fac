"""Predictions of a session's pictures, each made once."""

from __future__ import annotations

from collections import OrderedDict

import streamlit as st

from app import cache
from app.inspection.path import NetworkPath, network_path
from app.inspection.pictures import Picture
from app.numbers import percent
from drnn_core.inference.prediction import Prediction
from drnn_core.inference.predictor import Predictor

_KEPT = 2000
_STATE = "inspect_predictions"

_Key = tuple[str, tuple[int, int], str]


def open_network(run: cache.Run) -> Predictor:
    """The run's network, or a page that says what is wrong with it and stops."""
    try:
        with st.spinner("Loading the network…", show_time=True):
            return cache.predictor(run)
    except (ValueError, OSError) as error:
        st.error(
            f"The network of {run.name} cannot be loaded: {error}. `drnn verify {run.folder}` says "
            "what is damaged; choose another run in the sidebar meanwhile."
        )
        st.stop()


def prediction_of(run: cache.Run, predictor: Predictor, picture: Picture) -> Prediction:
    """What the run's network says of a picture."""
    made: OrderedDict[_Key, Prediction] = st.session_state.setdefault(_STATE, OrderedDict())
    key = (run.name, cache.stamp_of(run.folder / "run.json"), picture.key)
    if key not in made:
        side = predictor.info.preprocessing.image_size
        made[key] = predictor.predict(picture.open(side))
        while len(made) > _KEPT:
            made.popitem(last=False)
    return made[key]


def path_of(predictor: Predictor, prediction: Prediction) -> NetworkPath:
    """The way of a picture through the network, with the answer at its end."""
    said, chance = prediction.top[0]
    return network_path(
        predictor.network.stage_layouts,
        prediction.seen.shape[0],
        (said, percent(chance)),
        prediction.asked,
        prediction.ran,
        prediction.prob,
    )
