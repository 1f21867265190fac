"""What is shown: the table, the family and the network, each in the address.

Table and network always stand in it, under names that do not change with our words for them; the
family only where one is chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import streamlit as st

from app.models.tables import VIEWS, View, groups_of, view_of
from drnn_core.recipes import NETWORKS

TABLE, FAMILY, NETWORK = "table", "family", "network"
EVERY = "all"
_BIND: Literal["query-params"] = "query-params"


def table_control(run_network: str | None) -> View:
    """The choice of the table; by default that of the network in the address or of the run."""
    state = st.session_state
    if state.get(TABLE) not in VIEWS:
        named = st.query_params.get(TABLE, "")
        of_network = view_of(st.query_params.get(NETWORK, "")) or view_of(run_network or "")
        state[TABLE] = named if named in VIEWS else of_network or "cifar10"
    chosen: View = state[TABLE]
    views: list[View] = list(VIEWS)
    view: View = st.segmented_control(
        "Table",
        views,
        default=chosen,
        key=TABLE,
        format_func=lambda each: VIEWS[each],
        required=True,
        wrap=True,
        help="Each table has a data set of its own; results on different sets are not compared.",
    )
    st.query_params[TABLE] = view
    return view


def family_control(view: View) -> dict[str, tuple[str, ...]]:
    """The choice of a plain network and what stands beside it; the groups that are left."""
    groups = groups_of(view)
    options = [EVERY, *groups]
    if st.session_state.get(FAMILY, EVERY) not in options:
        st.session_state[FAMILY] = EVERY
    chosen = st.selectbox(
        "Beside" if view != "ablation" else "On",
        options,
        key=FAMILY,
        bind=_BIND,
        width=240,
        help="A plain network and the networks that the paper compares with it.",
    )
    return groups if chosen == EVERY else {chosen: groups[chosen]}


def network_control(names: Sequence[str], run_network: str | None) -> str:
    """The choice of the network that is drawn, among those shown."""
    state = st.session_state
    if state.get(NETWORK) not in names:
        wanted = (state.get(NETWORK), st.query_params.get(NETWORK), run_network, _best(names))
        state[NETWORK] = next(name for name in wanted if name in names)
    chosen: str = st.selectbox(
        "Network",
        names,
        index=names.index(state[NETWORK]),
        key=NETWORK,
        format_func=lambda name: NETWORKS[name].title,
        width=320,
        help="Drawn below. A click on a point or on a row of the table chooses it too.",
    )
    st.query_params[NETWORK] = chosen
    return chosen


def _best(names: Sequence[str]) -> str:
    """The last recursive network shown, which is what the paper is about; else the first."""
    gated = [name for name in names if NETWORKS[name].target and max(NETWORKS[name].loops) > 1]
    return gated[-1] if gated else names[0]


def choose(name: str) -> None:
    """Draw this network; in a callback."""
    if name in NETWORKS:
        st.session_state[NETWORK] = name


def on_point(key: str) -> Callable[[], None]:
    """A callback for ``st.plotly_chart``'s ``on_select``: the clicked point's network."""

    def chosen() -> None:
        points: list[Mapping[str, Any]] = st.session_state[key]["selection"]["points"]
        if points and points[0].get("customdata"):
            choose(str(points[0]["customdata"][0]))

    return chosen
