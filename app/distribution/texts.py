"""The page's words: headings with their definitions, key figures, and what to do when empty."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from app import cache
from app.distribution import controls
from app.distribution.breakdowns import MOST_CLASSES
from app.headlines import headline_of
from app.markdown import escaped
from app.numbers import between, figure, how_sure
from app.onepath import why_one_path
from app.units import macs_text
from drnn_core.analysis.bootstrap import Estimate
from drnn_core.analysis.loops import Selection, Summary
from drnn_core.inference.facts import NetworkFacts


def heading(run: cache.Run) -> None:
    """Title of the page and what it is of."""
    assert run.info is not None
    st.title("Distribution", anchor=False)
    st.caption(f"{run.info.title}, trained on {run.info.dataset}")


def require_records(run: cache.Run) -> cache.Table:
    """The run's records, or a page that says how to get them and stops."""
    if not cache.recorded(run):
        st.info(
            "This run has no records yet: what it did with each image of a test set, one row per "
            "image. This command writes them:"
        )
        st.code(f"drnn records {run.folder} --data D", language=None)
        st.caption("D is the data set it is to be tested on: `generated`, or a folder of images.")
        st.stop()
    try:
        with st.spinner("Reading the records…", show_time=True):
            return cache.table(run)
    except (ValueError, OSError) as error:
        st.error(f"The records cannot be read: {error}")
        st.stop()


def key_figures(run: cache.Run, table: cache.Table, facts: NetworkFacts) -> None:
    """The run in five numbers, over all of its records."""
    found = headline_of(run, table)
    n, error = f"n = {found.error.n:,} images", found.error
    with st.container(horizontal=True, key="key_figures"):
        figure("Images", f"{error.n:,}", f"Records of this run: {table.header.dataset}.")
        ends = f"{between(100 * error.low, 100 * error.high)} %"
        figure(
            "Test error",
            f"{100 * error.value:.2f} %",
            f"Share of images answered wrong; 95 % interval {ends}, {n}.",
            ends,
        )
        if facts.loops_max:
            figure(
                "Mean loops",
                f"{found.loops.value:.2f} ± {found.loops_std:.2f}",
                f"Executed loops per image, mean and standard deviation (n - 1), of at most "
                f"{facts.loops_max}; of the mean: {how_sure(found.loops)}.",
                between(found.loops.low, found.loops.high) if found.loops_std > 0 else None,
            )
            _rate(facts, found.rate)
        _cost(found.macs, facts.cost.macs_max)


def _cost(macs: Estimate, most: int) -> None:
    n, ends = f"n = {macs.n:,} images", ""
    if macs.low < macs.high:  # else every image costs the same
        ends = f"{macs_text(macs.low)} to {macs_text(macs.high)}"
    figure(
        "Mean cost",
        macs_text(macs.value),
        f"Multiply-adds per image, {macs.value / most:.1%} of the most ({macs_text(most)}, every "
        f"loop run); {f'95 % interval {ends}, ' if ends else ''}{n}.",
        ends or None,
    )


def _rate(facts: NetworkFacts, rate: Estimate) -> None:
    if facts.target is None or math.isnan(rate.value):
        return
    figure(
        "Gates open",
        f"{rate.value:.3f}",
        f"Realised opening rate: how often a gate that was asked opened, mean over gates; the "
        f"training aimed at {facts.target:g}. {how_sure(rate, '.3f')}.",
        between(rate.low, rate.high, ".3f"),
    )


def one_path(facts: NetworkFacts) -> None:
    """Instead of the charts of a network without gates."""
    st.info(
        f"This network {why_one_path(facts)}: every image takes the same path, so there is no "
        "distribution to show. Its images can be filtered by class, answer and confidence."
    )


def share_expected(facts: NetworkFacts) -> str:
    """The chance of loop k to run if every gate opens with chance t, as a formula."""
    return "t^k" if facts.asks[0] else "t^(k - 1)"


def histogram_title(
    found: Summary, expected: float | None, facts: NetworkFacts, filtered: bool
) -> None:
    """Heading of the histogram with its definitions."""
    meaning = (
        f"Images by executed loops, summed over all recursive blocks (figure 8 of the paper). "
        f"The line is the mean, the band one standard deviation to either side; "
        f"n = {found.n:,} images."
    )
    if expected is not None:
        meaning += (
            f" The dashed line is the expectation if every gate opened with the target chance "
            f"t = {facts.target:g}: the sum of {share_expected(facts)} over all blocks and loops "
            f"k, {expected:.3f}."
        )
    if filtered:
        meaning += " Grey outline: all records of the run, scaled to the same number of images."
    meaning += " Click a bar to see its images."
    st.subheader("Loops per image", anchor=False, help=meaning)


def histogram_alt(found: Summary, expected: float | None) -> str:
    """The histogram in a sentence."""
    if math.isnan(found.mean):
        return "histogram of loops per image, empty"
    text = f"histogram of loops per image, mean {found.mean:.2f}"
    return text if expected is None else f"{text}, expected at the target {expected:.2f}"


def steps_title(n: int, facts: NetworkFacts) -> None:
    """Heading of the figure of blocks."""
    st.subheader(
        "Per block",
        anchor=False,
        help=(
            f"Share of the selected images that ran each loop of each recursive block; n = {n:,}. "
            "Above a block: its mean loops. The marks are the share of loop k expected at the "
            f"target t: {share_expected(facts)}. Click a bar to see the images that ran the loop."
        ),
    )


def chances_note(images: int) -> None:
    """Under the figure of what gates say."""
    st.caption(
        f"Chance to run, of the images that asked, in steps of .025; darker: more images. Of "
        f"{images:,} records at even distances, unfiltered."
    )


def classes_title(n: int, count: int) -> None:
    """Heading of the figure of classes."""
    st.subheader(
        "Per class",
        anchor=False,
        help=(
            f"Loops of the images of each true class, fewest first: the dot is the mean, the bar "
            f"one standard deviation (n - 1) to either side; n = {n:,} images, all loops. The "
            "dotted line is the mean over all classes. Click a bar to see the class."
            + (
                f" Of {count:,} classes the figure shows both ends, and those that are chosen "
                "under Class in the sidebar."
                if count > MOST_CLASSES
                else ""
            )
        ),
    )
    if count == 0:
        st.caption("No image is left.")


def all_classes(table: pd.DataFrame) -> None:
    """Every class in a table that can be searched and sorted, where the figure shows some."""
    with st.expander(f"All {len(table):,} classes"):
        st.dataframe(
            table[["name", "n", "mean", "std", "error"]],
            hide_index=True,
            width="stretch",
            height=320,
            column_config={
                "name": st.column_config.TextColumn("class", width=138),
                "n": st.column_config.NumberColumn("images", format="localized", width=56),
                "mean": st.column_config.NumberColumn(
                    "loops", format="%.2f", width=52, help="Mean of the class's images."
                ),
                "std": st.column_config.NumberColumn(
                    "±", format="%.2f", width=44, help="Standard deviation (n - 1)."
                ),
                "error": st.column_config.NumberColumn("error", format="%.0f %%", width=52),
            },
        )
        st.caption("The magnifier above the table searches it; a heading sorts by its column.")


def gallery_title(count: int, total: int) -> None:
    """How many images are shown."""
    share = f"{total:,}" if count == total else f"{count:,} of {total:,}"
    st.subheader(f"{share} images", anchor=False, width="content")


def gallery_filters(
    chosen: Selection, classes: Sequence[str], facts: NetworkFacts, more: Sequence[str] = ()
) -> None:
    """Which images those are, and a way back to all; always one line, so that nothing jumps."""
    words = [*controls.in_words(chosen, [escaped(name) for name in classes], facts), *more]
    with st.container(horizontal=True, vertical_alignment="center", height=28, border=False):
        if words:
            st.caption(" · ".join(words), width="content")
            most = (facts.loops_max,)
            if st.button("Show all", on_click=controls.clear, args=most, type="tertiary"):
                st.rerun(scope="app")  # the controls are outside of the gallery's fragment
        elif any(facts.asks):
            st.caption("Click a bar, a block's loop or a class to see its images.")


def nothing_left() -> None:
    """Instead of an empty gallery."""
    st.info("No image meets all of the filters. Widen one, or show all.")
