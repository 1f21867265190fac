"""Names of classes and of image sets stand in Markdown as they are."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from app.images import NoPictures

NAME, SHOWN = "*[a](b)* $c$", r"\*\[a\]\(b\)\* \$c\$"

CAPTIONS = f"""
from types import SimpleNamespace as Stand

import numpy as np
import pandas as pd

from app.distribution.texts import gallery_filters
from app.easy_hard.texts import ties_note
from app.images import NoPictures
from app.saliency.examples import _tile
from drnn_core.analysis.galleries import ByCount
from drnn_core.analysis.loops import Selection

classes = [{NAME!r}]
gallery_filters(Selection(labels=(0,)), classes, Stand(loops_max=4, asks=[True]))
tied = Stand(label=0, easy=range(9), hard=range(2))
of_end = Stand(rule=ByCount(4, with_ties=True), found=[tied], classes=classes)
of_end.last_of = lambda rows: "9 run 2 loops"
ties_note(of_end)
frame = pd.DataFrame({{"label": [0], "index": [7], "loops": [3]}})
view = Stand(table=Stand(frame=frame), classes=classes, values={{"x": np.array([0.5])}})
_tile(view, Stand(name="x", method=None), 0, NoPictures(""), None, 0)
"""


def test_names_of_classes() -> None:
    page = AppTest.from_string(CAPTIONS, default_timeout=60).run()
    assert not page.exception, page.exception
    filters, ties, tile = (each.value for each in page.caption)
    assert filters == SHOWN
    assert f"({SHOWN}, where 9 run 2 loops)" in ties
    assert tile.endswith(f"{SHOWN}, 3 loops")


def test_the_name_of_an_image_set() -> None:
    missing = NoPictures(f"The pictures of {NAME} are not here.")
    assert missing.in_markdown == rf"The pictures of {SHOWN} are not here\."
