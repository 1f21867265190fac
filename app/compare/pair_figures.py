"""A pair of runs in key figures: how far the two say the same of the same images."""

from __future__ import annotations

import streamlit as st

from app.numbers import between, figure, how_sure, number, p_value
from drnn_core.analysis.bootstrap import Estimate
from drnn_core.analysis.comparison import Agreement
from drnn_core.analysis.relations import Relation


def pair_figures(found: Agreement, relation: Relation | None, letters: tuple[str, str]) -> None:
    """A pair in numbers."""
    with st.container(horizontal=True, key="compare_pair_figures"):
        figure("Images of both", f"{found.n:,}", "Images that both runs have records of.")
        _share(
            "Same answer",
            "Share of the images that both give the same class, right or wrong",
            found.same,
        )
        figure(
            "Cohen's κ",
            number(found.kappa.value),
            "Agreement beyond what the frequencies of the classes give by chance, over the most "
            f"that it could be: 1 is full agreement, 0 chance; {how_sure(found.kappa)}.",
            between(found.kappa.low, found.kappa.high),
        )
        if relation is None:
            return
        _share(
            "Same loops",
            "Share of the images that execute as many loops in both",
            found.same_loops,
        )
        figure(
            "Loops in both",
            f"ρ = {number(relation.rho)}",
            f"Spearman's rank correlation of an image's loops in {letters[0]} and in {letters[1]}: "
            "1, the same order of the images; 0, no relation. 95 % bootstrap interval "
            f"{between(relation.low, relation.high)}, {p_value(relation.p)}, "
            f"n = {found.n:,} images.",
            between(relation.low, relation.high),
        )


def _share(label: str, meaning: str, found: Estimate) -> None:
    ends = f"{between(100 * found.low, 100 * found.high, '.1f')} %"
    why = f"{meaning}; 95 % interval {ends}, n = {found.n:,} images."
    figure(label, f"{100 * found.value:.1f} %", why, ends)
