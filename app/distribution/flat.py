"""Gates that hold their rate without telling images apart, and what the page says of them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app import cache
from app.bounded import BoundedCache
from drnn_core.analysis.gate_logits import FLAT, GateLogits, gate_logits
from drnn_core.analysis.loops import gate_matrix
from drnn_core.analysis.sampling import spread_sample
from drnn_core.inference.facts import NetworkFacts

_KEPT = 256
_LOOKED_AT = 5_000  # records; a standard deviation needs no more
_found: BoundedCache[tuple[str, str], list[GateLogits]] = BoundedCache(_KEPT, lambda _: 1)


def show_flat_gates(run: cache.Run, table: cache.Table, facts: NetworkFacts) -> None:
    """A sentence under the chart of blocks, where there is such a gate; else nothing."""
    gates = _found.get_or_make((str(run.folder), table.stamp), lambda: _flat(table, facts))
    if gates:
        st.caption(in_words(gates))


def in_words(gates: Sequence[GateLogits]) -> str:
    """What to make of gates that are flat."""
    names = ", ".join(gate.block for gate in gates)
    most = max(gate.std for gate in gates)
    one = len(gates) == 1
    return (
        f"The gate{'' if one else 's'} of {names} hardly tell{'s' if one else ''} images apart: "
        f"{'its' if one else 'their'} logits have a standard deviation of "
        f"{'' if one else 'at most '}{most:.2g} over the images (below {FLAT:g} counts as flat). "
        f"{'Its' if one else 'Their'} rate comes from a threshold laid among nearly equal logits, "
        f"so which images run {'its' if one else 'their'} loops says little of them."
    )


def _flat(table: cache.Table, facts: NetworkFacts) -> list[GateLogits]:
    rows = spread_sample(table.records.overall().n, _LOOKED_AT)
    probs = gate_matrix(table.records.at(rows, ["gate_prob"]))
    return [gate for gate in gate_logits(probs, facts.layout, first_only=True) if gate.flat]
