"""What is shown: widgets whose values stand in the address.

Each key is also the name in the address; a control at its default is not in it. Opening an address
sets the controls, and values that a run does not know are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import streamlit as st

from app.cache import Run
from app.norms.channels import Look
from app.norms.found import Found, measured

BLOCK, NORM, ORDER, SCALE, GAP, BESIDE = (
    "block", "norm", "channels", "scale", "gap", "beside",
)  # fmt: skip
SAMPLE = "norm_sample"

ALONE = "no other run"
_ORDERS = {"by executed mean": "mean", "by number": "channel"}
_SCALES = {"as they are": "raw", "as the norm makes them": "normalised"}
GAPS = {
    "divergence": "divergence",
    "difference of means": "mean_difference",
    "ratio of variances": "log_variance_ratio",
}
_Param = Literal["query-params"]
_BIND: _Param = "query-params"


def block_control(found: Found) -> str:
    """The choice of the block; by default the last one."""
    blocks = found.blocks
    if st.session_state.get(BLOCK, blocks[-1]) not in blocks:
        st.session_state[BLOCK] = blocks[-1]
    return st.selectbox(
        "Block",
        blocks,
        index=len(blocks) - 1,
        key=BLOCK,
        bind=_BIND,
        width=140,
        help="A recursive block (stage.block). A click on it in the picture chooses it too.",
    )


def choose_block(name: str) -> None:
    """Show this block; in a callback."""
    if name:
        st.session_state[BLOCK] = name


def norm_control(norms: Sequence[str]) -> str:
    """The choice among the norms of the block."""
    if st.session_state.get(NORM, norms[0]) not in norms:
        st.session_state[NORM] = norms[0]
    return st.segmented_control(
        "Norm",
        norms,
        default=norms[0],
        required=True,
        key=NORM,
        bind=_BIND,
        help=(
            "A norm follows each convolution of the block: norm1 the first, and so on. Shown is "
            "what enters it."
        ),
    )


def look_controls() -> Look:
    """Order and scale of the channels."""
    with st.container(horizontal=True, gap="medium"):
        order = st.segmented_control(
            "Channels",
            list(_ORDERS),
            default="by executed mean",
            required=True,
            key=ORDER,
            bind=_BIND,
            help=(
                "By the mean over the executed images, in each loop anew, as a rising curve; or in "
                "the order of their numbers, the same in all loops."
            ),
        )
        scale = st.segmented_control(
            "Scale",
            list(_SCALES),
            default="as they are",
            required=True,
            key=SCALE,
            bind=_BIND,
            help=(
                "As they enter the norm; or as evaluation's norm makes them, before its own scale "
                "and shift: (mean − running mean) / running standard deviation, and variance / "
                "running variance. Executed images should then have mean 0 and variance 1."
            ),
        )
    return Look("channel" if order == "by number" else "mean",
                "raw" if scale == "as they are" else "normalised")  # fmt: skip


def gap_control() -> str:
    """Which discrepancy is drawn over depth; a column of the table."""
    chosen = st.segmented_control(
        "Gap",
        list(GAPS),
        default="divergence",
        required=True,
        key=GAP,
        bind=_BIND,
        label_visibility="collapsed",
    )
    return GAPS[chosen]


def beside_control(runs: Sequence[Run]) -> Run | None:
    """The choice of a second run of the same shape; those with statistics first."""
    ordered = sorted(runs, key=lambda run: (not measured(run), run.name))
    by_name = {run.name: run for run in ordered}
    if st.session_state.get(BESIDE, ALONE) not in (ALONE, *by_name):
        st.session_state[BESIDE] = ALONE
    chosen = st.selectbox(
        "Beside it",
        [ALONE, *by_name],
        key=BESIDE,
        bind=_BIND,
        width=420,
        help="A run whose recursive blocks have the same loops and channels.",
    )
    return by_name.get(chosen)


def on_point(key: str) -> Callable[[], None]:
    """A callback for ``st.plotly_chart``'s ``on_select``: choose the block of the clicked point."""

    def chosen() -> None:
        points: list[Mapping[str, Any]] = st.session_state[key]["selection"]["points"]
        if points and points[0].get("customdata"):
            choose_block(str(points[0]["customdata"][0]))

    return chosen


def picked_elsewhere(block: str) -> bool:
    """Whether a click in a fragment chose another block than the page is drawn for."""
    return st.session_state.get(BLOCK, block) != block
