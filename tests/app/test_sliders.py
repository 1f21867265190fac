"""Sliders whose ends depend on the run, while runs change and nobody touches them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app import cache
from app.easy_hard.comparison import first_limits
from tests.app.fake_runs import fake_run
from tests.app.inspect_pages import run_again

PAGE = """
from app import runpicker
from app.{name} import page

runpicker.choose_run()
page.show()
"""
RUNS = {"short": "dr_resnet16_l2", "deep": "dr_resnet32_l4", "middle": "dr_resnet40_l2"}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sliders")
    for seed, (name, model) in enumerate(RUNS.items()):
        fake_run(folder / name, 60, model, seed=seed)
    return folder


def opened(name: str, **params: Any) -> AppTest:
    page = AppTest.from_string(PAGE.format(name=name), default_timeout=60)
    for key, value in {"run": "short", **params}.items():
        page.query_params[key] = value
    return run_again(page)


def along_runs(page: AppTest) -> Iterator[str]:
    """Choose one run after another; as a browser does, send what every slider shows."""
    for run in ("middle", "deep", "short", "middle", "short", "deep"):
        for slider in page.slider:
            slider.set_value(shown(slider))
        page.selectbox(key="run").set_value(run)
        run_again(page)
        yield run


def shown(slider: Any) -> tuple[Any, ...]:
    found = slider.proto.value if slider.proto.set_value else slider.proto.default
    return tuple(type(slider.min)(end) for end in found)


def test_a_column_keeps_every_image(runs: Path) -> None:
    page = opened("distribution", where="entropy")
    ends = set[tuple[float, float]]()
    for _ in along_runs(page):
        slider = page.slider(key="between-entropy")
        assert shown(slider) == slider.value == (slider.min, slider.max)
        ends.add((slider.min, slider.max))
    assert len(ends) == len(RUNS), "or the test tells nothing"


@pytest.mark.parametrize(
    ("name", "params", "keys"),
    [("distribution", {}, ["loops"]), ("compare", {"with": "deep"}, ["loops_a", "loops_b"])],
)
def test_loops_keep_every_image(
    runs: Path, name: str, params: dict[str, Any], keys: list[str]
) -> None:
    page = opened(name, **params)
    for _ in along_runs(page):
        for key in keys:
            slider = page.slider(key=key)
            assert shown(slider) == slider.value == (0, slider.max)


def test_limits_begin_where_the_runs_own_do(runs: Path) -> None:
    page = opened("easy_hard", rule="loops")
    for run in along_runs(page):
        wanted = first_limits(cache.table(cache.open_run(runs / run)))
        assert shown(page.slider(key="limits")) == page.slider(key="limits").value == wanted


def test_a_range_in_the_address_comes_first(runs: Path) -> None:
    assert opened("distribution", loops=["1", "2"]).slider(key="loops").value == (1, 2)
    page = opened("easy_hard", rule="loops", limits=["1", "2"])
    assert page.slider(key="limits").value == (1, 2)
    page = opened("compare", **{"with": "deep", "loops_b": ["3", "5"]})
    assert page.slider(key="loops_b").value == (3, 5)
