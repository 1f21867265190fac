"""What the statistics of a run say, in numbers and in sentences."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st

from app.norms.found import Found
from app.norms.texts import FORMULAS
from app.numbers import between, figure, number, p_value
from drnn_core.analysis.moments import Sampled, difference, ends_of
from drnn_core.analysis.norm_trends import Trend, over_depth, over_loops

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
        "execution, 1 if each norm and loop has a larger gap than the one before; with its 95 % "
        f"interval over images. {of}.",
        between(trend.low, trend.high, "+.2f"),
    )


def findings(found: Found) -> None:
    """What is found, in sentences."""
    lines = [_gap_found(found) if found.skips else _NO_GAP, _bias_found(found)]
    st.markdown("\n".join(f"- {line}" for line in lines), help=TREND)


# Of every ρ on the page.
TREND = (
    "ρ: Spearman's rank correlation with the order of execution; from loop to loop, the mean of "
    "that within each block and norm. p: how often norms and loops in random order would be as "
    "clearly ordered. Neighbours are alike, so p is too small rather than too large, and none of "
    "this speaks of other trainings."
)
_NO_GAP = (
    "Every image executes every loop: this network has no gates, or none of them closed, so there "
    "are no skipped images to compare with."
)


_FEWEST_ORDERED = 5  # of fewer no order is clear: four that rise are one of twelve, by chance


def _gap_found(found: Found) -> str:
    table, sampled = found.table, found.sampled["divergence"]
    depth, loops = over_depth(sampled), _over_loops(found, "divergence")
    own = {norm: _over_depth(found, norm, "divergence") for norm in found.all_norms}
    own = {norm: trend for norm, trend in own.items() if not math.isnan(trend.rho)}
    each = [f"{number(trend.rho, '+.2f')} at {norm} alone" for norm, trend in own.items()]
    apart = f" ({', '.join(each)})" if len(each) > 1 else ""
    verdict = _verdict(depth)
    enough = [trend for trend in own.values() if trend.n >= _FEWEST_ORDERED]
    if _clear(depth) and not all(_clear(trend, depth.rho) for trend in enough):
        verdict += ", but not at every norm"
    ratio = float(sampled.mean().values) / float(table["divergence_shuffled"].mean())
    by_block = table.groupby("block", sort=False)["divergence"].mean().dropna()
    listed = [f"{number(value, '.3f')} ({block})" for block, value in by_block.items()]
    if len(listed) > _FEW_BLOCKS:
        listed = [listed[0], "…", listed[-1]]
    return (
        f"Executed and skipped images differ {number(ratio, ',.0f')} times as much as shuffled "
        f"ones. **{verdict}**: ρ = {_in_words(depth)} over {depth.n} norms and loops in "
        f"the order of execution{apart}. Mean divergence by block, in nats: {', '.join(listed)}. "
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
        return "No clear trend over depth, where the paper's figure 7 shows a growing gap"
    if trend.rho > 0:
        return "The gap grows with depth, as in the paper's figure 7"
    return "The gap shrinks with depth, other than in the paper's figure 7"


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


def over_depth_note(found: Found, norm: str, measure: str) -> None:
    """What the gap over depth says, of the chosen norm and of all."""
    own, every = _over_depth(found, norm, measure), over_depth(found.sampled[measure])
    few = int(found.table["unsure"].sum())
    unsure = f" {few} of {len(found.table)} have few images and are unsure." if few else ""
    st.caption(
        f"Over depth, {norm}: ρ = {_in_words(own)}, n = {own.n} loops; all norms: ρ = "
        f"{_in_words(every)}, n = {every.n}.{unsure}",
        help=TREND,
    )


def compared(found: Found, other: Found) -> None:
    """Two runs in sentences."""
    paired = _sample(found) == _sample(other)
    st.markdown(
        f"- {_compared_means(found, other, paired)}\n- {_compared_variances(found, other, paired)}",
        help="Means over channels, norms and loops; intervals over "
        + ("the same images of both runs" if paired else "images, as of independent samples")
        + ". They say nothing of other trainings.",
    )


def _compared_means(found: Found, other: Found, paired: bool) -> str:
    pair = _mean_of(found, "mean_bias"), _mean_of(other, "mean_bias")
    gap, half = difference(*pair, paired)
    mine, its = (number(float(each.values), ".3f") for each in pair)
    return (
        f"Running means are off by {mine} sd with {found.kind} ({found.run}), by {its} sd with "
        f"{other.kind} ({other.run}): difference {number(gap, '+.3f')} (95 % interval "
        f"{between(gap - half, gap + half, '+.3f')}); {_closer(found, other, 'mean_bias')}."
    )


def _compared_variances(found: Found, other: Found, paired: bool) -> str:
    pair = _mean_of(found, "variance_bias"), _mean_of(other, "variance_bias")
    gap, half = difference(*pair, paired)
    mine, its = (number(math.exp(float(each.values)), ".2f") for each in pair)
    low, high = math.exp(gap - half), math.exp(gap + half)
    return (
        f"Running variances are off by a factor of {mine} with the first, of {its} with the other: "
        f"ratio {number(math.exp(gap), '.2f')} (95 % interval {between(low, high, '.2f')}); "
        f"{_closer(found, other, 'variance_bias')}."
    )


def _closer(found: Found, other: Found, bias: str) -> str:
    mine, its = found.table[bias].to_numpy(), other.table[bias].to_numpy()
    known = int((np.isfinite(mine) & np.isfinite(its)).sum())
    return f"the first is closer in {int((mine < its).sum())} of {known} norms and loops"


def _sample(found: Found) -> tuple[object, ...]:
    header = found.header
    return header.data_fingerprint, header.images, header.parts


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
