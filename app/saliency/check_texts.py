"""The words of the check by random weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.methods import METHOD_TITLES
from app.numbers import number
from app.saliency.work import DRAWS
from drnn_core.analysis.evidence import Method
from drnn_core.analysis.saliency_sanity import LIKE, SanityCheck, Verdict

MARKS: dict[Verdict, str] = {
    "depends on the weights": "✓",
    "ignores the weights": "⚑",
    "unclear": "?",
}


def title() -> None:
    """Heading of the sanity check, and why."""
    st.subheader(
        "Do the maps depend on what the network has learned?",
        anchor=False,
        help=(
            "The check of Adebayo et al. (2018): weights are made random, as before training, from "
            "the classifier down to the stem, and the maps are compared with the trained "
            "network's: Spearman's correlation of the pixels' absolute evidence, and structural "
            f"similarity (SSIM). Mean of {DRAWS} draws of random weights and of the images, with "
            "95 % bootstrap intervals over images. The decisions are held at the trained network's."
        ),
    )
    st.caption(
        "A method that draws nearly the same map for random weights shows the picture’s edges, not "
        "the network’s evidence; nothing should be concluded from its statistics. "
        f"A method is flagged (⚑) where ρ stays above {LIKE:g} with all weights random; the limit "
        "is ours."
    )


def alt(found: Mapping[Method, SanityCheck]) -> str:
    """The check's figure in a sentence."""
    parts = [
        f"{METHOD_TITLES[method]} {number(check.levels[-1].rank.value)}"
        for method, check in found.items()
    ]
    return f"rank correlation of maps with all weights random: {', '.join(parts)}"


def verdict_title(check: SanityCheck) -> None:
    """Heading of the verdicts."""
    st.markdown(
        "**With all weights random**",
        help=f"n = {check.levels[-1].rank.n} images with evidence, {check.draws} draws of weights.",
    )


def verdict_columns() -> dict[str, Any]:
    """How the table of verdicts is shown."""
    return {
        "maps": st.column_config.TextColumn("its maps"),
        "ρ": st.column_config.TextColumn(
            "ρ", help="Rank correlation with the trained network's maps, 95 % interval."
        ),
        "SSIM": st.column_config.TextColumn(
            "SSIM", help="Structural similarity to the trained network's maps, 95 % interval."
        ),
        "of other images": st.column_config.TextColumn(
            "ρ of strangers",
            help="Of the trained network's maps of two different images: what maps share anyhow.",
        ),
    }


def figure_title() -> None:
    """Heading of the figure."""
    st.markdown(
        "**How like the trained network’s they stay**",
        help=(
            "From left to right more parts of the network are random, from the output to the "
            f"input. Dotted: the limit of {LIKE:g}, above which a method is flagged."
        ),
    )


def strip_title() -> None:
    """Heading of the maps of one image."""
    st.markdown(
        "**Maps of one image**",
        width="content",
        help="The trained network's, then with more and more random weights (first draw).",
    )
