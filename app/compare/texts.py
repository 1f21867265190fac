"""The page's words: headings with their definitions, sentences on pairs, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from app.compare.sides import Side
from app.numbers import between
from app.pairs import Pair
from app.settings import settings
from drnn_core.analysis.bootstrap import Estimate


def nobody_else() -> None:
    """Instead of everything, where there is one run only."""
    st.info(f"There is one run in {settings().runs}. Train another one to compare it with:")
    st.code(f"drnn train resnet20_short --data D --out {settings().runs}/another-run")


def nobody_chosen() -> None:
    """Instead of everything, where no other run takes part."""
    st.info("Choose a run above to compare with. A click on a run in the plot below does it, too.")


def what_is_missing(said: Sequence[str]) -> None:
    """A line on each run that does not take part, or only in part."""
    for sentence in said:
        st.warning(sentence)


def distribution_title(sides: Sequence[Side]) -> None:
    """Heading of the loop distributions."""
    n = ", ".join(f"{side.letter}: n = {_n(side):,}" for side in sides)
    st.subheader(
        "Loops per image",
        anchor=False,
        help=(
            "Share of each run's images by executed loops, summed over all recursive blocks "
            f"(figure 8 of the paper); {n} images. Networks of other depths can be compared by the "
            "share of the most loops that they have. A line without a height: every image of that "
            "run loops alike."
        ),
    )


def no_loops(sides: Sequence[Side]) -> None:
    """Runs that the distributions leave out."""
    plain = [side for side in sides if not side.facts.loops_max]
    if plain:
        st.caption(f"{_listed(plain)} without recursive blocks: no loops.")


def nobody_loops() -> None:
    """Instead of the distributions."""
    st.info("None of these runs has recursive blocks and records: there are no loops to compare.")


def pareto_title(data_set: str, count: int) -> None:
    """Heading of the plot of all trainings."""
    st.subheader(
        "Error against cost",
        anchor=False,
        help=(
            f"Test error of all {count} trainings on {data_set} in {settings().runs}, as their "
            "run.json say. A training of several seeds is one point, their mean in error and cost. "
            "Bars are Wilson's 95 % intervals over the test images, as wide as those of one run; "
            "how far seeds lie apart is not in them, but in what shows when a point is pointed at. "
            "Names say recipe and epochs where some were trained longer than others; a point "
            "without one has no room for it. The dotted "
            "steps are the frontier: no training costs less and errs less than one on it. Click a "
            "point to compare with its run."
        ),
    )


def not_in_plot(sides: Sequence[Side]) -> None:
    """Runs that the plot leaves out."""
    if sides:
        st.caption(f"{_listed(sides)} of another data set: not in this plot.")


def pairs_title() -> None:
    """Heading of the part on one pair."""
    st.subheader(
        "Image by image",
        anchor=False,
        help=(
            "Two runs on the same images: where one is right and the other is not, and where they "
            "loop otherwise. Click a cell to see its images below."
        ),
    )


def no_pairs(problems: Sequence[str]) -> None:
    """Instead of the part on pairs."""
    st.info(
        "No two of these runs can be compared image by image. " + " ".join(problems) + " Records "
        "of the same test set make it possible: `drnn records RUN --data D`."
    )


def outcome_title(letters: tuple[str, str], n: int) -> None:
    """Heading of the two-by-two table."""
    st.markdown(
        "**Who is right**",
        help=f"The {n:,} images by whether {letters[0]} (rows) and {letters[1]} (columns) answer "
        "right. Click a cell to see its images; again, to see all of which the answers differ.",
    )


def crossing_title(letters: tuple[str, str], n: int) -> None:
    """Heading of loops against loops."""
    a, b = letters
    st.markdown(
        "**Loops against loops**",
        help=f"The {n:,} images by their loops in {a} (across) and {b} (upwards); the darker, the "
        "more images, by the square root. On the dotted line both loop the same. Click a cell to "
        "see its images.",
    )


def errors_title(by: Side, other: Side) -> None:
    """Heading of errors against loops."""
    st.markdown(
        f"**Errors by the loops of {by.letter}**",
        help=f"How often {by.letter} and {other.letter} err on images that take so many loops in "
        f"{by.letter}, with Wilson's 95 % intervals. Where {other.letter} errs more on images that "
        f"{by.letter} loops longer on, they are hard for both. The loops of {other.letter} do not "
        "differ between images, so there are no loops to set against these.",
    )


def nothing_to_cross(letters: tuple[str, str]) -> None:
    """Instead of loops against loops."""
    a, b = letters
    st.info(f"Neither in {a} nor in {b} do images differ in their loops: nothing to set apart.")


def gallery_title(count: int, total: int) -> None:
    """How many images are shown."""
    share = f"{total:,}" if count == total else f"{count:,} of {total:,}"
    st.subheader(f"{share} images", anchor=False, width="content")


def nothing_left() -> None:
    """Instead of an empty gallery."""
    st.info("No image meets the choice. Choose other images or wider loops, or reset it.")


def pairing_note(pair: Pair) -> None:
    """What a pairing leaves open."""
    if pair.note:
        st.warning(pair.note)


def reliability_title(errors: Sequence[Estimate | None], sides: Sequence[Side]) -> None:
    """Heading of the calibration curves."""
    said = [
        f"{side.letter} {100 * error.value:.2f} % ({between(100 * error.low, 100 * error.high)}, "
        f"n = {error.n:,})"
        for side, error in zip(sides, errors, strict=True)
        if error is not None
    ]
    st.subheader(
        "Calibration",
        anchor=False,
        help=(
            "Share of right answers among images of about the same confidence, with Wilson's 95 % "
            "intervals; on the dotted line a network is as often right as it is sure. Bins of "
            "fewer than 10 images are left out. In the key: the expected calibration error. "
            f"{'; '.join(said)}."
        ),
    )


def curves_title() -> None:
    """Heading of the training curves."""
    st.subheader(
        "Training",
        anchor=False,
        help=(
            "After each epoch, from run.json (figure 6 of the paper); the opening rate is that of "
            "evaluation, without noise. Runs are drawn as long as they were trained. Gates are "
            "calibrated to their target after the last epoch, so the figures at the top may differ "
            "from the curves' ends."
        ),
    )


def bands(sides: Sequence[Side], seeds: Mapping[str, int]) -> None:
    """What the bands behind the curves are; ``seeds``: how many stand behind that of a run."""
    listed = [f"{side.letter} {seeds[side.name]}" for side in sides if side.name in seeds]
    if listed:
        st.caption(
            "Bands: from the least to the most of the seeds of the same training, the run's own "
            f"among them (seeds: {', '.join(listed)})."
        )


def no_curves() -> None:
    """Instead of the training curves."""
    st.caption("The run.json of these runs holds no curve of their training.")


def _n(side: Side) -> int:
    return 0 if side.table is None else side.table.header.rows


def _listed(sides: Sequence[Side]) -> str:
    letters = [side.letter for side in sides]
    if len(letters) == 1:
        return f"{letters[0]} is"
    return f"{', '.join(letters[:-1])} and {letters[-1]} are"
