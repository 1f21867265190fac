"""The pages at ImageNet's size: a thousand classes of long names, many blocks, large pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from app import cache
from app.charts import LIGHT
from app.distribution import breakdowns
from app.images import Pictures, pictures_of
from app.inspection.path import network_path
from app.inspection.pictures import Picture
from app.inspection.sources import record_picture
from app.inspection.standing import decision_figure, decision_table
from app.markdown import escaped
from app.settings import RUNS_VARIABLE
from drnn_core.analysis.loops import step_table, summary
from drnn_core.data.generated import LargeGeneratedSet
from drnn_core.data.sets import MemorySet, fingerprint_of
from drnn_core.data.transforms import Preprocessing
from drnn_core.models.registry import create_model
from tests.app.fake_runs import fake_run
from tests.app.test_distribution_page import again, charts, opened, source_of, texts

CLASSES = tuple(f"class {number}, a name with <several> synonyms" for number in range(1000))
IMAGENET = Preprocessing(224, 256, False, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of a thousand classes, and of a network that loops without gates."""
    folder = tmp_path_factory.mktemp("large")
    rows = 3000
    images = MemorySet(
        "ImageNet",
        CLASSES,
        [f"val/{row}" for row in range(rows)],
        np.arange(rows) % len(CLASSES),
        fingerprint_of([b"large"]),
        torch.zeros(1, 3, 1, 1, dtype=torch.uint8).expand(rows, 3, 1, 1),
    )
    fake_run(folder / "mobile", model="dr_mobilenetv2", images=images, preprocessing=IMAGENET)
    fake_run(folder / "ungated", 40, "rcnn160")
    return folder


@pytest.fixture
def runs(large: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(RUNS_VARIABLE, str(large))
    return large


def class_rows(page: AppTest) -> list[str]:
    *_, chart = charts(page)
    return list(chart["layout"]["yaxis"]["ticktext"])


def test_both_ends_of_a_thousand_classes_and_the_chosen_ones(runs: Path) -> None:
    page = opened("mobile")
    assert source_of(page)["count"] == 3000
    rows = class_rows(page)
    assert len(rows) == breakdowns.MOST_CLASSES + 1
    assert sum("976 more" in row for row in rows) == 1
    assert not any("<several>" in row for row in rows), "names are text, not markup"
    (table,) = page.dataframe
    assert len(table.value) == 1000
    middle = str(table.value["name"].iloc[500])
    page.multiselect(key="class").set_value([middle])
    again(page)
    assert source_of(page)["count"] == 3
    rows = class_rows(page)
    assert sum("more" in row for row in rows) == 2
    assert sum(row.startswith(middle[:9]) for row in rows) == 1
    *_, chart = charts(page)
    assert middle in [point[0] for point in chart["data"][0]["customdata"]]


def test_many_chosen_classes_are_named_in_short(runs: Path) -> None:
    page = opened("mobile", **{"class": list(CLASSES[:7])})
    assert f"{escaped(CLASSES[3])} or 3 more" in texts(page)
    assert escaped(CLASSES[4]) not in texts(page)


def test_large_costs_have_a_short_unit(runs: Path) -> None:
    cost = next(metric for metric in opened("mobile").metric if metric.label == "Mean cost")
    assert cost.value.endswith("\u00a0M")
    assert "300.8\u00a0M" in str(cost.help)


def test_loops_without_gates_are_no_distribution(runs: Path) -> None:
    page = opened("ungated")
    assert "has no gates and runs all of its 12 loops" in texts(page)
    assert charts(page) == []
    assert source_of(page)["count"] == 40
    assert not page.slider(key="conf").disabled
    assert [slider.key for slider in page.slider] == ["conf"]


@given(
    count=st.integers(1, 400),
    chosen=st.sets(st.integers(0, 399), max_size=8),
)
def test_no_class_is_lost(count: int, chosen: set[int]) -> None:
    table = pd.DataFrame({"name": [f"c{k}" for k in range(count)], "n": 1, "mean": 1.0})
    names = [f"c{k}" for k in chosen if k < count]
    shown = breakdowns.shown_classes(table, names)
    there = shown[shown["n"] > 0]["name"].tolist()
    assert set(names) <= set(there)
    assert there == sorted(there, key=lambda name: int(name[1:]))
    hidden = shown[shown["n"] == 0]["name"]
    left_out = sum(int(text.split()[1].replace(",", "")) for text in hidden)
    assert len(there) + left_out == count
    assert len(there) <= breakdowns.MOST_CLASSES + len(names)


def test_of_many_blocks_the_stages_are_named() -> None:
    with torch.device("meta"):
        network = create_model("aig_resnet101")
    ran = np.ones((5, 33), np.int8)
    steps = step_table(ran, network.layout, 0.7)
    figure: Any = breakdowns.step_figure(steps, [1.0] * 33, None, LIGHT)
    assert list(figure.layout.xaxis.ticktext) == ["1", "2", "3", "4"]
    assert not figure.layout.annotations
    flags, prob = np.ones(33, bool), np.full(33, 0.9, np.float32)
    path = network_path(network.stage_layouts, 224, ("x", ""), flags, flags, prob)
    gates: Any = decision_figure(decision_table(path, []), LIGHT)
    assert list(gates.layout.xaxis.ticktext) == ["1", "2", "3", "4"]
    assert list(gates.layout.xaxis.tickvals) == sorted(gates.layout.xaxis.tickvals)
    few: Any = breakdowns.step_figure(
        step_table(np.ones((5, 2), np.int8), network.layout[:2]), [1, 1], None, LIGHT
    )
    assert list(few.layout.xaxis.ticktext) == ["1.1", "1.2"]
    assert len(few.layout.annotations) == 2


def test_a_class_of_one_image_has_a_bar() -> None:
    table = pd.DataFrame(
        {
            "name": ["a" * 40, "b"],
            "n": [1, 2],
            "mean": [3.0, 4.0],
            "std": [np.nan, 1.0],
            "error": 0.0,
        }
    )
    found = summary(np.array([3, 4, 4], np.int16))
    bars = cast(Any, breakdowns.class_figure(table, [], found, 9, LIGHT)).data[0]
    assert list(bars.x) == [0.0, 2.0]
    assert list(bars.base) == [3.0, 3.0]


def test_generated_images_at_another_size(tmp_path: Path) -> None:
    sizing = Preprocessing(80, 96, True, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    images = LargeGeneratedSet("test", sizing, 6)
    fake_run(tmp_path / "run", images=images, preprocessing=sizing)
    run = cache.open_run(tmp_path / "run")
    found = pictures_of(run, cache.table(run))
    assert isinstance(found, Pictures)
    assert not found.drawn, "they are kept nowhere, so none is drawn ahead"
    pixels = found.pixels(np.array([4]))
    assert (pixels[0] == images.images([4])[0].permute(1, 2, 0).numpy()).all()
    picture = record_picture(run, 4)
    prepared = sizing.prepare(picture.open(80)).permute(1, 2, 0).numpy()
    assert (prepared == pixels[0]).all(), "Inspect sees the image of the records to the bit"
    mask = picture.mask(sizing)
    assert mask is not None
    assert (mask == images.masks([4])[0]).all()
    assert Picture("upload-1", "one", picture.data).mask(sizing) is None


def test_large_generated_images_are_drawn_small_for_the_gallery(tmp_path: Path) -> None:
    images = LargeGeneratedSet("test", IMAGENET, 3)
    fake_run(tmp_path / "run", images=images, preprocessing=IMAGENET)
    run = cache.open_run(tmp_path / "run")
    found = pictures_of(run, cache.table(run))
    assert isinstance(found, Pictures)
    assert found.small(np.array([0, 2])).shape == (2, 96, 96, 3)
    assert found.pixels(np.array([0])).shape == (1, 224, 224, 3)
