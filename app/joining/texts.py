"""The page's words: what a table is to look like, what was matched, what the figures say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app import cache
from app.columns import Brought
from app.inspection.pictures import short_name
from app.joining.intake import Joined, plain
from app.joining.subject import View
from app.numbers import between, figure, how_sure, number, p_value
from drnn_core.analysis.outside import OutsideColumn
from drnn_core.analysis.relations import Relation
from drnn_core.analysis.reliability import Reliability

_SHOWN_IDS = 2


def heading(run: cache.Run) -> None:
    """Title of the page and what it is of."""
    assert run.info is not None
    st.title("Your columns", anchor=False)
    st.caption(f"{run.info.title}, trained on {run.info.dataset}")


def lead() -> None:
    """What the page is about."""
    st.markdown(
        "Numbers of your own for the images, such as human uncertainty, label errors or "
        "difficulty, beside the loops.",
        help=(
            "The table stays on this machine, in this session of yours: nobody else sees it, and "
            "it is gone when you close the page, unless you keep it in the run. Meanwhile its "
            "columns stand on other pages too: they filter the images of Distribution, put them "
            "and those of Compare in order, stand beside a recorded image in Inspect, and are "
            "compared and related on Easy & hard and on Saliency & loops."
        ),
    )


def what_to_drop(table: cache.Table) -> None:
    """What a table is to look like."""
    ids = ", ".join(repr(each) for each in table.frame["id"].iloc[:_SHOWN_IDS])
    st.caption(
        f"A CSV or Parquet file with a column `id` ({ids}, …) or `index` (0, 1, … in the order of "
        "the test set), each image once, and columns of numbers. At most 20 MB and 30 columns."
    )


def matched(joined: Brought) -> None:
    """What of a table was of use."""
    if not isinstance(joined, Joined):
        st.caption(f"{joined.source}: {', '.join(joined.values)}")
        return
    with st.container(horizontal=True, key="key_figures"):
        figure(
            "Images matched", f"{joined.matched:,}",
            f"Rows of {joined.source} whose {joined.key} is that of a recorded image; of "
            f"{joined.rows:,} rows.",
        )  # fmt: skip
        figure(
            "Rows without an image", f"{joined.unmatched:,}",
            f"Rows whose {joined.key} no record has; they are left out.",
        )  # fmt: skip
        figure(
            "Images without a row", f"{joined.missing:,}",
            "Records of which the table says nothing; they are left out of every figure below.",
        )  # fmt: skip
        figure("Columns", str(len(joined.values)), f"Of numbers: {', '.join(joined.values)}.")
    notes: list[str] = []
    if joined.examples:
        more = ", …" if joined.unmatched > len(joined.examples) else ""
        notes.append(f"Rows without an image: {', '.join(joined.examples)}{more}.")
    if joined.ignored:
        notes.append(f"Without numbers, and ignored: {', '.join(joined.ignored)}.")
    if joined.renamed:
        notes.append(
            f"Shown under another name: {', '.join(joined.renamed)}; signs that could be markup "
            "are _ here, and a name that the run has already gets an addition."
        )
    for note in notes:
        st.caption(note)


def of_other_images(name: str) -> None:
    """For a table in the box that was joined to a run of other images."""
    st.caption(
        f"The table {plain(short_name(name))} was joined to a run of other images. Drop it again "
        "to join it to this one."
    )


def elsewhere(sampled: bool) -> None:
    """Where else the columns are now; of a sample of the records they order and filter nothing."""
    orders = (
        ""
        if sampled
        else "as orders of the images on Distribution and Compare, as filters on Distribution, "
    )
    st.caption(
        f"For this session they stand on other pages, too: {orders}beside a recorded image in "
        "Inspect, and among the columns of Easy & hard and of Saliency & loops."
    )


def relations_title(found: Sequence[OutsideColumn], resamples: int) -> None:
    """Heading of the figure of relations."""
    n = max((one.loops.n for one in found), default=0)
    st.subheader(
        "What they go with",
        anchor=False,
        help=(
            "Spearman's rank correlation ρ of each column with the loops: over all images; within "
            "classes (mean of the classes' correlations, weighted by their images); and given the "
            "confidence (partial: what is left once the confidence is known). Beside them ρ of "
            "the column with confidence and with entropy. 95 % bootstrap intervals over images "
            f"({resamples} resamples), not corrected for how many relations are looked at; "
            f"n up to {n:,} images."
        ),
    )


def relations_table(found: Sequence[OutsideColumn]) -> None:
    """Every relation in figures, with its p."""
    corrected = not all(math.isnan(one.corrected) for one in found)
    rows: list[dict[str, Any]] = []
    for one in found:
        row = {
            "column": one.name,
            "images": one.loops.n,
            "loops": _shown(one.loops),
            "p": p_value(one.loops.p).removeprefix("p ").removeprefix("= "),
            "within classes": _shown(one.loops_within_class),
            "given confidence": _shown(one.loops_given_confidence),
        }
        if corrected:
            row["corrected"] = number(one.corrected, "+.2f")
        rows.append({**row, "confidence": _shown(one.confidence), "entropy": _shown(one.entropy)})
    column = st.column_config
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        width="stretch",
        column_config={
            "images": column.NumberColumn(format="localized", help="That have both."),
            "loops": column.Column(help="Spearman's ρ with the loops, 95 % interval."),
            "p": column.Column(help="Of no relation with the loops, two-sided."),
            "corrected": column.Column(
                help="ρ with the loops over the root of the product of both reliabilities."
            ),
            "confidence": column.Column(help="Spearman's ρ with the confidence."),
            "entropy": column.Column(help="Spearman's ρ with the entropy."),
        },
    )


def finding(one: OutsideColumn) -> None:
    """The chosen column in a sentence."""
    found = one.loops
    if math.isnan(found.rho):
        st.caption(
            f"{one.name}: nothing to relate in {found.n:,} images: too few, or all the same."
        )
        return
    interval = f"ρ {number(found.rho, '+.2f')}, {how_sure(found, '+.2f')}, {p_value(found.p)}"
    if found.low <= 0 <= found.high:
        text = f"Loops do not go with {one.name} for certain: {interval}."
    else:
        word = "rise" if found.rho > 0 else "fall"
        text = f"Loops {word} with {one.name}: {interval}."
    given = one.loops_given_confidence
    text += f" Given the confidence, {number(given.rho, '+.2f')} ({_interval(given)})."
    st.markdown(text)


def binned_title() -> None:
    """Heading of the figure of one column."""
    st.subheader(
        "Loops along a column",
        anchor=False,
        help=(
            "Mean loops of ten parts of about as many images, by rising value of the column, side "
            "by side whatever the distance of their values; below each its mean value. A column "
            "of few values has a part for each. 95 % bootstrap intervals over a part's images."
        ),
    )


def reliability_help(found: Reliability | None, asked: bool) -> str:
    """What reliability is, and what the run knows of that of its loops, if asked."""
    text = (
        "How much of a measure is not chance, from 0 to 1: for ratings, the correlation between "
        "two halves of the raters, stepped up. A correlation cannot exceed the root of the "
        "product of both; corrected values say what it would be without chance."
    )
    if not asked:
        return text
    if found is None:
        return f"{text} This run has no two blocks whose loops differ: there are no halves."
    whole = found.whole
    if math.isnan(whole.value):
        return (
            f"{text} From the halves of this run's blocks the loops have none: images that loop "
            "more in some blocks loop less in others."
        )
    return f"{text} From the halves of this run's blocks: {number(whole.value)}, {how_sure(whole)}."


def one_path(view: View) -> None:
    """For a run whose images do not differ in their loops."""
    if view.table.frame["loops"].nunique() < 2:
        st.info(
            "All images of this run take the same loops, so nothing can go with them; the figures "
            "below are of confidence and entropy. Choose a run with gates in the sidebar."
        )


def _shown(found: Relation) -> str:
    if math.isnan(found.rho):
        return "–"
    return f"{number(found.rho, '+.2f')} ({_interval(found)})"


def _interval(found: Relation) -> str:
    return between(found.low, found.high, "+.2f")
