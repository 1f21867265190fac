"""What the statistics of a run say, in numbers and in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import streamlit as st

from app.norms import seeds
from app.norms.found import Found
from app.norms.texts import FORMULAS
from app.numbers import between, figure, number, p_value
from drnn_core.analysis.moments import Sampled, ends_of
from drnn_core.analysis.norm_trends import Trend, over_depth, over_loops
from drnn_core.analysis.probabilities import FEW as EXACT

_FEW_BLOCKS = 6  # that are listed with their numbers


def key_figures(found: Found) -> None:
    """The run in a few numbers."""
    header, table = found.header, found.table
    of = f"n = {header.images:,} images, {len(table)} norms and loops"
    with st.container(horizontal=True, key="key_figures"):
        figure(
            "Images",
            f"{header.images:,}",
            f"At even distances in the {header.rows:,} of {header.dataset}.",
        )
        figure(
            "Norms and loops",
            f"{len(table)}",
            f"{len(found.all_norms)} norms in each of {len(found.blocks)} recursive blocks, each "
            "in every loop of its block.",
        )
        if found.skips:
            _gap_figures(found, of)
        mean, shift = _mean_of(found, "mean_bias"), _mean_of(found, "variance_shift")
        figure(
            "Running mean",
            f"{number(float(mean.values), '.3f')} sd off",
            "|running mean − mean of executed images|, in running standard deviations; mean over "
            f"channels, norms and loops, with its 95 % interval over images. {of}.",
            _interval(mean, ".3f"),
        )
        figure(
            "Running variance",
            f"{number(float(np.exp(shift.values)), '.2f')} × true",
            "Running variance over the variance of executed images; geometric mean over channels, "
            f"norms and loops, with its 95 % interval over images. {of}.",
            _interval(shift, ".2f", exponential=True),
        )


def _gap_figures(found: Found, of: str) -> None:
    gap, trend = _mean_of(found, "divergence"), over_depth(found.sampled["divergence"])
    chance = found.table["divergence_shuffled"].mean()
    figure(
        "Gap",
        f"{number(float(gap.values), '.3f')} nats",
        f"{FORMULAS['divergence']} Mean over channels, norms and loops, with its 95 % interval "
        f"over images. Decisions shuffled among the images give {number(chance, '.4f')}. {of}.",
        _interval(gap, ".3f", positive=True),
    )
    figure(
        "Gap over depth",
        f"ρ = {number(trend.rho, '+.2f')}",
        "Spearman's rank correlation of the divergence with the position in the order of "
        "execution, 1 if each norm and loop has a larger gap than the one before; p: how often "
        f"so many norms and loops in random order would be as clearly ordered{_how(trend)}. {of}.",
        _trend_chip(trend),
    )


def _trend_chip(trend: Trend) -> str:
    """Below the correlation, instead of its interval, see ``_in_words``."""
    return f"n = {trend.n} places, {p_value(trend.p)}"


def _how(trend: Trend) -> str:
    """That p is exact, where it is."""
    return ", by all their orders" if trend.n <= EXACT else ""


def findings(found: Found, others: Sequence[Found]) -> None:
    """What is found, in sentences, beside what other seeds of the same training say."""
    lines = [_gap_found(found, others) if found.skips else _NO_GAP, _bias_found(found)]
    st.markdown("\n".join(f"- {line}" for line in lines), help=TREND)


# Of every ρ on the page.
TREND = (
    "ρ: Spearman's rank correlation with the order of execution; from loop to loop, the mean of "
    "that within each block and norm. p: how often norms and loops in random order would be as "
    "clearly ordered. Neighbours are alike, so p is too small rather than too large, and none of "
    "this speaks of other trainings: another seed may have another trend."
)
_NO_GAP = (
    "Every image executes every loop: this network has no gates, or none of them closed, so there "
    "are no skipped images to compare with."
)


_FEWEST_ORDERED = 5  # of fewer no order is clear: four that rise are one of twelve, by chance


def _gap_found(found: Found, others: Sequence[Found]) -> str:
    table, sampled = found.table, found.sampled["divergence"]
    depth, loops = over_depth(sampled), _over_loops(found, "divergence")
    own = {norm: _over_depth(found, norm, "divergence") for norm in found.all_norms}
    own = {norm: trend for norm, trend in own.items() if not math.isnan(trend.rho)}
    each = [f"{number(trend.rho, '+.2f')} at {norm} alone" for norm, trend in own.items()]
    apart = f" ({', '.join(each)})" if len(each) > 1 else ""
    repeated = seeds.depth_trends(others, "divergence")
    verdict = _verdict(depth)
    enough = [trend for trend in own.values() if trend.n >= _FEWEST_ORDERED]
    if _clear(depth) and not all(_clear(trend, depth.rho) for trend in enough):
        verdict += ", but not at every norm"
    verdict += _disagreement(depth, repeated)
    ratio = float(sampled.mean().values) / float(table["divergence_shuffled"].mean())
    by_block = table.groupby("block", sort=False)["divergence"].mean().dropna()
    listed = [f"{number(value, '.3f')} ({block})" for block, value in by_block.items()]
    if len(listed) > _FEW_BLOCKS:
        listed = [listed[0], "…", listed[-1]]
    return (
        f"Executed and skipped images differ {number(ratio, ',.0f')} times as much as shuffled "
        f"ones. **{verdict}**: ρ = {_in_words(depth)} over {depth.n} norms and loops in "
        f"the order of execution{apart}{seeds.in_words(repeated)}. Mean divergence by block, in "
        f"nats: {', '.join(listed)}. "
        + (
            f"From loop to loop within a block it {_loops_verdict(loops)}: ρ = {_in_words(loops)}."
            if loops.n
            else ""
        )
    )


def _clear(trend: Trend, sign: float | None = None) -> bool:
    """Whether there is a trend, if wanted of this sign."""
    return trend.p < 0.05 and (sign is None or trend.rho * sign > 0)


def _verdict(trend: Trend) -> str:
    if not _clear(trend):
        return "No clear trend over depth in this run, where the paper's figure 7 has a growing gap"
    if trend.rho > 0:
        return "The gap grows with depth in this run, as in the paper's figure 7"
    return "The gap shrinks with depth in this run, other than in the paper's figure 7"


def _disagreement(trend: Trend, repeated: Sequence[Trend]) -> str:
    """What is added to the verdict where other seeds have another sign."""
    turned = seeds.against(trend, repeated)
    if not turned:
        return ""
    other = "the other seed" if len(repeated) == 1 else f"{turned} of {len(repeated)} other seeds"
    return f"; with {other} of this training ρ has the opposite sign"


def _loops_verdict(trend: Trend) -> str:
    if not _clear(trend):
        return "has no clear trend"
    return "grows" if trend.rho > 0 else "shrinks"


def _bias_found(found: Found) -> str:
    table, mean = found.table, _mean_of(found, "mean_bias")
    sentence = (
        "Against the executed images, running means are off by "
        f"{number(float(mean.values), '.3f')} sd on average (95 % interval "
        f"{_interval(mean, '.3f')})"
    )
    ratio = np.exp(table["variance_shift"].to_numpy(dtype=float))
    if np.isfinite(ratio).any():
        worst = int(np.nanargmax(table["variance_bias"].to_numpy(dtype=float)))
        row = table.iloc[worst]
        sentence += (
            f"; running variances are {number(float(np.nanmin(ratio)), '.2f')} to "
            f"{number(float(np.nanmax(ratio)), '.2f')} times the true ones, farthest off in block "
            f"{row['block']}, loop {int(row['loop']) + 1}, {row['norm']} "
            f"({number(float(ratio[worst]), '.2f')} times)"
        )
    if found.shared:
        trend = _over_loops(found, "mean_bias")
        sentence += (
            ". One BatchNorm serves all loops of a block here and can be right for none of them: "
            f"from loop to loop, how far its mean is off {_loops_verdict(trend)}, "
            f"ρ = {_in_words(trend)}"
        )
    return f"{sentence}."


def over_depth_note(found: Found, others: Sequence[Found], norm: str, measure: str) -> None:
    """What the gap over depth says, of the chosen norm and of all, and with other seeds."""
    own, every = _over_depth(found, norm, measure), over_depth(found.sampled[measure])
    few = int(found.table["unsure"].sum())
    repeated = seeds.in_words(seeds.depth_trends(others, measure))
    unsure = f" {few} of {len(found.table)} have few images and are unsure." if few else ""
    st.caption(
        f"Over depth, {norm}: ρ = {_in_words(own)}, n = {own.n} loops; all norms: ρ = "
        f"{_in_words(every)}, n = {every.n}{repeated}.{unsure}",
        help=TREND,
    )


def _over_depth(found: Found, norm: str, name: str) -> Trend:
    """Of a measure over depth, of one norm."""
    rows, sampled = (found.table["norm"] == norm).to_numpy(), found.sampled[name]
    return over_depth(sampled.at(rows))


def _over_loops(found: Found, name: str) -> Trend:
    """Of a measure from loop to loop, within each block and norm."""
    groups = list(zip(found.table["block"], found.table["norm"], strict=True))
    return over_loops(found.sampled[name], groups)


def _mean_of(found: Found, name: str) -> Sampled:
    """A measure's mean over norms and loops."""
    return found.sampled[name].mean()


def _interval(
    sampled: Sampled, form: str, exponential: bool = False, positive: bool = False
) -> str:
    ends = ends_of(sampled.values, sampled.margin(), positive)
    low, high = (float(np.exp(end) if exponential else end) for end in ends)
    return between(low, high, form)


def _in_words(trend: Trend) -> str:
    # Not with its interval: that is over images, of which there are enough that it is narrow even
    # where the order itself means nothing, and the two would seem to contradict each other.
    return f"{number(trend.rho, '+.2f')} ({p_value(trend.p)})"
