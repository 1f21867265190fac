"""The page "Norm statistics" (figure 7), from top to bottom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from app import cache, charts, runpicker
from app.inspection.components import drawing
from app.inspection.path import network_structure
from app.norms import bias, channels, controls, depth, findings, job, marks, texts
from app.norms.depth_table import table_of
from app.norms.found import Found, found_in, measured, shape_of
from app.norms.picture import pick_block
from app.norms.seeds import other_seeds
from app.pathpicture import legend, path_html
from drnn_core.store.runinfo import RunError

_PICTURE, _DEPTH = "norms_network", "norms_depth"
_ACROSS = 4  # loops beside each other


@dataclass(frozen=True)
class View:
    """What every part of the page looks at; ``others`` are other seeds of the same training."""

    run: cache.Run
    found: Found
    block: str
    norm: str
    others: Sequence[Found]


def show() -> None:
    """Draw the page for the chosen run."""
    run = runpicker.require_run()
    try:
        facts = cache.facts(run)
    except RunError as error:
        texts.heading(run, None)
        texts.not_built(error)
        return
    if not facts.loops_max:
        texts.heading(run, None)
        texts.plain()
        return
    found = _statistics(run)
    if found is None:
        return
    texts.heading(run, found)
    findings.key_figures(found)
    others = other_seeds(run, found, cache.list_runs())
    findings.findings(found, others)
    st.divider()
    block, norm = _chosen(run, found)
    view = View(run, found, block, norm, others)
    _channels(view)
    st.divider()
    if found.skips:
        _depth(view)
        st.divider()
    bias.section(run, found, block, norm)
    texts.all_numbers(found)


def _statistics(run: cache.Run) -> Found | None:
    """The run's statistics; None, with the ways to get them, where there are none."""
    if measured(run):
        try:
            with st.spinner("Reading the statistics…", show_time=True):
                return found_in(run)
        except (ValueError, OSError) as error:
            texts.heading(run, None)
            texts.damaged(str(error))
    else:
        texts.heading(run, None)
        texts.missing()
    job.offer(run)
    return None


def _chosen(run: cache.Run, found: Found) -> tuple[str, str]:
    """The network's picture, and the choice of the block and its norm below it."""
    texts.network_title()
    place = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        block = controls.block_control(found)
        norm = controls.norm_control(found.norms(block))
    shape, colours = shape_of(run), charts.palette()
    path = network_structure(shape)
    with place:
        pick_block(_PICTURE, path_html(path, colours), block, controls.choose_block)
        drawing(legend(path, colours), "norms_rings")
        if shape.target is not None:
            texts.rings_note(found, block)
    return block, norm


@st.fragment
def _channels(view: View) -> None:
    """A figure for each loop; a fragment, so that another order draws nothing else anew."""
    texts.block_title(view.block, view.norm)
    look = controls.look_controls()
    loops = view.found.loops_of(view.block, view.norm)
    table = channels.channel_table(loops, look)
    drawn = channels.shown(table)
    ranges = channels.ranges_of(drawn)
    marks.groups_key(bool((table["skipped"] > 0).any()), "norms_groups")
    for first in range(0, len(loops), _ACROSS):
        some = loops[first : first + _ACROSS]
        for column, loop in zip(st.columns(min(_ACROSS, len(loops))), some, strict=False):
            rows = drawn[drawn["loop"] == loop.loop + 1]
            whole = table[table["loop"] == loop.loop + 1]
            with column:
                texts.loop_title(loop.loop + 1)
                charts.show(
                    channels.channel_figure(rows, ranges, look, charts.palette()),
                    f"{view.run.name} {view.block} {view.norm} loop {loop.loop + 1}",
                    key=f"norms_channels_{loop.loop}",
                    data=whole,
                    alt=texts.channels_alt(view.block, view.norm, whole, loop.loop + 1),
                )
                texts.loop_note(loop.executed.images, loop.skipped.images)
    texts.channels_note(drawn["place"].nunique(), table["place"].nunique(), look)


@st.fragment
def _depth(view: View) -> None:
    """The gap over depth; a fragment, so that another measure draws nothing else anew."""
    title = st.container()
    measure = controls.gap_control()
    marks.depth_key(view.found, view.norm, "norms_depth_key")
    with title:
        texts.depth_title(measure, view.found.header.parts)
    colour = charts.palette().ran
    series = depth.Series(
        view.found, view.norm, measure, view.norm, "circle", colour, positive=True
    )
    charts.show(
        depth.gap_figure(series, view.block, texts.UNITS[measure], charts.palette()),
        f"{view.run.name} {measure} over depth",
        key=_DEPTH,
        data=lambda: table_of(series),
        on_select=controls.on_point(_DEPTH),
        selection_mode="points",
        alt=texts.depth_alt(view.found, view.norm, measure),
    )
    findings.over_depth_note(view.found, view.others, view.norm, measure)
    if controls.picked_elsewhere(view.block):
        st.rerun(scope="app")
