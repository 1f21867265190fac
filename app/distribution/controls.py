"""The page's filters: widgets in the sidebar whose values stand in the address bar.

Each key is also the name in the address; a control at its default is not in it. Opening an
address sets the controls, and values that a run does not know are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import streamlit as st

from app import ranges
from app.gallery.own import OwnOrder
from app.sliders import follow_ends
from drnn_core.analysis.loops import ORDERS, Order, Selection
from drnn_core.inference.facts import NetworkFacts

LOOPS, CLASSES, ANSWER, CONFIDENCE, STEP, ORDER = "loops", "class", "answer", "conf", "ran", "sort"
BLOCKS = "blocks"

RAN, SAID = "who ran", "what gates say"  # views of the blocks
_ANY = "any"
_EVERY = "all"
_ANSWERS: dict[str, bool | None] = {_EVERY: None, "right": True, "wrong": False}
_ORDER_NAMES: dict[Order, str] = {
    "index": "as in the set",
    "loops up": "fewest loops first",
    "loops down": "most loops first",
    "confidence up": "least confident first",
    "confidence down": "most confident first",
    "loss down": "largest loss first",
    "class": "by class",
}
_FIRST = _ORDER_NAMES["index"]
_NAMED = 4  # classes, in the line above the gallery
_Param = Literal["query-params"]
_BIND: _Param = "query-params"


def sidebar_filters(classes: Sequence[str], facts: NetworkFacts) -> Selection:
    """Draw the filters and read them."""
    _forget_strangers(classes, facts)
    with st.sidebar:
        st.subheader("Filter")
        loops = _loops(facts.loops_max if any(facts.asks) else 0)
        labels = _labels(classes)
        correct = _answer()
        confidence = _confidence()
        step = _step(facts)
    return Selection(loops, labels, correct, confidence, step)


def order_box(own: Mapping[str, OwnOrder]) -> Order | OwnOrder:
    """The choice of the gallery's order, drawn beside it.

    Args:
        own: orders by the user's columns, by name.
    """
    orders: dict[str, Order | OwnOrder] = {_ORDER_NAMES[order]: order for order in ORDERS}
    orders |= own
    if st.session_state.get(ORDER, _FIRST) not in orders:
        st.session_state[ORDER] = _FIRST  # a column that is not there any more
    chosen = st.selectbox(
        "Order", list(orders), key=ORDER, bind=_BIND, label_visibility="collapsed", width=184
    )
    return orders[chosen]


def block_view() -> str:
    """What the figure of blocks is of, ``RAN`` or ``SAID``."""
    chosen = st.segmented_control(
        "Blocks",
        [RAN, SAID],
        default=RAN,
        key=BLOCKS,
        bind=_BIND,
        label_visibility="collapsed",
        required=True,
    )
    return chosen or RAN


def clear(loops_max: int) -> None:
    """Back to everything; a callback.

    Values are set and not forgotten: a forgotten one would come back from the address.
    """
    st.session_state.update(
        {
            LOOPS: (0, loops_max),
            CLASSES: [],
            ANSWER: _EVERY,
            CONFIDENCE: (0, 100),
            STEP: _ANY,
        }
    )
    ranges.clear()


def toggle_loops(value: int, loops_max: int) -> None:
    """Show the images of one bar, or all again if they are shown already; in a callback."""
    shown = tuple(st.session_state.get(LOOPS, ()))
    st.session_state[LOOPS] = (0, loops_max) if shown == (value, value) else (value, value)


def toggle_class(name: str) -> None:
    """Show one class, or all again if it is the one shown already; in a callback."""
    shown = st.session_state.get(CLASSES, [])
    st.session_state[CLASSES] = [] if shown == [name] else [name]


def toggle_step(block: str, loop: int) -> None:
    """Show the images that ran a loop (from 0) of a block, or all again; in a callback."""
    step = step_text(block, loop)
    st.session_state[STEP] = _ANY if st.session_state.get(STEP) == step else step


def step_text(block: str, loop: int) -> str:
    """A step in words, "2.3 loop 1"."""
    return f"{block} loop {loop + 1}"


def in_words(chosen: Selection, classes: Sequence[str], facts: NetworkFacts) -> list[str]:
    """The filters that are set, one phrase each."""
    words: list[str] = []
    if chosen.loops is not None:
        low, high = chosen.loops
        words.append(f"{low} loops" if low == high else f"{low} to {high} loops")
    if chosen.labels:
        names = [classes[label] for label in chosen.labels]
        more = f" or {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        words.append(" or ".join(names[:_NAMED]) + more)
    if chosen.correct is not None:
        words.append("answered right" if chosen.correct else "answered wrong")
    if chosen.confidence is not None:
        low, high = (f"{100 * value:.0f}" for value in chosen.confidence)
        words.append(f"confidence {low} to {high} %")
    if chosen.step is not None:
        block, loop = chosen.step
        words.append(f"ran loop {loop + 1} of {facts.block_names()[block]}")
    return words


def _forget_strangers(classes: Sequence[str], facts: NetworkFacts) -> None:
    """Drop values that the chosen run does not have, such as the classes of the one before."""
    state = st.session_state
    known = [name for name in state.get(CLASSES, []) if name in classes]
    if CLASSES in state and known != state[CLASSES]:
        state[CLASSES] = known
    if state.get(STEP, _ANY) not in _steps(facts):
        state[STEP] = _ANY


def _loops(most: int) -> tuple[int, int] | None:
    if not most:
        return None
    follow_ends(LOOPS, (0, most))
    low, high = st.slider(
        "Loops",
        0,
        most,
        (0, most),
        key=LOOPS,
        bind=_BIND,
        help="Executed loops of an image, summed over all recursive blocks.",
    )
    return None if (low, high) == (0, most) else (low, high)


def _labels(classes: Sequence[str]) -> tuple[int, ...]:
    names = st.multiselect(
        "Class",
        classes,
        key=CLASSES,
        bind=_BIND,
        placeholder="all classes",
        help="The image's true class.",
    )
    return tuple(sorted(classes.index(name) for name in names))


def _answer() -> bool | None:
    chosen = st.segmented_control(
        "Answer",
        list(_ANSWERS),
        default=_EVERY,
        key=ANSWER,
        bind=_BIND,
        help="Whether the predicted class is the true one.",
    )
    return _ANSWERS[chosen or _EVERY]


def _confidence() -> tuple[float, float] | None:
    low, high = st.slider(
        "Confidence",
        0,
        100,
        (0, 100),
        format="%d %%",
        key=CONFIDENCE,
        bind=_BIND,
        help="Softmax probability of the predicted class.",
    )
    return None if (low, high) == (0, 100) else (low / 100, high / 100)


def _step(facts: NetworkFacts) -> tuple[int, int] | None:
    steps = _steps(facts)
    if not any(facts.asks):
        return None
    chosen = st.selectbox(
        "Ran the loop",
        list(steps),
        key=STEP,
        bind=_BIND,
        help="Only images that executed this loop of this block (stage.block).",
    )
    return steps[chosen]


def _steps(facts: NetworkFacts) -> dict[str, tuple[int, int] | None]:
    steps: dict[str, tuple[int, int] | None] = {_ANY: None}
    for place, block in enumerate(facts.layout):
        for loop in range(block.loops):
            steps[step_text(block.name, loop)] = (place, loop)
    return steps


def on_point(act: Callable[[dict[str, Any]], None], key: str) -> Callable[[], None]:
    """A callback for ``st.plotly_chart``'s ``on_select``: ``act`` on the clicked point, if any."""

    def chosen() -> None:
        points = st.session_state[key]["selection"]["points"]
        if points:
            act(points[0])

    return chosen
