"""The page's words: what thresholds are, figures with their source, and what to do when stuck."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import cache
from app.budget.axes import Trained
from app.budget.controls import Setting
from app.budget.mixing import MEANING
from app.budget.points import View
from app.budget.thresholds import name_of
from app.images import NoPictures, Pictures
from app.numbers import between, figure, how_sure, number, p_value
from app.onepath import why_one_path
from app.units import macs_text
from drnn_core.analysis.bootstrap import Estimate
from drnn_core.analysis.budget import Bounds
from drnn_core.analysis.comparison import McNemar
from drnn_core.commands.curves import Point
from drnn_core.inference.facts import NetworkFacts, readable_block
from drnn_core.querying.headline import Headline
from drnn_core.store.operating_point import operating_point_of


def heading(run: cache.Run) -> None:
    """Title of the page, what it is of, and where its gates stand already."""
    assert run.info is not None
    st.title("Budget", anchor=False)
    st.caption(f"{run.info.title}, trained on {run.info.dataset}")
    try:
        point = operating_point_of(run.info)
    except ValueError as error:
        st.error(f"Where the gates of this run were moved to cannot be read: {error}")
        return
    if point is not None:
        moved = [
            f"{readable_block(name)} to {name_of(value)}"
            for name, value in point.thresholds.items()
            if value != 0.5
        ]
        st.info(
            f"The gates of this run were moved after training: {', '.join(moved)}. Here 0.5 is "
            f"where they stand now. The run as it was trained is {point.run}."
        )


def no_gates(facts: NetworkFacts) -> None:
    """Instead of the page, for a network whose cost nobody can move."""
    st.info(
        f"This network {why_one_path(facts)}: every image costs the same, and there is no "
        "threshold to move. Choose a run with gates in the sidebar."
    )


def lead() -> None:
    """What the page is about."""
    st.markdown(
        "A gate opens where its probability is above a threshold, 0.5 in training. Moved "
        "afterwards, the same weights spend more or less on every image.",
        help=(
            "Records hold the probability of every gate that was asked. An image whose decisions "
            "all stay keeps its path, and so its answer, loops and cost: that part is exact. From "
            "the first block where its loops change it has other features, so what later gates "
            "and the classifier would say is not in the records: there are bounds only, until "
            "the network runs anew."
        ),
    )


def key_figures(view: View, setting: Setting, trained: Trained, point: Point | None) -> None:
    """What is known where the sliders stand: exact, run anew, or bounds."""
    limits = view.bounds(setting.blocks)
    with st.container(horizontal=True, key="key_figures"):
        if point is not None:
            _found(point, trained)
        elif limits.unchanged == limits.n:
            _exact(view.headline, trained)
        else:
            _limits(limits)


def _exact(known: Headline, trained: Trained) -> None:
    source = f"exact, n = {trained.n:,}"
    why = "Every image keeps its path: the records say it."
    error, macs = known.error, known.macs
    ends = f"95 % interval {between(100 * error.low, 100 * error.high)} %, n = {error.n:,} images"
    figure("Test error", f"{trained.error:.2f} %", f"{why} {ends}.", source)
    figure("Mean loops", f"{trained.loops:.2f}", f"{why} {how_sure(known.loops)}.", source)
    ends = f"95 % interval {macs_text(macs.low)} to {macs_text(macs.high)}, n = {macs.n:,} images"
    why = f"Multiply-adds per image. {why} {ends}."
    figure("Mean cost", macs_text(trained.macs), why, source)


def _found(point: Point, trained: Trained) -> None:
    found = point.found
    ran = f"{point.anew:,} of {found.n:,} images ran anew, the others keep their path."
    figure(
        "Test error",
        f"{found.error.value:.2f} %",
        f"Share of images answered wrong; {how_sure(found.error)}. {ran}",
        f"{between(found.error.low, found.error.high)} %",
    )
    figure(
        "Mean loops",
        f"{found.loops.value:.2f}",
        f"Executed loops per image; {how_sure(found.loops)}. {ran}",
        between(found.loops.low, found.loops.high),
    )
    figure(
        "Mean cost",
        macs_text(found.macs.value),
        f"Multiply-adds per image, gates included; 95 % interval {macs_text(found.macs.low)} to "
        f"{macs_text(found.macs.high)}, n = {found.n:,} images. {ran}",
        f"{macs_text(found.macs.low)} to {macs_text(found.macs.high)}",
    )
    _change("Error, change", found.error_change, "points", "Error here less the error at 0.5")
    saved, unit = found.macs_change, 100 / trained.macs
    shown = Estimate(saved.value * unit, saved.low * unit, saved.high * unit, saved.n, saved.level)
    _change("Cost, change", shown, "%", "Multiply-adds here less those at 0.5, of the latter")


def _change(label: str, found: Estimate, unit: str, meaning: str) -> None:
    figure(
        label,
        f"{number(found.value, '+.2f')} {unit}",
        f"{meaning}, image by image; {how_sure(found, '+.2f')}.",
        f"{between(found.low, found.high, '+.2f')} {unit}",
    )


def _limits(limits: Bounds) -> None:
    kept = f"{limits.unchanged:,} of {limits.n:,} images keep their path for certain"
    meaning = (
        f"Bounds from the records: {kept}. Every other image may be right or wrong, and may run "
        "none or all of the loops of later blocks. Run the network to know."
    )

    def shown(low: float, high: float, text: str) -> tuple[str, str]:
        if high - low < 1e-9 * max(1.0, high):
            return text.split(" to ", maxsplit=1)[0], "exact, from the records"
        return text, "bounds, from the records"

    error, loops, macs = limits.error, limits.loops, limits.macs
    value, source = shown(*error, f"{error[0]:.1f} to {error[1]:.1f} %")
    figure("Test error", value, meaning, source)
    value, source = shown(*loops, f"{loops[0]:.2f} to {loops[1]:.2f}")
    figure("Mean loops", value, meaning, source)
    value, source = shown(*macs, f"{macs_text(macs[0])} to {macs_text(macs[1])}")
    figure("Mean cost", value, f"Multiply-adds per image. {meaning}", source)
    figure(
        "Paths kept",
        f"{limits.unchanged / limits.n:.0%}",
        f"{kept}: no decision of theirs changes.",
        f"{limits.unchanged:,} of {limits.n:,}",
    )


def tradeoff_title(count: int, mixed: bool) -> None:
    """Heading of the curve; ``mixed`` where the line of mixing by chance is drawn."""
    ends = f" {MEANING}" if mixed else ""
    st.subheader(
        "Error against cost",
        anchor=False,
        help=(
            "One threshold for all gates, from 0 (every loop) to 1 (no loop that a gate "
            "decides on); each diamond is the whole network run at one of them, with 95 % "
            "intervals over images, both ways. The disc is the threshold of training. The grey box "
            "is what the records leave open where the sliders stand. A triangle at the upper end "
            "lies beyond it: point at it to see how far. Click a mark to move the sliders there. "
            f"{count} thresholds are measured.{ends}"
        ),
    )


def along_title() -> None:
    """Heading of the two small figures."""
    st.subheader(
        "Along the threshold",
        anchor=False,
        help=(
            "Loops and error over the threshold of all gates. The axis is spaced by the recorded "
            "probabilities of the gates: as far as two thresholds are apart, as many recorded "
            "decisions change between them; the numbers below it are thresholds. The grey "
            "area is what the records leave open; where it is a line they are exact. It opens "
            "at once beside 0.5, because one changed block makes everything behind it unknown. "
            "The dotted line is where the sliders stand."
        ),
    )


def classes_title(n: int) -> None:
    """Heading of the figure of classes."""
    st.subheader(
        "Which classes pay",
        anchor=False,
        help=(
            "Change of the error of each class against 0.5, in points of %, the largest rise "
            f"first, with 95 % intervals over the class's images; grey where the interval holds 0. "
            f"n = {n:,} images."
        ),
    )


def answers(found: McNemar) -> None:
    """Who is right where, and whether that is more than a coin would do."""
    n = found.both_right + found.only_a + found.only_b + found.neither
    st.subheader(
        "Answers that change",
        anchor=False,
        help=(
            "The same images at 0.5 and here. p is McNemar's exact test, two-sided: how often a "
            f"fair coin would part the changed answers at least so unevenly. n = {n:,} images."
        ),
    )
    table = pd.DataFrame(
        {
            "": ["right at 0.5", "wrong at 0.5"],
            "right here": [found.both_right, found.only_b],
            "wrong here": [found.only_a, found.neither],
        }
    )
    number_of = st.column_config.NumberColumn(format="localized")
    st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        column_config={"right here": number_of, "wrong here": number_of},
    )
    lost = f"{found.only_a:,} lost, {found.only_b:,} won"
    st.caption(f"{lost}, {p_value(found.p)}")


def no_pictures(found: NoPictures | Pictures) -> None:
    """Why the network cannot be run anew from here."""
    if isinstance(found, NoPictures):
        st.caption(f"The network cannot be run anew here. {found.in_markdown}")


def no_curve(run: cache.Run) -> None:
    """How to get the curve into the run."""
    st.caption(
        "This run holds no curve yet. **Run the whole curve** measures it for this server; "
        "the command below keeps it in the run."
    )
    st.code(f"drnn budget {run.folder} --data D", language=None)
