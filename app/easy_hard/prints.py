"""The contact sheet of what the page shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app import cache
from app.easy_hard.comparison import View, rule_words
from app.easy_hard.sheet import Column, Tile, contact_sheet
from app.easy_hard.tiles import pixels_of
from app.images import Pictures

NOTE = "Below each picture: its executed loops, of at most {most}; × and a frame: answered wrong."


def sheet_of(view: View, rows: int, pictures: Pictures) -> bytes:
    """PNG of the classes that the page shows, ``rows`` easy and hard images of each."""
    assert view.run.info is not None
    columns = [
        Column(
            view.classes[gallery.label],
            _tiles(view, view.to_show(gallery.easy, rows), pictures),
            _tiles(view, view.to_show(gallery.hard, rows), pictures),
        )
        for gallery in view.shown
    ]
    note = NOTE.format(most=cache.facts(view.run).loops_max)
    return contact_sheet("Easy and hard images", lines_of(view), columns, note)


def lines_of(view: View) -> list[str]:
    """What the sheet is of: the run, the rule, how many images."""
    assert view.run.info is not None
    header, loops = view.table.header, view.table.frame["loops"].to_numpy()
    of = f"a sample of {len(loops):,} of " if view.table.sampled else ""
    network = f"{view.run.info.title}, run {view.run.name}"
    lines = [f"{network}, on {header.dataset}: {of}{header.rows:,} images"]
    for name, words, rows in zip(("Easy", "Hard"), rule_words(view.rule), view.ends, strict=True):
        mean = f", {loops[rows].mean():.2f}\u00a0loops on average" if len(rows) else ""
        lines.append(f"{name}: {words} (n\u00a0=\u00a0{len(rows):,}{mean})")
    if view.correct is not None:
        lines.append(f"Images answered {'right' if view.correct else 'wrong'} only")
    if view.among is not None:
        lines.append(f"Images with {view.among.words} only")
    if len(view.shown) < len(view.found):
        lines.append(f"{len(view.shown)} of {len(view.found):,} classes")
    return lines


def _tiles(view: View, rows: NDArray[np.int64], pictures: Pictures) -> list[Tile]:
    part = view.table.frame[["index", "prediction", "correct", "loops"]].iloc[rows]
    drawn = pixels_of(pictures.pixels, part["index"].to_numpy().astype(np.int64))
    return [
        Tile(picture, int(loops), "" if correct else view.classes[int(prediction)])
        for (_, prediction, correct, loops), picture in zip(
            part.itertuples(index=False), drawn, strict=True
        )
    ]
