"""Keeping a user's columns in the run, and removing them again; both by an explicit button."""

from __future__ import annotations

import re

import numpy as np
import streamlit as st

from app.columns import Brought
from app.joining.subject import View, empty_box, kept, kept_no_more
from drnn_core.store.columns import OWN, discard_columns, keep_columns
from drnn_core.store.manifest import RecordsError

_SAID = "joining_said"  # what became of the last button, for one run of the page
_NAME = re.compile(r"[a-z][a-z0-9_]{0,35}")


def panel(view: View) -> None:
    """What is kept, and the way to keep more."""
    st.subheader(
        "Kept in the run",
        anchor=False,
        help=(
            "A kept table lies in the run's folder under columns/, with checksums as the records "
            "have them, and everybody who opens the run sees it, here and on the command line. "
            "Numbers are rounded to about four digits. Removing it deletes that folder and "
            "nothing else."
        ),
    )
    kind, text = st.session_state.pop(_SAID, ("", ""))
    if kind == "error":
        st.error(text)
    elif kind:
        st.success(text)
    for name, columns in view.kept.items():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{name}**: {', '.join(columns)}", width="content")
            with st.popover("Remove", type="tertiary"):
                st.caption(
                    f"Deletes columns/{OWN}{name} of the run {view.run.name}, for everybody."
                )
                st.button("Remove it", key=f"remove_{name}", on_click=_remove, args=(view, name))
    if view.joined is None:
        if not view.kept:
            st.caption("Nothing is kept. Drop a table above; it can be kept then.")
        return
    if view.table.sampled:
        st.caption(
            "This run has more records than are joined here; `drnn join RUN FILE --keep NAME` "
            "keeps all."
        )
        return
    _keep_form(view, view.joined)


def _keep_form(view: View, joined: Brought) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "Name of the table",
            slug(joined.source),
            max_chars=36,
            width=280,
            key=f"keep_name_{joined.source}",
            help="Small letters, digits and _; it begins with a letter.",
        )
        problem = _problem(view, name)
        st.button(
            "Keep in the run",
            disabled=bool(problem),
            help=problem or f"Writes columns/{OWN}{name} into {view.run.folder}.",
            on_click=_keep,
            args=(view, joined, name),
        )
    if problem:
        st.caption(problem)


def slug(source: str) -> str:
    """A name for a table from that of its file."""
    stem = source.rsplit(".", 1)[0].lower()
    clean = re.sub(r"[^a-z0-9]+", "_", stem).strip("_")[:36]
    return clean if _NAME.fullmatch(clean) else f"table_{clean}"[:36].rstrip("_")


def _problem(view: View, name: str) -> str:
    if not _NAME.fullmatch(name):
        return "The name takes small letters, digits and _, and begins with a letter."
    if name in view.kept:
        return f"The run keeps a table {name} already: remove it first, or take another name."
    return ""


def _keep(view: View, joined: Brought, name: str) -> None:
    try:
        values = {key: np.asarray(column) for key, column in joined.values.items()}
        keep_columns(view.run.folder, name, values)
    except (RecordsError, OSError) as error:
        st.session_state[_SAID] = ("error", f"The columns were not kept: {error}")
        return
    kept(view.run, joined.fingerprint, name)
    empty_box()
    st.session_state[_SAID] = ("done", f"The run keeps {name} now.")


def _remove(view: View, name: str) -> None:
    try:
        discard_columns(view.run.folder, f"{OWN}{name}")
    except (RecordsError, OSError) as error:
        st.session_state[_SAID] = ("error", f"The columns were not removed: {error}")
        return
    kept_no_more(view.run, name)
    st.session_state[_SAID] = ("done", f"The table {name} is removed.")
