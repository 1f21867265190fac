"""The page's words: definitions, findings as sentences, and what to do when empty."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app import cache, filters
from app.easy_hard.comparison import Compared, View, rule_words
from app.markdown import escaped
from app.numbers import figure, how_sure, number
from app.onepath import why_one_path
from drnn_core.analysis.effects import size_of
from drnn_core.analysis.galleries import ByCount
from drnn_core.analysis.shares import share_of
from drnn_core.inference.facts import NetworkFacts

_NAMED = 3  # differences, in a figure's alternative text
DELTA = (
    "Cliff's δ: over all pairs of a hard and an easy image of the same class, the share in which "
    "the hard one has more, less the share in which it has less; −1 to 1, 0 is no difference. "
    "Classes are averaged with weights nm/(n + m) for n easy and m hard images. In words, by "
    "absolute value: negligible below 0.147, small below 0.33, medium below 0.474, else large "
    "(Romano et al. 2006)."
)


def heading(run: cache.Run) -> None:
    """Title of the page and what it is of."""
    assert run.info is not None
    st.title("Easy & hard", anchor=False)
    st.caption(f"{run.info.title}, trained on {run.info.dataset}")


def sampled(table: cache.Table) -> None:
    """Of which records the page is, where not of all."""
    if table.sampled:
        st.caption(
            f"A sample of {len(table.frame):,} of the {table.header.rows:,} records: the easiest "
            "and the hardest of the sample, not of all."
        )


def one_path(facts: NetworkFacts) -> None:
    """Instead of the page, where no image loops more than another."""
    st.info(
        f"This network {why_one_path(facts)}: no image is easier or harder for it than another. "
        "Choose a run whose loops differ in the sidebar."
    )


def limits_touch() -> None:
    """Where easy and hard are the same number of loops."""
    st.info(
        "Easy ends where hard begins, so nothing tells them apart. Move one of the two limits "
        "under Easy and hard in the sidebar."
    )


def nothing_left(view: View) -> None:
    """Where no class has an easy or a hard image."""
    st.info(
        "No image is easy or hard by this rule and these filters: either none is left, or those "
        "that are left loop equally often. Change the rule, or show all classes and answers."
    )
    if view.labels or view.correct is not None or view.among is not None:
        st.button("Show all", on_click=filters.clear)


def nothing_to_compare(easy: int, hard: int) -> None:
    """Where one kind of images is missing, or is a single image."""
    if min(easy, hard):
        st.info("One image of a kind is too few to compare. Widen the rule in the sidebar.")
        return
    st.info(
        f"There is no {'hard' if easy else 'easy'} image by this rule, so there is nothing to "
        "compare. Change the rule under Easy and hard in the sidebar."
    )


def no_pairs() -> None:
    """Where every class has images of one kind alone."""
    st.info(
        "Images are compared within their class, and no class has both easy and hard ones by this "
        "rule. Change the rule under Easy and hard in the sidebar."
    )


def key_figures(view: View) -> None:
    """Who is compared, in five numbers."""
    easy_words, hard_words = rule_words(view.rule)
    only = {None: "", True: ", answered right only", False: ", answered wrong only"}[view.correct]
    only += "" if view.among is None else f", {view.among.words}"
    with st.container(horizontal=True, key="key_figures"):
        for name, rows, words in zip(
            ("Easy", "Hard"), view.ends, (easy_words, hard_words), strict=True
        ):
            _end_figures(view, name, rows, f"{name}: {words}{only}.")


def _end_figures(view: View, name: str, rows: NDArray[np.int64], meaning: str) -> None:
    part = view.table.frame.iloc[rows]
    n = len(part)
    classes = part["label"].nunique()
    of = f"of {classes:,} class{'' if classes == 1 else 'es'}"
    figure(f"{name} images", f"{n:,}", meaning, of)
    loops = part["loops"]
    low, high = (int(loops.min()), int(loops.max())) if n else (0, 0)
    spread = (f"all {low}" if low == high else f"{low} to {high}") if n else None
    mean = f"Mean loops of the {name.lower()} images, below it the fewest and the most; n = {n:,}."
    figure(f"{name}: loops", number(float(loops.mean())), mean, spread)
    if view.correct is None:
        wrong = share_of(int((~part["correct"]).sum()), n)
        between = f"{100 * wrong.low:.1f} to {100 * wrong.high:.1f} %" if n else None
        figure(
            f"{name}: error",
            f"{number(100 * wrong.value, '.1f')} %",
            f"Share of the {name.lower()} images answered wrong; {how_sure(wrong, '.1%')}.",
            between,
        )


def gallery_title(view: View) -> None:
    """Heading of the pictures with the rule."""
    easy, hard = rule_words(view.rule)
    st.subheader(
        "Images",
        anchor=False,
        width="content",
        help=(
            "One class a column, as figure 9 of the paper, which calls easy images clear and "
            f"iconic, hard ones blurred and occluded. Easy: {easy}; hard: {hard}. Under a class: "
            "the loops of all its easy and hard images, and how many of them are shown; of many "
            "that loop equally often, some at even distances in the set. The number on a picture "
            "is its loops, ✕ a wrong answer. A picture opens in Inspect; arrow keys walk from one "
            "to the next."
        ),
    )


def gallery_note(view: View) -> None:
    """Which of many classes are shown."""
    shown, found = len(view.shown), len(view.found)
    if shown == found:
        return
    if view.labels:
        st.caption(
            f"The first {shown} of the {found:,} chosen classes are shown; all are compared."
        )
        return
    st.caption(
        f"{shown} of {found:,} classes, at even steps from the one that loops least on average to "
        "the one that loops most; all are compared. Choose others under Class in the sidebar."
    )


def ties_note(view: View) -> None:
    """How many more than were asked for count, since they loop equally often."""
    rule = view.rule
    if not isinstance(rule, ByCount):
        return
    ends = {
        "easy": [(gallery.label, gallery.easy) for gallery in view.found],
        "hard": [(gallery.label, gallery.hard) for gallery in view.found],
    }
    listed: list[str] = []
    for name, parts in ends.items():
        label, most = max(parts, key=lambda part: len(part[1]))
        if len(most) > rule.images:
            where = f"{escaped(view.classes[label])}, where {view.last_of(most)}"
            listed.append(f"up to {len(most):,} {name} ones ({where})")
    if listed:
        st.caption(
            f"Asked are {rule.images:,} of each class, but all that loop as often as the last of "
            f"them count too, and all are compared: {' and '.join(listed)}."
        )


def forest_title(count: int, resamples: int) -> None:
    """Heading of the figure of all columns."""
    st.subheader(
        "What separates them",
        anchor=False,
        help=(
            f"{DELTA} The lines are 95 % intervals of a bootstrap over the easy and the hard "
            f"images ({resamples:,} resamples). {count} columns are looked at, and no interval is "
            "corrected for that. The thin upright lines are where small, medium and large begin. "
            "Click a row to see its two distributions."
        ),
    )


def distribution_title(pair: Compared) -> None:
    """Heading of the two distributions."""
    effect = pair.effect
    st.subheader(
        "Easy against hard",
        anchor=False,
        width="content",
        help=(
            f"{pair.column.label}: {pair.column.meaning} Share of the easy images "
            f"(n = {effect.easy_n:,}) and of the hard ones (n = {effect.hard_n:,}) in each bin; "
            "the outermost bins hold everything beyond. Upright lines: means. All classes together."
        ),
    )


def distribution_legend(pair: Compared) -> None:
    """Which marks are which, in a line that leaves the corner to the figure's button."""
    effect = pair.effect
    st.caption(f"Filled: easy, n = {effect.easy_n:,} · Line: hard, n = {effect.hard_n:,}")


def distribution_note(pair: Compared) -> None:
    """The column in one line of numbers."""
    effect, meaning = pair.effect, pair.column.meaning
    easy, hard = (number(value, ".3g") for value in (effect.easy_mean, effect.hard_mean))
    st.caption(
        f"{meaning} Mean {easy} of the easy, {hard} of the hard images. Within classes "
        f"δ = {number(effect.within.value, '+.2f')}, {how_sure(effect.within, '+.2f')}: "
        f"{size_of(effect.within.value)}."
    )


def missing_columns(run: cache.Run, pairs: Sequence[Compared], problems: Sequence[str]) -> None:
    """Which numbers could be there and are not."""
    for problem in problems:
        st.warning(problem)
    if not any(pair.source == "picture" for pair in pairs):
        st.caption(
            "Brightness, contrast, sharpness and edge density of the pictures, and where the "
            "evidence lies in them, come from this command (D is the data set of the records):"
        )
        st.code(f"drnn saliency {run.folder} --data D", language=None)


def forest_alt(pairs: Sequence[Compared]) -> str:
    """The figure of all columns in a sentence."""
    named = ", ".join(
        f"{pair.column.label} {number(pair.effect.within.value, '+.2f')}" for pair in pairs[:_NAMED]
    )
    return f"Cliff's delta of {len(pairs)} columns within classes, the largest: {named}"


def distribution_alt(pair: Compared) -> str:
    """One column's distributions in a sentence."""
    effect = pair.effect
    return (
        f"{pair.column.label} of easy images (mean {number(effect.easy_mean, '.3g')}) against hard "
        f"ones (mean {number(effect.hard_mean, '.3g')})"
    )
