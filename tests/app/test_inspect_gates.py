"""Gate by gate: what stands on the axis of probabilities, and what below it."""

from __future__ import annotations

import re
from typing import Any, cast

import numpy as np

from app.charts import LIGHT
from app.inspection.gates import Spread, spreads_of
from app.inspection.path import network_path
from app.inspection.standing import decision_figure, decision_table
from drnn_core.models.registry import create_model


def test_decisions_as_a_table_and_a_chart() -> None:
    path = network_path(
        create_model("dr_resnet16_l2", blocks=(2, 2, 2), loops=(1, 2, 2)).stage_layouts,
        32,
        ("x", ""),
        asked=np.array([1, 1, 1, 0], bool),
        ran=np.array([1, 1, 0, 0], bool),
        prob=np.array([0.9, 0.6, 0.2, np.nan], np.float32),
    )
    spreads = [Spread(0.3, 0.7, 0.8, 9), Spread(0.4, 0.5, 0.6, 5), None, Spread(0.1, 0.2, 0.3, 1)]
    table = decision_table(path, [0.5, None, 0.75, 1.0], spreads)
    assert table["Decision"].tolist() == ["ran", "ran", "closed", "not asked"]
    assert table["Block"].tolist() == ["2.2", "2.2", "3.2", "3.2"]
    np.testing.assert_allclose(table["Gate"], [0.9, 0.6, 0.2, np.nan], rtol=1e-6)
    np.testing.assert_allclose(table["Opens in the run"], [0.5, np.nan, 0.75, 1.0])
    figure = cast(Any, decision_figure(table, LIGHT))
    run, ran, closed, unasked = figure.data
    kinds = [trace.marker.symbol for trace in (ran, closed, unasked)]
    assert kinds == ["circle", "x-thin", "circle-open"]
    assert list(run.x) == [*ran.x, *closed.x, *unasked.x] == [0, 1, 3, 4]
    # what stands on the axis of probabilities are probabilities, and who has none is below it
    np.testing.assert_allclose(run.y, [0.7, 0.5, np.nan, 0.2])
    np.testing.assert_allclose(run.y + run.error_y.array, [0.8, 0.6, np.nan, 0.3])
    np.testing.assert_allclose(run.y - run.error_y.arrayminus, [0.3, 0.4, np.nan, 0.1])
    np.testing.assert_allclose([*ran.y, *closed.y], [0.9, 0.6, 0.2], rtol=1e-6)
    assert unasked.y[0] < 0
    axis = figure.layout.yaxis
    assert dict(zip(axis.tickvals, axis.ticktext, strict=True))[unasked.y[0]] == "not asked"
    assert figure.layout.showlegend
    assert len({trace.name for trace in figure.data}) == 4
    for trace in figure.data:
        places = [int(place) for place in re.findall(r"customdata\[(\d+)]", trace.hovertemplate)]
        assert max(places) < len(trace.customdata[0]), "all that the words name is there"


def test_decisions_where_every_gate_was_asked_and_nothing_was_recorded() -> None:
    flags = np.ones(4, bool)
    path = network_path(
        create_model("dr_resnet16_l2", blocks=(2, 2, 2), loops=(1, 2, 2)).stage_layouts,
        32,
        ("x", ""),
        asked=flags,
        ran=flags,
        prob=np.full(4, 0.9, np.float32),
    )
    figure = cast(Any, decision_figure(decision_table(path, []), LIGHT))
    assert [trace.name for trace in figure.data] == ["this image: loop ran"]
    assert "not asked" not in figure.layout.yaxis.ticktext
    assert figure.layout.yaxis.range[0] > -0.1


def test_spreads_are_of_the_images_that_asked() -> None:
    prob = np.full((12, 3), np.nan, np.float32)
    prob[:11, 0] = np.arange(11) / 10  # quantiles by hand: every tenth
    prob[4, 2] = 0.25
    first, nobody, alone = spreads_of(prob)
    assert first is not None
    np.testing.assert_allclose(first, [0.1, 0.5, 0.9, 11], rtol=1e-6)
    assert nobody is None
    assert alone == (0.25, 0.25, 0.25, 1)
