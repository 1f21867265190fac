"""Running statistics against executed images, of one run or of two beside each other."""

from __future__ import annotations

import numpy as np
import streamlit as st

from app import cache, charts
from app.norms import controls, depth, job, marks, pair, texts
from app.norms.depth import Series
from app.norms.depth_table import tables_of
from app.norms.found import Found, alike, found_in, measured

_MEAN, _VARIANCE = "norms_mean_bias", "norms_variance_bias"


def section(run: cache.Run, found: Found, block: str, norm: str) -> None:
    """The section, with the choice of a second run where there is one of the same shape."""
    texts.bias_title(found.header.parts)
    others = alike(run, cache.list_runs())
    chosen = controls.beside_control(others)
    if not others:
        texts.no_other_run()
    other = None if chosen is None else _statistics(chosen, found)
    _figures(run, found, other, block, norm)
    if other is not None:
        pair.compared(found, other)


def _statistics(run: cache.Run, first: Found) -> Found | None:
    """Of the second run; None, with what to do, where they cannot be used."""
    if not measured(run):
        texts.missing(run.name)
        job.offer(run)
        return None
    try:
        found = found_in(run)
    except (ValueError, OSError) as error:
        texts.damaged(str(error))
        return None
    if not found.same_shape(first):
        texts.another_shape(run.name)
        return None
    return found


def _figures(run: cache.Run, found: Found, other: Found | None, block: str, norm: str) -> None:
    colours = charts.palette()
    both = [(found, "circle", colours.ran, "solid")]
    if other is not None:
        both.append((other, "diamond", colours.wrong, "dot"))
        marks.runs_key(found, other, "norms_runs")
        st.space("small")  # long names would meet the figure's button
    else:
        marks.depth_key(found, norm, "norms_bias_key", shuffled=False)
    apart = 0.0 if other is None else 0.13
    for column, key, name, unit, right in zip(
        st.columns(2, gap="large"),
        (_MEAN, _VARIANCE),
        ("mean_bias", "variance_shift"),
        ("running mean off by, sd", "running / true variance"),
        (0.0, 1.0),
        strict=True,
    ):
        ratio = name == "variance_shift"
        series = [
            Series(each, norm, name, each.kind, symbol, tone, ratio, shift, dash)
            for (each, symbol, tone, dash), shift in zip(both, (-apart, apart), strict=False)
        ]
        with column:
            charts.show(
                depth.depth_figure(
                    series, block, unit, colours, right if ratio else None, beside=other is None
                ),
                f"{run.name} {name} over depth",
                key=key,
                data=lambda series=series: tables_of(series),
                alt=_alt(found, norm, name, unit, ratio),
            )


def _alt(found: Found, norm: str, name: str, unit: str, ratio: bool) -> str:
    rows = found.rows(norm)
    values = np.exp(rows[name]) if ratio else rows[name]
    return texts.places_alt(f"{unit}, {norm}", rows, values.tolist())
