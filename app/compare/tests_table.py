"""The paired tests of every run against the first, as a table and in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from app.compare.looks import badge
from app.compare.measures import PairedTest
from app.compare.sides import Side
from app.numbers import between, number, p_value


def title(first: Side, tests: Sequence[PairedTest]) -> None:
    """Heading of the paired tests."""
    count = sum(test.pair is not None for test in tests)
    several = (
        f" With {count} runs against {first.letter}, p-values are corrected by Holm's method, so "
        "that the chance of any false alarm among them stays below 5 %."
    )
    st.subheader(
        "Is the difference more than chance?",
        anchor=False,
        help=(
            "Both runs answered the same images, so they are compared image by image. The "
            "difference of the errors has a 95 % bootstrap interval over the images; McNemar's "
            "exact test asks whether the images that only one run gets right fall to either side "
            "like a fair coin." + (several if count > 1 else "") + " Neither says anything of "
            "other trainings: another seed makes another network. "
            + "; ".join(f"{t.other.letter}: n = {len(t.pair.table):,}" for t in tests if t.pair)
            + (" images." if any(t.pair for t in tests) else "")
        ),
    )


def table_html(first: Side, tests: Sequence[PairedTest]) -> str:
    """A line for each run against the first; what comes from outside is escaped."""
    several = sum(test.counts is not None for test in tests) > 1
    heads = [
        ("error", "Error minus that of the first run, in points of %."),
        (f"only {first.letter} right", "Images that the first run answers right, this one wrong."),
        ("only it right", "Images that this run answers right, the first one wrong."),
        ("p", "McNemar's, exact: of so uneven a split or a more uneven one, if it were chance."),
    ]
    if several:
        heads.append(("p (Holm)", "Corrected for the number of runs that are tested."))
    top = "".join(
        f'<th scope="col"><abbr title="{escape(meaning, quote=True)}">{name}</abbr></th>'
        for name, meaning in heads
    )
    body = "".join(_test_line(test, several, len(heads)) for test in tests)
    return (
        '<div class="lc-scroll" tabindex="0" role="region" aria-label="Paired tests">'
        f'<table class="lc-table lc-tests"><thead><tr><th scope="col">against {first.letter}</th>'
        f"{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _test_line(test: PairedTest, several: bool, width: int) -> str:
    head = f'<th scope="row"><span class="lc-head">{badge(test.other.letter)}</span></th>'
    if test.counts is None or test.difference is None:
        return f'<tr>{head}<td colspan="{width}" class="lc-none">{escape(test.problem)}</td></tr>'
    found = test.difference
    interval = f"<small>{between(found.low, found.high, '+.2f')}</small>"
    cells = [
        f'<span class="lc-value">{number(found.value, "+.2f")} points</span>{interval}',
        f"{test.counts.only_a:,}",
        f"{test.counts.only_b:,}",
        p_value(test.counts.p).removeprefix("p = ").removeprefix("p "),
    ]
    if several and test.corrected is not None:
        cells.append(p_value(test.corrected).removeprefix("p = ").removeprefix("p "))
    return f"<tr>{head}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def verdict(first: Side, tests: Sequence[PairedTest]) -> None:
    """What the tests say, in a sentence for each."""
    said: list[str] = []
    for test in tests:
        if test.difference is None or test.corrected is None:
            continue
        change, who = test.difference.value, f"{test.other.letter} errs"
        if not change:
            said.append(f"{who} as often as {first.letter}.")
            continue
        size = f"{abs(change):.2f} points {'more' if change > 0 else 'less'}"
        sure = "more than chance" if test.corrected < 0.05 else "within what chance does"
        said.append(f"{who} {size} than {first.letter}: {sure} on these images.")
    st.caption("  \n".join(said))
