"""The page's words: definitions, what is found, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from app.cache import Run
from app.downloads import tables
from app.norms.channels import Look
from app.norms.found import FEW, Found
from app.numbers import number
from drnn_core.inference.facts import readable_block
from drnn_core.store.runinfo import RunError

FORMULAS = {
    "divergence": (
        "Divergence: for each channel, the mean of the two Kullback-Leibler divergences between "
        "normal distributions of the two groups' means m and variances v, "
        "((v₁ + d²) / v₂ + (v₂ + d²) / v₁ − 2) / 4 with d = m₁ − m₂, in nats; 0 where they agree."
    ),
    "mean_difference": (
        "Difference of means: for each channel, |m₁ − m₂| / √((v₁ + v₂) / 2) of the two groups' "
        "means m and variances v, in standard deviations."
    ),
    "log_variance_ratio": (
        "Ratio of variances: for each channel, |ln(v₁ / v₂)| of the two groups' variances v; 0.69 "
        "is a factor of two."
    ),
}
UNITS = {
    "divergence": "divergence, nats",
    "mean_difference": "difference of means, sd",
    "log_variance_ratio": "|ln ratio of variances|",
}
_INTERVAL = (
    "Bars are 95 % intervals over images (jackknife over {parts} parts of the sample); an open "
    "mark has fewer than " + str(FEW) + " images in a group and is unsure."
)


def heading(run: Run, found: Found | None) -> None:
    """Title of the page and what it is of."""
    assert run.info is not None
    st.title("Norm statistics", anchor=False)
    words = [f"{run.info.title}, trained on {run.info.dataset}"]
    if found is not None:
        header = found.header
        words += [found.kind, f"{header.images:,} of {header.rows:,} images of {header.dataset}"]
    st.caption(" · ".join(words))


def not_built(error: RunError) -> None:
    """Instead of everything, for a run whose run.json describes no network that can be built."""
    st.error(f"The network of this run cannot be built: {error}.")


def plain() -> None:
    """Instead of everything, for a network without recursive blocks."""
    st.info(
        "This network has no recursive blocks: no image skips anything, and every norm belongs to "
        "one place. Choose a recursive run in the sidebar."
    )


def missing(name: str = "this run") -> None:
    """Before the ways to get statistics of a run that has none."""
    st.info(
        f"What the norms of {name} see of images that execute a loop, and of those that do not, "
        "has not been measured yet."
    )


def another_shape(name: str) -> None:
    """A second run whose statistics are of other blocks."""
    st.error(f"The statistics of {name} are of other blocks, loops or norms; measure it anew.")


def no_other_run() -> None:
    """Where no second run can be chosen."""
    st.caption(
        "No other run here has the same recursive blocks. A pair such as `dr_resnet16_l2` and "
        "`dr_resnet16_l2_lvbn`, trained with one seed, shows what I-LVBN changes."
    )


def damaged(reason: str) -> None:
    """Statistics that cannot be used."""
    st.error(f"The statistics of the norms cannot be used: {reason}")


def network_title() -> None:
    """Heading of the picture."""
    st.subheader(
        "The network",
        anchor=False,
        help="Its blocks and loops; a ring is as thick as the share of images that training's "
        "target expects to run the loop, whatever share this run came to. Click a recursive block "
        "to see its norms; the box Block does the same.",
    )


def rings_note(found: Found, block: str) -> None:
    """That the rings are not of this run, and what this run came to in the chosen block."""
    rows = found.table[found.table["block"] == block].drop_duplicates("loop")
    listed = [
        f"loop {loop + 1} {share:.0%}".replace("%", "\u00a0%")
        for loop, share in zip(rows["loop"], rows["executed"] / found.header.images, strict=True)
    ]
    st.caption(
        "The shares on the rings are what training’s target expects, not what this run does. "
        f"Of the images measured here, block {block} ran {', '.join(listed)}."
    )


def block_title(block: str, norm: str) -> None:
    """Heading of the channels."""
    st.subheader(
        f"{readable_block(block).capitalize()}, {norm}, channel by channel",
        anchor=False,
        help=(
            "Figure 7 of the paper. Mean and variance of what enters this norm (the output of the "
            "block's shared convolution before it), over all pixels of all images of a group. "
            "**Executed**: images that run the loop. **Skipped**: all others, which the reference "
            "forward computes too, whether they leave the block here or left it before. "
            "**Running**: the statistics by which evaluation normalises this loop. Unbiased "
            "variances, on a logarithmic axis. Point at a mark for its 95 % interval over images."
        ),
    )


def loop_title(loop: int) -> None:
    """Heading of one loop's figure."""
    st.markdown(f"**Loop {loop}**")


def loop_note(executed: int, skipped: int) -> None:
    """How many images a loop's figure is of."""
    unsure = executed < FEW or 0 < skipped < FEW
    rest = f", {skipped:,} skipped" if skipped else ""
    st.caption(
        f"n = {executed:,} executed{rest}{' · unsure' if unsure else ''}",
        help=f"Fewer than {FEW} images in a group: its statistics are unsure." if unsure else None,
    )


def channels_note(drawn: int, count: int, look: Look) -> None:
    """That not every channel is drawn."""
    if drawn < count:
        order = "by executed mean" if look.order == "mean" else "by number"
        st.caption(
            f"{drawn} of {count:,} channels are drawn in each loop, at even distances {order}; "
            "all numbers on the page, and the saved tables, are of all channels."
        )


def channels_alt(block: str, norm: str, rows: pd.DataFrame, loop: int) -> str:
    """A loop's figure in words."""
    parts = [f"block {block}, {norm}, loop {loop}: {len(rows)} channels"]
    for group in ("executed", "skipped", "running"):
        mean, var = rows[f"{group}_mean"], rows[f"{group}_var"]
        if mean.notna().any():
            parts.append(
                f"{group} means {mean.min():.3g} to {mean.max():.3g}, variances {var.min():.3g} to "
                f"{var.max():.3g}"
            )
    return "; ".join(parts)


def depth_title(measure: str, parts: int) -> None:
    """Heading of the gap over depth."""
    st.subheader(
        "Executed against skipped, over depth",
        anchor=False,
        width="content",
        help=(
            f"{FORMULAS[measure]} Mean over the norm's channels. Orange: the same with the "
            "decisions shuffled among the images of each batch, which is what chance gives. "
            f"{_INTERVAL.format(parts=parts)} The shaded block is the chosen one; click a mark to "
            "choose another."
        ),
    )


def bias_title(parts: int) -> None:
    """Heading of the bias of the running statistics."""
    st.subheader(
        "Running statistics against executed images",
        anchor=False,
        width="content",
        help=(
            "Evaluation normalises each loop by running statistics, which should be those of the "
            "images that execute it. Left: |running mean − true mean| in running standard "
            "deviations, mean over channels; 0 is right. Right: running variance / true variance, "
            "geometric mean over channels; 1 is right. What is left under I-LVBN comes from "
            "training and evaluation not being alike: augmented images, noisy gates, batches "
            f"normalised by their own statistics. {_INTERVAL.format(parts=parts)}"
        ),
    )


def depth_alt(found: Found, norm: str, measure: str) -> str:
    """The gap over depth in words."""
    rows = found.rows(norm)
    return places_alt(f"{UNITS[measure]}, {norm}", rows, rows[measure].tolist())


def all_numbers(found: Found) -> None:
    """Every number of every norm and loop, as a table."""
    with st.expander(f"All {len(found.table)} norms and loops as a table"):
        table = found.table.drop(columns=["depth"])
        table = table.assign(loop=table["loop"] + 1, variance_ratio=np.exp(table["variance_shift"]))
        st.dataframe(table, hide_index=True, width="stretch", height=360)
        tables(f"{found.run} norms", table, "norms_table")


def places_alt(what: str, rows: pd.DataFrame, values: Sequence[float]) -> str:
    """A figure over depth in words."""
    listed = [
        f"block {block} loop {loop + 1} {number(value, '.3g')}"
        for block, loop, value in zip(rows["block"], rows["loop"], values, strict=True)
    ]
    return f"{what}: {'; '.join(listed)}"
