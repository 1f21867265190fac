"""The page's choices, whose values stand in the address bar.

Each key is also the name in the address; a control at its default is not in it. Values that a run
does not know are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, cast

import streamlit as st

from app import filters
from app.columns import EVIDENCE, names_of
from app.filters import CLASSES
from app.methods import METHOD_TITLES
from app.saliency.subject import Choice, View, column_of
from drnn_core.analysis import relation_overview
from drnn_core.analysis.evidence import METHODS, SLOW_METHODS, Method
from drnn_core.analysis.loops import Selection

METHOD, STATISTIC, COLUMN, VIEW = "evidence", "statistic", "column", "over"
HERE, CHECK, CHECKED = "here", "check", "checked"

OTHER = "other"
_FILTERED = "saliency_filtered"
VIEWS: dict[str, relation_overview.View] = {
    "all": "all",
    "within classes": "within",
    "given confidence": "given",
}
_PHRASES = {
    "area": "area of half the evidence",
    "off_centre": "distance of the evidence from the centre",
    "on_object": "share of the evidence on the object",
}
_SAMPLES, _SLOW_SAMPLES = (100, 300, 1000), (50, 100, 200)
_CHECKED, CHECKED_DEFAULT = (8, 16, 32), 16
_Param = Literal["query-params"]
_BIND: _Param = "query-params"


def sidebar(classes: Sequence[str]) -> Selection:
    """Draw the filters and read them."""
    filters.forget_strangers(classes)
    with st.sidebar:
        correct, labels = filters.answer_and_classes(classes)
    return Selection(labels=labels, correct=correct)


def view_box() -> relation_overview.View:
    """Over which images the overview's correlations are."""
    chosen = st.segmented_control(
        "Correlations",
        list(VIEWS),
        default="all",
        required=True,
        key=VIEW,
        bind=_BIND,
        label_visibility="collapsed",
        help=(
            "**all** images together; **within classes**: the mean of the classes' correlations, "
            "weighted by their images, so that classes that loop more make no relation; **given "
            "confidence**: what is left once the confidence is known."
        ),
    )
    return VIEWS[chosen or "all"]


def choice_boxes(view: View) -> Choice:
    """What is set against the loops: two boxes side by side."""
    left, right = st.columns(2)
    methods = [*METHODS, OTHER]
    _forget(METHOD, methods)
    with left:
        method = st.selectbox(
            "Evidence by",
            methods,
            key=METHOD,
            bind=_BIND,
            format_func=lambda each: METHOD_TITLES.get(cast(Method, each), "no evidence: a column"),
            help="The method of attribution, by Captum; or any other number known of the images.",
        )
    with right:
        if method == OTHER:
            return _other(view)
        _forget(STATISTIC, view.statistics)
        statistic = st.selectbox(
            "Statistic",
            view.statistics,
            key=STATISTIC,
            bind=_BIND,
            format_func=lambda each: EVIDENCE[each][0],
            help="\n\n".join(
                f"**{EVIDENCE[each][0]}**: {EVIDENCE[each][1]}" for each in view.statistics
            ),
        )
    return evidence_choice(cast(Method, method), statistic)


def evidence_choice(method: Method, statistic: str) -> Choice:
    """The choice of a statistic of a method's evidence."""
    label, meaning = EVIDENCE[statistic]
    return Choice(
        method,
        statistic,
        column_of(method, statistic),
        f"{METHOD_TITLES[method]}: {label}",
        _PHRASES.get(statistic, f"{label} of the evidence"),
        meaning,
    )


def _other(view: View) -> Choice:
    others = view.others
    names = names_of(others)
    _forget(COLUMN, names)
    chosen = st.selectbox("Column", names, key=COLUMN, bind=_BIND)
    column = others[names.index(chosen)]
    return Choice(None, "", column.name, column.label, column.label, column.meaning)


def choose(method: Method, statistic: str) -> None:
    """Set the boxes; in a callback."""
    st.session_state[METHOD] = method
    st.session_state[STATISTIC] = statistic


def toggle_class(name: str) -> None:
    """Show one class, or all again if it is the one shown already; in a callback."""
    shown = st.session_state.get(CLASSES, [])
    st.session_state[CLASSES] = [] if shown == [name] else [name]
    st.session_state[_FILTERED] = True


def was_filtered() -> bool:
    """Whether a class was chosen in a figure since this was last asked.

    A figure in a fragment draws only the fragment anew, and the filter's box is not in it.
    """
    return bool(st.session_state.pop(_FILTERED, False))


def here_box(method: Method) -> int | None:
    """How many images to measure on the page; None for none."""
    samples = _SLOW_SAMPLES if method in SLOW_METHODS else _SAMPLES
    _forget(HERE, samples)
    return st.segmented_control(
        "Or measure some images now",
        samples,
        key=HERE,
        bind=_BIND,
        format_func=lambda count: f"{count:,} images",
        help=(
            "Taken at even distances from the records, in the background, and kept while the app "
            "runs. Of a network for pictures of 32 pixels, a hundred images take some seconds, by "
            "integrated gradients or occlusion one or two minutes."
        ),
    )


def stop_here() -> None:
    """No longer measure on the page; a callback."""
    st.session_state[HERE] = None


def check_boxes() -> tuple[tuple[Method, ...], int]:
    """Methods to check by random weights, and on how many images."""
    known = [each for each in st.session_state.get(CHECK, []) if each in METHODS]
    if CHECK in st.session_state and known != st.session_state[CHECK]:
        st.session_state[CHECK] = known
    _forget(CHECKED, _CHECKED)
    left, right = st.columns([3, 2])
    chosen = left.pills(
        "Check",
        METHODS,
        selection_mode="multi",
        key=CHECK,
        bind=_BIND,
        format_func=lambda each: METHOD_TITLES[each],
        help=(
            "Runs in the background and is kept while the app runs. Seconds for the first two and "
            "Grad-CAM, one or two minutes for the others, on pictures of 32 pixels."
        ),
    )
    images = right.segmented_control(
        "on",
        _CHECKED,
        default=CHECKED_DEFAULT,
        required=True,
        key=CHECKED,
        bind=_BIND,
        format_func=lambda count: f"{count} images",
        help="Of the run's records, at even distances.",
    )
    return tuple(each for each in METHODS if each in chosen), images or CHECKED_DEFAULT


def stop_checks() -> None:
    """Check no method any more; a callback."""
    st.session_state[CHECK] = []


def on_index(key: str, act: Callable[[int], None]) -> Callable[[], None]:
    """A callback for ``st.plotly_chart``'s ``on_select``: ``act`` on the clicked point's number."""

    def chosen() -> None:
        points = st.session_state[key]["selection"]["points"]
        if points:
            act(int(points[0]["point_index"]))

    return chosen


def _forget(key: str, known: Sequence[object]) -> None:
    if key in st.session_state and st.session_state[key] not in (*known, None):
        del st.session_state[key]
