"""What the page Saliency & loops draws and says, piece by piece."""

from __future__ import annotations

import base64
import dataclasses
import io
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from app import charts
from app.saliency.check_figure import check_figure, check_table, level_names
from app.saliency.check_texts import MARKS
from app.saliency.controls import evidence_choice
from app.saliency.figures import class_figure, class_table, density_table, means_figure
from app.saliency.measures import Related
from app.saliency.overlay import image_html, overlay
from app.saliency.texts import by_chance, sentence
from drnn_core.analysis.bootstrap import Estimate
from drnn_core.analysis.by_loops import density, means_by_loops
from drnn_core.analysis.relations import Relation
from drnn_core.analysis.saliency_sanity import SanityCheck, SanityLevel

CHOICE = evidence_choice("saliency", "entropy")


def relation(rho: float, reach: float = 0.05, n: int = 500) -> Relation:
    return Relation(rho, rho - reach, rho + reach, 0.01, n, 0.95)


NOTHING = relation(math.nan)


def related(whole: Relation, inside: Relation = NOTHING, given: Relation = NOTHING) -> Related:
    loops, values = np.array([0, 1, 1, 2] * 5), np.linspace(0, 1, 20)
    classes = {0: relation(0.3), 1: relation(-0.2), 2: NOTHING}
    return Related(
        whole,
        inside,
        given,
        classes,
        means_by_loops(loops, values),
        density(loops, values, 2),
        True,
    )


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            related(relation(0.05, 0.01)),
            "higher entropy of the evidence**; the relation is very weak.",
        ),
        (related(relation(-0.35)), "lower entropy of the evidence**; the relation is moderate."),
        (related(relation(0.02)), "do not differ in **entropy of the evidence**, as far as 500"),
        (related(NOTHING), "there is no correlation"),
        (related(relation(0.3), relation(0.2)), "Within classes it holds (ρ = 0.20)."),
        (related(relation(0.3), relation(-0.2)), "Within classes, those that loop more have lower"),
        (
            related(relation(0.3), given=relation(0.01)),
            "Among images of equal confidence none is seen (ρ = 0.01).",
        ),
    ],
)
def test_the_finding_in_words(found: Related, words: str) -> None:
    assert words in sentence(found, CHOICE)


def test_classes_are_in_order_and_those_that_differ_from_zero_filled() -> None:
    found = related(relation(0.1), relation(0.15))
    table = class_table(found, ("cat", "dog", "eel"))
    assert table["name"].tolist() == ["cat", "dog", "eel"]
    found.by_class[1] = relation(-0.02)
    figure: Any = class_figure(class_table(found, ("cat", "dog", "eel")), found, charts.LIGHT)
    colours = figure.data[0].marker.color
    assert colours == (charts.LIGHT.ran, charts.LIGHT.background)
    assert [shape.x0 for shape in figure.layout.shapes] == [0.0, 0.15]


def test_means_of_few_images_are_left_out() -> None:
    found = related(relation(0.1))
    means = pd.DataFrame(
        {"loops": [1, 2, 3], "n": [40, 30, 2], "mean": [0.4, 0.5, 0.9], "low": [0.3, 0.4, -5.0],
         "high": [0.5, 0.6, 7.0]}
    )  # fmt: skip
    wide = dataclasses.replace(found, means=means)
    figure: Any = means_figure(wide, "entropy", 16, charts.LIGHT)
    assert list(figure.data[0].x) == [1, 2]
    low, high = figure.layout.yaxis.range
    assert 0.2 < low < 0.3
    assert 0.6 < high < 0.7


def test_the_densitys_table_has_every_image() -> None:
    table = density_table(density([0, 0, 2], [0.1, 0.2, 0.9], 2))
    assert table["images"].sum() == 3
    assert table.loc[table["loops"] == 2, "images"].tolist() == [1]


def check(last: float, reach: float = 0.05) -> SanityCheck:
    def level(part: str, rank: float) -> SanityLevel:
        found = Estimate(rank, rank - reach, rank + reach, 8, 0.95)
        return SanityLevel(part, found, found, np.zeros((8, 4, 4), np.float32))

    strangers = Estimate(0.2, 0.1, 0.3, 8, 0.95)
    parts = (level("", 1.0), level("classifier", 0.8), level("stages.2", 0.6), level("stem", last))
    return SanityCheck(parts, strangers, 2)


def test_levels_of_the_check_have_names_for_people() -> None:
    assert level_names(check(0.1)) == ["trained", "classifier", "+ stage 3", "+ stem"]


def test_the_checks_figure_tells_methods_apart_without_colour() -> None:
    found = {"saliency": check(0.1), "grad_cam": check(0.7)}
    figure: Any = check_figure(found, charts.DARK)  # pyright: ignore[reportArgumentType]
    assert [line.name for line in figure.data] == ["Saliency", "Grad-CAM"]
    assert len({line.line.dash for line in figure.data}) == 2
    assert len({line.marker.symbol for line in figure.data}) == 2
    assert [shape.y0 for shape in figure.layout.shapes] == [0.5]
    table = check_table(found)  # pyright: ignore[reportArgumentType]
    assert table[table["random"] == "+ stem"]["rank"].tolist() == [0.1, 0.7]
    assert [MARKS[one.verdict] for one in found.values()] == ["✓", "⚑"]


def test_an_overlay_shows_evidence_and_outline() -> None:
    seen = np.full((32, 32, 3), 100, np.uint8)
    evidence = np.zeros((32, 32), np.float32)
    evidence[4, 4], evidence[20, 20] = 1.0, -1.0
    mask = np.zeros((32, 32), bool)
    mask[10:14, 10:14] = True
    drawn = overlay(seen, evidence, mask)
    assert drawn.shape == (128, 128, 3)
    warm, cold, plain = drawn[18, 18], drawn[82, 82], drawn[2, 2]
    assert warm[0] > warm[2] + 100
    assert cold[2] > cold[0] + 100
    assert len(set(plain.tolist())) == 1
    assert (drawn[39, 40:56] == 255).all()
    assert (drawn[38, 40:56] == 0).all()
    large = overlay(np.zeros((224, 224, 3), np.uint8), np.zeros((224, 224), np.float32), None)
    assert large.shape == (224, 224, 3)


def test_a_picture_has_words_and_every_pixel() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    markup = image_html(pixels, 'a "cat" & dog')
    assert 'alt="a &quot;cat&quot; &amp; dog"' in markup
    data = markup.partition("base64,")[2].partition('"')[0]
    found = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    np.testing.assert_array_equal(found, pixels)


def test_one_of_twenty_relations_is_bold_by_chance() -> None:
    found = [by_chance(count) for count in (1, 5, 6, 10, 24, 30)]
    assert found == ["0.1", "0.3", "0.3", "0.5", "1.2", "1.5"]
