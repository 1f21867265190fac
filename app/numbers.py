"""Numbers as the pages write them: with interval, count and definition."""

from __future__ import annotations

import math
from typing import Protocol

import streamlit as st

_NONE = "–"


class Measured(Protocol):
    """What has a value and an interval, as ``drnn_core.analysis.bootstrap.Estimate``."""

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        ...

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        ...

    @property
    def n(self) -> int:
        """Images."""
        ...

    @property
    def level(self) -> float:
        """Of the interval."""
        ...


def number(value: float, form: str = ".2f") -> str:
    """A number in a form such as ".2f" or ".1%", with a true minus; a dash where there is none."""
    return _NONE if math.isnan(value) else format(value, form).replace("-", "−")


def percent(share: float) -> str:
    """93.1 %, and never 100 % or 0 % of what is not; ``gallery/assets/tile.js`` has it, too."""
    shown = f"{100 * share:.1f}"
    if shown == "100.0" and share < 1:
        return "> 99.9 %"
    return "< 0.1 %" if shown == "0.0" and share > 0 else f"{shown} %"


def between(low: float, high: float, form: str = ".2f") -> str:
    """An interval: "0.10 to 0.25"; a dash where there is none."""
    if math.isnan(low) or math.isnan(high):
        return _NONE
    return f"{number(low, form)} to {number(high, form)}"


def how_sure(found: Measured, form: str = ".2f") -> str:
    """The interval and the count: "95 % interval 0.10 to 0.25, n = 10,000 images"."""
    images = f"n = {found.n:,} images"
    if math.isnan(found.low):
        return images
    return f"{found.level:.0%} interval {between(found.low, found.high, form)}, {images}".replace(
        "%", "\u00a0%", 1
    )


def p_value(p: float) -> str:
    """A p-value as papers print it: "p = 0.012", "p < 0.001"."""
    if math.isnan(p):
        return f"p = {_NONE}"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def figure(label: str, value: str, meaning: str, delta: str | None = None) -> None:
    """A key figure with its definition on hover; rows of them: ``st.container(horizontal=True)``.

    Args:
        label: one to three words.
        value: as it is to be read.
        meaning: definition, unit, n and interval.
        delta: a second line below it, grey, such as the interval.
    """
    st.metric(
        label,
        value,
        delta,
        delta_color="off",
        delta_arrow="off",
        help=meaning,
        width="content",
    )
