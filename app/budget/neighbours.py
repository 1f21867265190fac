"""What was measured on either side of a threshold at which the network has not run."""

from __future__ import annotations

import streamlit as st

from app.budget.points import View
from app.budget.thresholds import name_of
from app.numbers import between
from app.units import macs_text
from drnn_core.commands.curves import Point


def nearest(curve: dict[float, Point], threshold: float) -> list[tuple[float, Point]]:
    """The last measured threshold below and the first above, by threshold; none that are not.

    Args:
        curve: measured points by their threshold, of all gates, rising.
        threshold: of all gates; where it is measured itself, there is nothing to tell.
    """
    if threshold in curve:
        return []
    below = [value for value in curve if value < threshold]
    above = [value for value in curve if value > threshold]
    return [(value, curve[value]) for value in (*below[-1:], *above[:1])]


def told(view: View, threshold: float | None) -> None:
    """A line under the bounds: what the whole network did at the nearest thresholds.

    Nothing is drawn between them: error and cost need not move evenly from one to the other.
    """
    found = [] if threshold is None else nearest(view.curve(), threshold)
    if not found:
        return
    lines = [f"at {name_of(value)}: {_figures(point)}" for value, point in found]
    st.caption(
        "Measured beside it, " + "; ".join(lines) + ". Run the network to know what lies between."
        if len(found) > 1
        else f"Measured nearest, {lines[0]}. Run the network to know it here."
    )


def _figures(point: Point) -> str:
    error, loops, macs = point.found.error, point.found.loops, point.found.macs
    return (
        f"error {error.value:.2f} % ({between(error.low, error.high)} %), {loops.value:.2f} loops, "
        f"{macs_text(macs.value)} multiply-adds (n = {point.found.n:,})"
    )
