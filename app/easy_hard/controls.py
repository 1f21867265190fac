"""The page's controls, whose values stand in the address bar.

Each key is also the name in the address; a control at its default is not in it. Opening an
address sets the controls, and values that a run does not know are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import streamlit as st

from app.sliders import follow_ends
from drnn_core.analysis.galleries import ByCount, ByLoops, ByQuantile, Rule

RULE, EACH, SHARE, LIMITS = "rule", "each", "share", "limits"
ROWS, OF, COLUMN = "rows", "of", "column"

_EACH_DEFAULT, _SHARE_DEFAULT, _ROWS_DEFAULT = 25, 10, 3
_EACH_MOST, _SHARE_MOST, ROWS_MOST = 1000, 50, 12

_EVERY = "all"
_RULES = ("number", "share", "loops")
_Param = Literal["query-params"]
_BIND: _Param = "query-params"


def rule_controls(loops_max: int, limits: tuple[int, int]) -> Rule | None:
    """What counts as easy and hard, in the sidebar; None where the limits leave nothing between.

    Args:
        loops_max: of the network.
        limits: where the limits in loops begin.
    """
    st.subheader("Easy and hard")
    kind = st.segmented_control(
        "By",
        _RULES,
        default="number",
        required=True,
        key=RULE,
        bind=_BIND,
        width="stretch",
        help=(
            "Easy images loop least in their class, hard ones most. **number**: so many of each "
            "class at either end. **share**: so large a part of each class. Both with all that "
            "loop as often as the last of them, so that no image counts by its place in the "
            "set. **loops**: at most and at least so many, for all classes "
            "alike, as figure 9 of the paper. Images that loop as often at both ends are neither."
        ),
    )
    if kind == "share":
        share = st.slider(
            "Share of each class", 1, _SHARE_MOST, _SHARE_DEFAULT, format="%d %%", key=SHARE,
            bind=_BIND, help="With all images that loop as often as the last of them.",
        )  # fmt: skip
        return ByQuantile(share / 100)
    if kind == "loops":
        follow_ends(LIMITS, (0, loops_max), limits)
        easy, hard = st.slider(
            "Easy up to, hard from", 0, loops_max, limits, key=LIMITS, bind=_BIND,
            help="Executed loops of an image, summed over all recursive blocks.",
        )  # fmt: skip
        return ByLoops(easy, hard) if easy < hard else None
    each = st.number_input(
        "Images of each class", 1, _EACH_MOST, _EACH_DEFAULT, key=EACH, bind=_BIND,
        help="At either end, and at most half of the class; with all images that loop as often as "
        "the last of them.",
    )  # fmt: skip
    return ByCount(int(each), with_ties=True)


def rows_box() -> int:
    """How many easy and hard images of a class are shown, beside the gallery."""
    st.caption("rows", width="content")
    rows = st.number_input(
        "Rows: images shown of each class at either end",
        1,
        ROWS_MOST,
        _ROWS_DEFAULT,
        key=ROWS,
        bind=_BIND,
        label_visibility="collapsed",
        width=118,
    )
    return int(rows)


def of_box() -> str:
    """Whose columns are shown: "all", "pictures" or "network"."""
    chosen = st.segmented_control(
        "Columns of",
        (_EVERY, "pictures", "network"),
        default=_EVERY,
        required=True,
        key=OF,
        bind=_BIND,
        label_visibility="collapsed",
    )
    return chosen or _EVERY


def column_box(names: Sequence[str]) -> int:
    """Which of the columns is shown in full; the first unless another is chosen."""
    if st.session_state.get(COLUMN) not in names:
        st.session_state.pop(COLUMN, None)
    chosen = st.selectbox(
        "Column", list(names), key=COLUMN, bind=_BIND, label_visibility="collapsed"
    )
    return names.index(chosen)


def on_row(key: str, names: Sequence[str]) -> Callable[[], None]:
    """A callback for the forest's ``on_select``: show the column whose row was clicked."""

    def chosen() -> None:
        points = st.session_state[key]["selection"]["points"]
        if points:
            st.session_state[COLUMN] = names[int(points[0]["point_index"])]

    return chosen
