"""Which pixels the prediction rests on: the choice of a method, and the overlay."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app import cache
from app.inspection import heat
from app.inspection.components import drawing
from app.inspection.parts import defined
from app.inspection.pictures import Picture
from app.methods import METHOD_MEANINGS, METHOD_TITLES, SIGNED_METHODS
from app.numbers import percent
from drnn_core.analysis.evidence import METHODS, Method, share_on
from drnn_core.analysis.saliency import attribute
from drnn_core.inference.frozen import freeze_prediction
from drnn_core.inference.prediction import Prediction
from drnn_core.inference.predictor import Predictor, one_thread

METHOD, TARGET, STRENGTH = "method", "target", "overlay"
_PREDICTED = "predicted"
_KEPT = 512
_BIND: Literal["query-params"] = "query-params"

_FROZEN = (
    "The gates’ decisions are frozen at this image’s: attribution looks at changed images, which "
    "would meet the gates anew and be answered by another network."
)
_ON_OBJECT = (
    "Share of the evidence's size, summed over the pixels, that falls on pixels of the object. "
    "Evenly spread evidence would have the object's share of the picture."
)
_OBJECT = "Share of the pixels that the network sees that belong to the object."


@st.fragment
def show_evidence(
    run: cache.Run, predictor: Predictor, picture: Picture, prediction: Prediction
) -> None:
    """The section; a fragment, so that its controls redraw nothing else."""
    st.subheader(
        "What the answer rests on",
        anchor=False,
        help="Evidence of each pixel for a class, by Captum.",
    )
    left, right = st.columns([5, 6], gap="large")
    with right:
        method, target, strength = _controls(predictor.info.classes)
        if target is None:
            target = prediction.label
    folder, stamp = run.folder, cache.stamp_of(run.folder / "model.safetensors")
    try:
        with st.spinner("Attributing…", show_time=True):
            evidence = _evidence(folder, stamp, picture.key, target, method, predictor, prediction)
    except (RuntimeError, MemoryError) as error:
        right.error(f"The attribution failed: {error}. Choose another method.")
        return
    mask = picture.mask(predictor.info.preprocessing)
    name = predictor.info.classes[target]
    words = f"{METHOD_TITLES[method]}: evidence of each pixel for {name}"
    with left:
        picture_svg = heat.evidence_svg(prediction.seen, evidence, strength, words, mask)
        drawing(
            f'<div class="ls-evidence">{picture_svg}{heat.scale(method in SIGNED_METHODS)}</div>',
            "inspect_evidence",
        )
    with right:
        _explain(method, evidence, mask)
        if prediction.loops_max:
            st.caption(_FROZEN)


def _controls(classes: tuple[str, ...]) -> tuple[Method, int | None, float]:
    method = st.selectbox(
        "Method", METHODS, key=METHOD, bind=_BIND, format_func=lambda each: METHOD_TITLES[each]
    )
    options = [_PREDICTED, *classes]
    if st.session_state.get(TARGET, _PREDICTED) not in options:
        del st.session_state[TARGET]  # of another run
    target = st.selectbox(
        "Evidence for",
        options,
        key=TARGET,
        bind=_BIND,
        format_func=lambda each: "the predicted class" if each == _PREDICTED else each,
    )
    strength = st.slider("Overlay", 0, 100, 75, step=5, key=STRENGTH, bind=_BIND, format="%d%%")
    chosen = None if target == _PREDICTED else classes.index(target)
    return method, chosen, strength / 100


def _explain(method: Method, evidence: NDArray[np.float32], mask: NDArray[np.bool_] | None) -> None:
    facts: list[tuple[str, str, str]] = []
    if mask is not None and mask.any():
        share = float(share_on(evidence, mask))
        area = float(mask.mean())
        if not np.isnan(share):  # NaN: there is no evidence at all
            facts += [("of the evidence lies on the object", percent(share), _ON_OBJECT)]
            facts += [("of the picture is the object", percent(area), _OBJECT)]
    if not np.any(evidence):
        st.info("This method finds no evidence for this class in this picture.")
    rows = "".join(
        f"<div><dt>{defined(term, why)}</dt><dd>{value}</dd></div>" for term, value, why in facts
    )
    outline = " White outline: the object, as the generator knows it." if mask is not None else ""
    st.html(
        (f'<dl class="ls-shares">{rows}</dl>' if rows else "")
        + f'<p class="ls-note">{METHOD_MEANINGS[method]}{outline}</p>'
    )


@st.cache_data(max_entries=_KEPT, ttl=3600, show_spinner=False)
def _evidence(
    folder: Path,
    stamp: tuple[int, int],
    picture: str,
    target: int,
    method: Method,
    _predictor: Predictor,
    _prediction: Prediction,
) -> NDArray[np.float32]:
    del folder, stamp, picture  # parts of the key only
    with one_thread():
        frozen = freeze_prediction(_predictor, _prediction)
        return attribute(frozen.network, frozen.images, target, method)[0]
