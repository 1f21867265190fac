"""Taking an operating point along: a new run beside this one, whose gates stand there."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from pathlib import Path

import streamlit as st

from app import cache, waiting
from app.budget.controls import Setting
from app.budget.points import View
from app.budget.thresholds import name_of
from app.images import NoPictures, Pictures
from app.jobs import JOBS, Tell, me
from app.waiting import Wait, Words
from drnn_core.store.operating_point import operating_point_of

_NAME = "budget_new_run"
_STARTED = "budget_export"  # key of the job that this session started, of each run
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")


def panel(view: View, setting: Setting, pictures: Pictures | NoPictures) -> None:
    """Write the new run, or show how; says when it is done."""
    st.subheader(
        "Take it along",
        anchor=False,
        help=(
            "Writes a new run beside this one: the same weights with the gates' biases moved, "
            "measured on the test images, with records of its own. This run stays as it is; "
            "deleting the new folder undoes it. drnn evaluate, predict and records, and every "
            "page here, read it as any other run."
        ),
    )
    if _moved_already(view):
        st.caption(
            "The gates of this run were moved already; start from the run as it was trained."
        )
        return
    if setting.trained:
        st.caption("Move the threshold first: where it stands now, the run is as it was trained.")
        return
    folder = view.run.folder.parent
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "Name of the new run",
            _proposed(view, setting),
            key=f"{_NAME}_{view.run.name}_{hash(setting.blocks)}",
            max_chars=80,
            width=300,
            help=f"A folder in {folder}: letters, digits, dots, - and _.",
        )
        problem = _problem(folder, name)
        pressed = st.button(
            "Write the run",
            disabled=bool(problem) or isinstance(pictures, NoPictures),
            help=problem or (pictures.in_markdown if isinstance(pictures, NoPictures) else None),
        )
    if problem:
        st.caption(problem)
    started = f"{_STARTED}_{view.run.name}"
    if pressed and not problem and isinstance(pictures, Pictures):
        key = _key(view, folder / name, setting)
        JOBS.start(key, _work(view, folder / name, setting, pictures), me())
        st.session_state[started] = key
    _progress(folder, st.session_state.get(started))
    with st.expander("The same on the command line"):
        st.code(command(view, setting, folder / name), language=None, wrap_lines=True)


def command(view: View, setting: Setting, out: Path) -> str:
    """The command that writes the same run."""
    single = setting.single
    if single is not None:
        apply = name_of(single)
    else:
        blocks = zip(view.facts.layout, setting.blocks, strict=True)
        moved = [f"{b.name}={name_of(t)}" for b, t in blocks if b.gated and t != 0.5]
        apply = " ".join(moved)
    return f"drnn budget {view.run.folder} --data D --apply {apply} --out {out}"


def _moved_already(view: View) -> bool:
    assert view.run.info is not None
    try:
        return operating_point_of(view.run.info) is not None
    except ValueError:
        return True


def _proposed(view: View, setting: Setting) -> str:
    single = setting.single
    return (
        f"{view.run.name}_at_{name_of(single)}" if single is not None else f"{view.run.name}_moved"
    )


def _problem(folder: Path, name: str) -> str:
    """Why no run can be written under a name; "" where one can."""
    if not _PLAIN.fullmatch(name):
        return "The name takes letters, digits, dots, - and _, and begins with a letter or digit."
    if (folder / name).exists():
        return f"There is a folder {name} already: nothing is ever overwritten."
    return ""


def _work(view: View, out: Path, setting: Setting, pictures: Pictures) -> Callable[[Tell], str]:
    folder, thresholds = view.run.folder, setting.blocks

    def work(tell: Tell) -> str:
        from drnn_core.commands.moved import move_gates

        move_gates(folder, out, thresholds, pictures.images, tell)
        return out.name

    return work


def _key(view: View, out: Path, setting: Setting) -> Hashable:
    """Of a job; one that is done was for a folder that is gone since."""
    weights = cache.stamp_of(view.run.folder / "model.safetensors")
    return JOBS.key_anew("move", view.run.folder, weights, out, setting.blocks)


def _progress(folder: Path, key: Hashable) -> None:
    job = None if key is None else JOBS.get(key)
    if job is None:
        return
    if job.state == "failed":
        st.error(f"The run was not written: {job.problem}")
    elif job.state == "done":
        written = f"The run {job.result} is written, with its records: choose it in the sidebar."
        if (folder / job.result).exists():
            st.success(written)
    elif job.state == "cancelled":
        st.caption("Cancelled.")
    else:
        words = Words("Writing", things="images, once to measure, once to record")
        wait = Wait(JOBS, (key,), words)
        waiting.show("budget_written", wait, wait.leave)
