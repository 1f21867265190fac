"""The top of the page: bring pictures of one's own, or take a sample."""

from __future__ import annotations

from html import escape

import streamlit as st

from app import cache
from app.inspection import components
from app.inspection.choice import SAMPLE, choose
from app.inspection.inbox import Inbox
from app.inspection.pictures import Picture
from app.inspection.predictions import prediction_of
from app.numbers import percent
from drnn_core.data.pictures import PictureError
from drnn_core.inference.predictor import Predictor

_INBOX = "inspect_inbox"
_CHANGED = "inspect_uploads_changed"
_GRID, _TABLE = "inspect_samples", "inspect_comparison"


def inbox() -> Inbox:
    """This session's pictures."""
    return st.session_state.setdefault(_INBOX, Inbox())


def show_uploader(run: cache.Run, predictor: Predictor) -> None:
    """Take pictures in; the first new one is inspected at once."""
    box = inbox()
    uploads = st.file_uploader(
        "Your pictures (JPEG, PNG or WebP)",
        accept_multiple_files=True,
        key=f"inspect_uploads_{box.generation}",
        on_change=_note_change,
    )
    components.paste_button()
    # No extension is asked for above: the content decides, and every refusal is our sentence.
    changed = st.session_state.get(_CHANGED, False)
    bar = st.empty()

    def progress(count: int, of: int, picture: Picture | None) -> None:
        if picture:
            _predict(run, predictor, picture, box)
        if of > 1:
            bar.progress(count / of, f"Reading and predicting: {count} of {of}")

    arrived = box.follow(uploads, changed, progress)
    st.session_state[_CHANGED] = False
    bar.empty()
    if arrived:
        choose("upload", arrived[0])


def show_refused() -> None:
    """A sentence for each file that is no picture for us."""
    refused = inbox().refused
    if not refused:
        return
    count = len(refused)
    kept = "; the other pictures are below." if inbox().pictures else "."
    with st.container(border=True):
        st.markdown(f"**{count} file{'s' if count > 1 else ''} could not be opened**{kept}")
        lines = "".join(f"<li>{escape(reason)}</li>" for reason in refused.values())
        st.html(f'<ul class="ls-refused">{lines}</ul>')


def show_samples(run: cache.Run, samples: dict[str, Picture], shown: Picture | None) -> None:
    """The grid of samples."""
    assert run.info is not None
    st.markdown("Samples, six of each class from easy to hard")
    items = [
        {"id": id_, "title": f"{picture.truth}, sample {picture.name}"}
        for id_, picture in samples.items()
    ]
    tiles = [picture.scene.image for picture in samples.values() if picture.scene]
    chosen = next((id_ for id_, each in samples.items() if each is shown), "")
    components.pick(_GRID, "Sample pictures", tiles, items, chosen, _on_sample)
    if not {picture.truth for picture in samples.values()} <= set(run.info.classes):
        st.caption(
            f"Drawn pictures. This run was trained on {run.info.dataset} and answers with the "
            "classes of that set."
        )


def show_comparison(run: cache.Run, predictor: Predictor, shown: Picture | None) -> None:
    """All pictures that the user brought, side by side; only where there is a choice."""
    pictures = inbox().pictures
    if not pictures or (len(pictures) == 1 and shown in pictures.values()):
        return
    with st.spinner(f"Predicting {len(pictures)} pictures…", show_time=True):
        predictions = {key: prediction_of(run, predictor, each) for key, each in pictures.items()}
    items = [
        {
            "id": key,
            "title": each.name,
            "name": each.name,
            "answer": predictions[key].top[0][0],
            "confidence": predictions[key].top[0][1],
            "percent": percent(predictions[key].top[0][1]),
            "loops": predictions[key].loops,
            "blocks": [
                {"name": block.name, "ran": int(ran), "most": block.loops}
                for block, ran in zip(predictor.layout, predictions[key].block_loops, strict=True)
            ],
        }
        for key, each in pictures.items()
    ]
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.subheader(f"Your {len(pictures)} pictures", anchor=False, width="content")
        st.button("Clear all", on_click=_clear)
    tiles = [prediction.seen for prediction in predictions.values()]
    chosen = next((key for key, each in pictures.items() if each is shown), "")
    components.pick(_TABLE, "Your pictures", tiles, items, chosen, _on_upload, table=True)


def _predict(run: cache.Run, predictor: Predictor, picture: Picture, box: Inbox) -> None:
    try:
        prediction_of(run, predictor, picture)
    except (PictureError, MemoryError) as error:
        del box.pictures[picture.key]
        box.refused[picture.key.removeprefix("upload-")] = str(error)


def _note_change() -> None:
    st.session_state[_CHANGED] = True


def _on_sample() -> None:
    choose(SAMPLE, st.session_state[_GRID]["picked"])


def _on_upload() -> None:
    choose("upload", st.session_state[_TABLE]["picked"])


def _clear() -> None:
    inbox().clear()
