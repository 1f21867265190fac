"""What is shown of the runs: widgets whose values stand in the address.

Each key is also the name in the address; a control at its default is not in it. Values that are
not known are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import streamlit as st

from app.gallery.own import OwnOrder
from app.sliders import follow_ends
from drnn_core.analysis.pair_selection import Outcome, PairOrder, PairSelection

PAIR, PICK, ORDER = "pair", "pick", "pick_order"
LOOPS_A, LOOPS_B, LOOPS_AXIS, COST = "loops_a", "loops_b", "loops_axis", "cost"

_Param = Literal["query-params"]
_BIND: _Param = "query-params"

Axis = Literal["loops", "share of the most loops"]
Cost = Literal["multiply-adds", "parameters"]

# What the gallery shows; {a} and {b} are letters.
DIFFERENT, ANY = "answers differ", "all images"
_PICKS: dict[str, tuple[tuple[Outcome, ...], bool | None]] = {
    DIFFERENT: (("only a", "only b", "other wrong"), None),
    "only {a} right": (("only a",), None),
    "only {b} right": (("only b",), None),
    "both wrong, differently": (("other wrong",), None),
    "both wrong, the same": (("same wrong",), None),
    "both right": (("both right",), None),
    "loops differ": ((), True),
    ANY: ((), None),
}
_ORDERS: dict[str, PairOrder] = {
    "{b} surest first": "b surest",
    "{a} surest first": "a surest",
    "largest change of loops": "change down",
    "{b} loops more": "b loops more",
    "{a} loops more": "a loops more",
    "by class": "class",
    "as in the set": "index",
}


def axis_control() -> Axis:
    """The scale of the loops, where networks have other numbers of them."""
    options: list[Axis] = ["loops", "share of the most loops"]
    return _switch("Axis", options, LOOPS_AXIS, "Networks differ in the most loops that they have.")


def cost_control() -> Cost:
    """What an answer costs."""
    options: list[Cost] = ["multiply-adds", "parameters"]
    return _switch("Cost", options, COST, "What the error is set against.")


def _switch(label: str, options: list[Any], key: str, meaning: str) -> Any:
    if st.session_state.get(key, options[0]) not in options:
        st.session_state[key] = options[0]
    return st.segmented_control(
        label,
        options,
        default=options[0],
        key=key,
        bind=_BIND,
        required=True,
        help=meaning,
        label_visibility="collapsed",
    )


def pair_control(pairs: Sequence[str]) -> str:
    """The choice of the pair, "A and B"; not drawn where there is one only."""
    if st.session_state.get(PAIR, pairs[0]) not in pairs:
        st.session_state[PAIR] = pairs[0]
    if len(pairs) == 1:
        return pairs[0]
    return _switch("Pair", list(pairs), PAIR, "The two runs that are compared image by image.")


def pick_controls(
    letters: tuple[str, str], loops: tuple[int, int], orders: bool, own: Mapping[str, OwnOrder]
) -> tuple[PairSelection, PairOrder | OwnOrder]:
    """Which images of a pair are shown, and in which order.

    Args:
        letters: of the pair.
        loops: the most loops of either; 0 where all images loop alike.
        orders: images can be put in order by their loops.
        own: orders by the user's columns, by name.
    """
    picks = {_named(text, letters): what for text, what in _PICKS.items()}
    if not any(loops):
        del picks["loops differ"]
    by: dict[str, PairOrder | OwnOrder] = {
        _named(text, letters): order
        for text, order in _ORDERS.items()
        if orders or "loop" not in text
    }
    by |= own
    pick = _box("Images", list(picks), PICK)
    order = _box("Order", list(by), ORDER)
    limits = [
        _loops_range(letter, key, most)
        for letter, key, most in zip(letters, (LOOPS_A, LOOPS_B), loops, strict=True)
    ]
    outcomes, differ = picks[pick]
    return PairSelection(outcomes, limits[0], limits[1], differ), by[order]


def _box(label: str, options: Sequence[str], key: str) -> str:
    if st.session_state.get(key, options[0]) not in options:
        st.session_state[key] = options[0]
    return st.selectbox(label, options, key=key, bind=_BIND, width=220)


def _loops_range(letter: str, key: str, most: int) -> tuple[int, int] | None:
    if not most:
        return None
    follow_ends(key, (0, most))
    low, high = st.slider(
        f"Loops of {letter}",
        0,
        most,
        (0, most),
        key=key,
        bind=_BIND,
        width=200,
        help=f"Executed loops of an image in run {letter}, summed over its recursive blocks.",
    )
    return None if (low, high) == (0, most) else (low, high)


def _named(text: str, letters: tuple[str, str]) -> str:
    return text.format(a=letters[0], b=letters[1])


def pick_text(outcomes: tuple[Outcome, ...], letters: tuple[str, str]) -> str:
    """The choice under "Images" that shows these outcomes."""
    found = next(text for text, what in _PICKS.items() if what == (outcomes, None))
    return _named(found, letters)


def toggle_pick(pick: str) -> None:
    """Show the images of a cell, or those of which the answers differ again; in a callback."""
    shown = st.session_state.get(PICK) == pick
    st.session_state[PICK] = DIFFERENT if shown else pick


def toggle_cell(a: tuple[int, int], b: tuple[int, int], most: tuple[int, int]) -> None:
    """Show the images of a cell of loops against loops, or all again; in a callback."""
    state = st.session_state
    shown = (tuple(state.get(LOOPS_A, ())), tuple(state.get(LOOPS_B, ()))) == (a, b)
    state[LOOPS_A] = (0, most[0]) if shown else a
    state[LOOPS_B] = (0, most[1]) if shown else b
    state[PICK] = DIFFERENT if shown else ANY


def clear(most: tuple[int, int]) -> None:
    """Back to the images of which the answers differ; a callback."""
    state = st.session_state
    state[PICK] = DIFFERENT
    for key, loops in ((LOOPS_A, most[0]), (LOOPS_B, most[1])):
        if key in state:
            state[key] = (0, loops)


def on_point(act: Callable[[Mapping[str, Any]], None], key: str) -> Callable[[], None]:
    """A callback for ``st.plotly_chart``'s ``on_select``: ``act`` on the clicked point, if any."""

    def chosen() -> None:
        points: list[Mapping[str, Any]] = st.session_state[key]["selection"]["points"]
        if points and points[0].get("customdata") is not None:
            act(points[0])

    return chosen
