"""What the statistics of two runs say beside each other, in sentences."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st

from app.norms.found import Found
from app.numbers import between, number
from drnn_core.analysis.moments import difference


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
    pair = found.sampled["mean_bias"].mean(), other.sampled["mean_bias"].mean()
    gap, half = difference(*pair, paired)
    mine, its = (number(float(each.values), ".3f") for each in pair)
    return (
        f"Running means are off by {mine} sd with {found.kind} ({found.run}), by {its} sd with "
        f"{other.kind} ({other.run}): difference {number(gap, '+.3f')} (95 % interval "
        f"{between(gap - half, gap + half, '+.3f')}); {_closer(found, other, 'mean_bias')}."
    )


def _compared_variances(found: Found, other: Found, paired: bool) -> str:
    pair = found.sampled["variance_bias"].mean(), other.sampled["variance_bias"].mean()
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
