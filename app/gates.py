"""What the gates of a run say of its images, and the pages' words on gates that say little."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from app import cache
from app.bounded import BoundedCache
from drnn_core.analysis.gate_logits import FLAT, GateLogits, chance_counts, gate_logits
from drnn_core.analysis.loops import gate_matrix
from drnn_core.analysis.sampling import spread_sample
from drnn_core.inference.facts import NetworkFacts

_KEPT = 256
LOOKED_AT = 5_000  # records; shares and deviations need no more


@dataclass(frozen=True)
class Said:
    """What gates said, over at most ``LOOKED_AT`` records at even distances.

    Attributes:
        gates: each at the first loop that it is asked about.
        chances: ``analysis.gate_logits.chance_counts``.
        images: that were looked at.
    """

    gates: tuple[GateLogits, ...]
    chances: pd.DataFrame
    images: int


_said: BoundedCache[tuple[str, str], Said] = BoundedCache(_KEPT, lambda _: 1)


def said_by_gates(run: cache.Run, table: cache.Table, facts: NetworkFacts) -> Said:
    """Of a run with records."""
    return _said.get_or_make((str(run.folder), table.stamp), lambda: _look(table, facts))


def _look(table: cache.Table, facts: NetworkFacts) -> Said:
    rows = spread_sample(table.records.overall().n, LOOKED_AT)
    probs = gate_matrix(table.records.at(rows, ["gate_prob"]))
    gates = tuple(gate_logits(probs, facts.layout, first_only=True))
    return Said(gates, chance_counts(probs, facts.layout), len(rows))


def show_doubtful_gates(run: cache.Run, table: cache.Table, facts: NetworkFacts) -> None:
    """Sentences under the chart of blocks, where there are such gates; else nothing."""
    gates = said_by_gates(run, table, facts).gates
    for text in (flat_in_words(gates), lumped_in_words(gates)):
        if text:
            st.caption(text)


def show_doubt_about_loops(run: cache.Run, table: cache.Table, facts: NetworkFacts) -> None:
    """A line on a page that relates loops to images, where gates hardly tell these apart."""
    if not any(facts.asks):
        return
    gates = said_by_gates(run, table, facts).gates
    flat = [gate.block for gate in gates if gate.flat]
    lumped = [gate.block for gate in gates if gate.lumped]
    parts: list[str] = []
    if flat:
        parts.append(f"{_gates_of(flat)} hardly tell{_s(flat)} images apart")
    if lumped:
        parts.append(f"{_gates_of(lumped)} give{_s(lumped)} many images one and the same logit")
    if parts:
        st.caption(
            f"{'; '.join(parts)}: read what loops go with carefully. Distribution says more, under "
            "Per block."
        )


def flat_in_words(gates: Sequence[GateLogits]) -> str:
    """What to make of gates that are flat; "" of none."""
    flat = [gate for gate in gates if gate.flat]
    if not flat:
        return ""
    most = max(gate.std for gate in flat)
    one = len(flat) == 1
    return (
        f"{_gates_of([gate.block for gate in flat])} hardly tell{'s' if one else ''} images apart: "
        f"{'its' if one else 'their'} logits have a standard deviation of "
        f"{'' if one else 'at most '}{most:.2g} over the images (below {FLAT:g} counts as flat). "
        f"{'Its' if one else 'Their'} rate comes from a threshold laid among nearly equal logits, "
        f"so which images run {'its' if one else 'their'} loops says little of them."
    )


def lumped_in_words(gates: Sequence[GateLogits]) -> str:
    """What to make of gates that give many images one logit; "" of none."""
    lumped = [gate for gate in gates if gate.lumped]
    if not lumped:
        return ""
    shares = ", ".join(
        f"{gate.block} {100 * gate.alike:.0f} %, which all "
        f"{'run' if gate.alike_chance > 0.5 else 'leave'}"
        for gate in lumped
    )
    blocks = [gate.block for gate in lumped]
    tell = "it tells" if len(lumped) == 1 else "they tell"
    return (
        f"{_gates_of(blocks)} give{_s(blocks)} many images one and the same logit ({shares}), as "
        f"where all hidden units are off and the bias is left: {tell} only the others from these."
    )


def _gates_of(blocks: Sequence[str]) -> str:
    return f"The gate{'' if len(blocks) == 1 else 's'} of {', '.join(blocks)}"


def _s(blocks: Sequence[str]) -> str:
    return "s" if len(blocks) == 1 else ""
