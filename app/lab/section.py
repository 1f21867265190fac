"""The lab: change the picture, and the network's answer and path follow, beside the original's."""

from __future__ import annotations

from functools import lru_cache
from html import escape

import streamlit as st

from app import charts
from app.charts import Palette
from app.downloads import tables
from app.inspection.components import drawing, small_uri
from app.inspection.path import NetworkPath
from app.inspection.pictures import png_of
from app.inspection.predictions import path_of
from app.lab import bench
from app.lab.along import show_along
from app.lab.answers import Subject, answer, evidence, seconds_of_one
from app.lab.changes import Change, changes, compared, gate_table
from app.lab.factors import from_text, to_text
from app.numbers import percent
from app.pathpicture import legend, path_html
from drnn_core.analysis.edits import Edit, usual_box
from drnn_core.inference.prediction import Prediction

EDIT, SALIENCY = "edit", "saliency"
_BENCH = "lab_bench"
_LONGEST = 200  # letters of an edit


@st.fragment
def show_lab(subject: Subject) -> None:
    """Draw the lab; a fragment, so that a slider redraws nothing else."""
    st.subheader(
        "Change the picture",
        anchor=False,
        help=(
            "Everything is changed at the size that the network sees, one after another: "
            "rotation, scale, contrast, brightness, blur, box, noise, JPEG. The noise is the same "
            "whenever this picture is opened."
        ),
    )
    top, choices, paths = st.container(), st.container(), st.container()
    with choices:
        text, toggle, save = st.columns([20, 14, 7], vertical_alignment="bottom", gap="medium")
    with text:
        edit = _edit()
    with toggle:
        with_evidence = _evidence_wanted()
    found = answer(subject, edit)
    before = path_of(subject.predictor, subject.original)
    after = compared(path_of(subject.predictor, found), before)
    # The path first: the pictures with their evidence take longer.
    with paths:
        _show_paths(subject, found, before, after)
    with top:
        _show_bench(subject, edit, found, after, with_evidence)
    if subject.slow:
        st.caption(
            f"This network takes about {seconds_of_one(subject):.1f} s for a picture here: the "
            "path follows a slider at that pace."
        )
    with save:
        _save(subject, found, after)
    show_along(subject, edit, _set_edit)


def _edit() -> Edit:
    """What is changed, and the field that holds it, in the address too."""
    text = st.text_input(
        "Changes as text",
        key=EDIT,
        bind="query-params",
        max_chars=_LONGEST,
        placeholder="blur 1.2 box 25 30 40 40",
        help=(
            "What the sliders say, to be copied or typed; the address holds it too. "
            "A box is left, top, width and height in % of the picture."
        ),
    )
    edit, problems = from_text(text or "")
    if problems:
        st.warning(f"Left out of the changes: {'; '.join(problems)}.")
    return edit


def _evidence_wanted() -> bool:
    return st.toggle(
        "Saliency on both pictures",
        key=SALIENCY,
        bind="query-params",
        help=(
            "How steeply the logit of the answer rises or falls with a pixel, each picture "
            "for its own answer, with its own decisions of the gates."
        ),
    )


def _save(subject: Subject, found: Prediction, after: NetworkPath) -> None:
    name = f"{subject.name} changed"
    with st.popover("⤓ Save", type="tertiary", width="content"):
        st.download_button(
            "Changed picture as PNG",
            lambda: png_of(found.seen),
            f"{name}.png",
            on_click="ignore",
            width="stretch",
            key="lab_png",
        )
        if after.recursive:
            tables(f"{name} gates", lambda: gate_table(after), "lab_gates", "Gates")


def _show_bench(
    subject: Subject, edit: Edit, found: Prediction, after: NetworkPath, with_evidence: bool
) -> None:
    original = subject.original
    pixels = [original.seen, found.seen]
    words = ["the picture as it is", "the picture as changed"]
    maps = [evidence(subject, each) if with_evidence else None for each in (Edit(), edit)]
    changed = bool(edit.factors)
    captions = [
        bench.caption("as it is", original),
        bench.caption("as changed", found, original) if changed else _NOTHING,
    ]
    markups = [bench.markup(*each) for each in zip(pixels, words, maps, strict=True)]
    pictures = [
        {"markup": drawn, "caption": said} for drawn, said in zip(markups, captions, strict=True)
    ]
    bench.bench(
        _BENCH,
        edit,
        usual_box(subject.number),
        pictures,
        difference(original, found, changes(after)) if changed else "",
        _on_edit,
    )


_NOTHING = "<div>nothing changed yet</div><div>Move a slider, or drag a box on this picture.</div>"


def _on_edit() -> None:
    edit, _ = from_text(bench.asked(_BENCH))
    _set_edit(edit)


def _set_edit(edit: Edit) -> None:
    st.session_state[EDIT] = to_text(edit)


def _show_paths(
    subject: Subject, found: Prediction, before: NetworkPath, after: NetworkPath
) -> None:
    colours = charts.palette()
    with st.container(gap="small"):
        drawing(_titled("As it is", subject.original, before, colours), "lab_path_before")
        if found is not subject.original:
            key = _differences(changes(after), bool(before.recursive))
            drawing(
                _titled("As changed", found, after, colours) + key + legend(after, colours),
                "lab_path",
            )


def _titled(title: str, found: Prediction, path: NetworkPath, colours: Palette) -> str:
    loops = f": {found.loops} of {found.loops_max} loops" if found.loops_max else ""
    return (
        f'<div class="ls-title">{title}{loops}</div>{_drawn(path, colours, small_uri(found.seen))}'
    )


@lru_cache(maxsize=16)
def _drawn(path: NetworkPath, colours: Palette, image: str) -> str:
    return path_html(path, colours, image)


def _differences(found: list[Change], loops: bool) -> str:
    """The gates that decide otherwise, one a line."""
    if not loops:
        return '<div class="ls-legend">This network has no loops: only its answer can change.</div>'
    if not found:
        return '<div class="ls-changes"><p>Every gate decides as before.</p></div>'
    rows = "".join(f"<li>{escape(each.in_words())}</li>" for each in found)
    many = "One gate decides" if len(found) == 1 else f"{len(found)} gates decide"
    return f'<div class="ls-changes"><p>{many} otherwise (outlined):</p><ul>{rows}</ul></div>'


def difference(before: Prediction, after: Prediction, found: list[Change]) -> str:
    """What the change changed, in a sentence."""
    (was, sure), (now, now_sure) = before.top[0], after.top[0]
    words = [f"{now} {percent(now_sure)}"]
    words[0] += f" instead of {was} {percent(sure)}" if was != now else f", before {percent(sure)}"
    if after.loops_max:
        words.append(f"{after.loops} loops, before {before.loops}")
        words += [each.in_words() for each in found] or ["every gate decides as before"]
    return "; ".join(words) + "."
