"""The page's controls, whose values stand in the address bar.

Each key is also the name in the address. Blocks follow the common threshold unless they are
chosen to have one of their own, so that 54 blocks need no 54 sliders.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from app.budget import thresholds
from drnn_core.analysis.replay import RECORDED_THRESHOLD
from drnn_core.inference.facts import readable_block
from drnn_core.layout import BlockLayout

THRESHOLD, OWN, COST, SAMPLE = "threshold", "own", "cost", "images"
_AT = "at-"  # and a block's name: the key of its own threshold
_ABREAST = 4
_ALL = "all images"
_SAMPLES = {_ALL: 0, "1,000 images": 1000, "200 images": 200}

Cost = Literal["macs", "loops"]
_COSTS: dict[str, str] = {"macs": "Multiply-adds", "loops": "Loops"}
_Param = Literal["query-params"]
_BIND: _Param = "query-params"


@dataclass(frozen=True)
class Setting:
    """Where the gates stand.

    Attributes:
        common: threshold of all blocks that have none of their own.
        blocks: of each recursive block, in network order.
        gated: which of them have a gate.
    """

    common: float
    blocks: tuple[float, ...]
    gated: tuple[bool, ...]

    @property
    def single(self) -> float | None:
        """The one threshold of all gates; None where they differ."""
        found = {value for value, gate in zip(self.blocks, self.gated, strict=True) if gate}
        return found.pop() if len(found) == 1 else None

    @property
    def trained(self) -> bool:
        """Whether the gates stand where they stood in training."""
        return self.single == RECORDED_THRESHOLD


def setting(layout: Sequence[BlockLayout], stops: Sequence[float]) -> Setting:
    """Draw the sliders and read them.

    Args:
        layout: of the network.
        stops: thresholds that a slider stops at.
    """
    names = [block.name for block in layout if block.gated]
    state = st.session_state
    if OWN in state:
        state[OWN] = [name for name in state[OWN] if name in names]
    common = thresholds.slider(
        "Threshold of all gates",
        stops,
        RECORDED_THRESHOLD,
        THRESHOLD,
        "A gate opens where its probability is above this: always at 0, never at 1. In training "
        "it is 0.5. The weights stay as they are. From one stop to the next about as many "
        "recorded decisions change, so stops stand close where probabilities do.",
    )
    own = _own_thresholds(names, common, stops)
    blocks = tuple(own.get(block.name, common) for block in layout)
    return Setting(common, blocks, tuple(block.gated for block in layout))


def _own_thresholds(
    names: Sequence[str], common: float, stops: Sequence[float]
) -> dict[str, float]:
    # in the first run of an address its values are not in the state yet
    count = len(st.session_state.get(OWN, st.query_params.get_all(OWN)))
    title = "Blocks with a threshold of their own" + (f" ({count})" if count else "")
    with st.expander(title, expanded=bool(count)):
        chosen = st.multiselect(
            "Blocks",
            names,
            key=OWN,
            bind=_BIND,
            placeholder="none: all follow the slider above; type to search",
            help="As stage.block. Each chosen one gets a slider; the others follow the common one.",
        )
        with st.container(horizontal=True):
            for stage in _stages(names) if len(names) > 1 else []:
                there = [name for name in names if name.partition(".")[0] == stage]
                st.button(
                    f"Add stage {stage}", on_click=_add, args=(there,), type="tertiary",
                    key=f"budget_add_{stage}",
                )  # fmt: skip
            if chosen:
                st.button("Let all follow again", on_click=_forget, type="tertiary")
        own: dict[str, float] = {}
        for first in range(0, len(chosen), _ABREAST):
            row = chosen[first : first + _ABREAST]
            for column, name in zip(st.columns(_ABREAST, gap="large"), row, strict=False):
                with column:
                    label, key = readable_block(name), f"{_AT}{name}"
                    own[name] = thresholds.slider(label, stops, common, key)
        return own


def cost_box() -> Cost:
    """What stands below the curve."""
    chosen = st.segmented_control(
        "Cost",
        list(_COSTS),
        default="macs",
        required=True,
        key=COST,
        bind=_BIND,
        format_func=lambda name: _COSTS[name],
        label_visibility="collapsed",
        width="content",
        help="What the curve is drawn over.",
    )
    return "loops" if chosen == "loops" else "macs"


def sample_box(count: int) -> int:
    """How many images pass through the network."""
    offered = [name for name, images in _SAMPLES.items() if images < count]
    if st.session_state.get(SAMPLE, _ALL) not in offered:
        st.session_state[SAMPLE] = _ALL
    chosen = st.selectbox(
        "Images",
        offered,
        key=SAMPLE,
        bind=_BIND,
        label_visibility="collapsed",
        width=152,
        help="How many test images a run anew looks at, taken at even distances.",
    )
    return _SAMPLES[chosen] or count


def choose(threshold: float) -> None:
    """Move all gates to a point of the curve; in a callback."""
    st.session_state[THRESHOLD] = threshold
    _forget()


def on_point(key: str) -> Callable[[], None]:
    """A callback for a figure whose marks name their threshold first."""

    def chosen() -> None:
        points: list[dict[str, Any]] = st.session_state[key]["selection"]["points"]
        facts = points[0].get("customdata") if points else None
        if facts and facts[0] is not None:
            choose(float(facts[0]))

    return chosen


def _add(names: Sequence[str]) -> None:
    state = st.session_state
    state[OWN] = [*state.get(OWN, []), *(name for name in names if name not in state.get(OWN, []))]


def _forget() -> None:
    st.session_state[OWN] = []


def _stages(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(name.partition(".")[0] for name in names))
