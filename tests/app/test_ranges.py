"""Distribution among the images with a number in a range."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from streamlit.testing.v1 import AppTest

from app import cache, columns
from app.columns import BROUGHT, Brought
from app.gallery import routes
from app.gallery.among import among, only_among
from app.query import QueryError
from app.ranges import ends_of
from drnn_core.store.columns import keep_columns, read_all
from tests.app.asgi import get
from tests.app.evidence_columns import write_evidence
from tests.app.fake_runs import fake_run
from tests.app.inspect_pages import run_again
from tests.app.plotted import numbers

ROWS = 80
PAGE = """
from app import runpicker
from app.distribution import page

runpicker.choose_run()
page.show()
"""


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ranges")
    fake_run(folder / "dr", ROWS)
    write_evidence(folder / "dr", ["saliency"], limit=50)
    keep_columns(folder / "dr", "votes", {"agreement": np.arange(ROWS) / ROWS})
    fake_run(folder / "plain", ROWS, "resnet20", seed=1)
    return folder


def opened(run: str = "dr", brought: dict[str, Any] | None = None, **params: Any) -> AppTest:
    page = AppTest.from_string(PAGE, default_timeout=60)
    if brought is not None:
        page.session_state[BROUGHT] = {"dr": Brought("mine.csv", brought)}
    for key, value in {"run": run, **params}.items():
        page.query_params[key] = value
    return run_again(page)


def between(page: AppTest, name: str, column: str, low: float, high: float) -> AppTest:
    page.selectbox(key="where").set_value(name)
    run_again(page)
    page.slider(key=f"between-{column}").set_value((low, high))
    return run_again(page)


def source_of(page: AppTest) -> dict[str, Any]:
    given = [json.loads(each.proto.json) for each in page.get("bidi_component")]
    (found,) = [data["source"] for data in given if "source" in data]
    return found


def tiles_of(page: AppTest) -> list[int]:
    """The images that the gallery's route shows on its pages."""
    source, found = source_of(page), list[int]()
    app = Starlette(routes=routes.ROUTES)
    for number in range(-(-source["count"] // source["perPage"])):
        answer = get(app, f"{source['url']}/tiles/{number}.json?{source['query']}")
        found += [tile["index"] for tile in answer.json["tiles"]]
    return found


def bars(page: AppTest, chart: int) -> dict[str, Any]:
    return json.loads(page.get("plotly_chart")[chart].proto.spec)


def test_charts_and_gallery_are_of_the_range_alone(runs: Path) -> None:
    frame = read_all(runs / "dr")
    page = between(opened(), "entropy", "entropy", 0.2, 0.4)
    kept = frame[frame["entropy"].between(0.2, 0.4)]
    assert 0 < len(kept) < ROWS
    assert source_of(page)["count"] == len(kept)
    assert tiles_of(page) == kept["index"].tolist()
    assert len(kept) in [sum(numbers(trace["y"])) for trace in bars(page, 0)["data"]]
    assert any(f"n = {len(kept)}" in (each.help or "") for each in page.subheader)
    said = "\n".join(str(each.value) for each in page.caption)
    assert "entropy 0.2 to 0.4" in said
    page.segmented_control(key="answer").set_value("wrong")
    run_again(page)
    assert tiles_of(page) == kept.loc[~kept["correct"], "index"].tolist()
    next(each for each in page.button if each.label == "Show all").click()
    run_again(page)
    assert source_of(page)["count"] == ROWS
    assert page.selectbox(key="where").value == "any"


def test_an_order_holds_among_them(runs: Path) -> None:
    page = between(opened(sort="least confident first"), "entropy", "entropy", 0.2, 0.4)
    frame = read_all(runs / "dr")
    kept = frame[frame["entropy"].between(0.2, 0.4)].sort_values("confidence", kind="stable")
    assert tiles_of(page) == kept["index"].tolist()


def test_images_without_a_number_are_not_in_a_range(runs: Path) -> None:
    values = read_all(runs / "dr")["saliency_spread"].to_numpy().astype(float)
    assert np.isnan(values).sum() == ROWS - 50
    page = opened(where="saliency: spread")
    assert source_of(page)["count"] == ROWS, "the whole range keeps every image"
    slider = page.slider(key="between-saliency_spread")
    middle = round(float(np.nanmedian(values)), 2)
    slider.set_value((slider.min, middle))
    run_again(page)
    assert source_of(page)["count"] == int((values <= middle + 1e-9).sum())


def test_a_users_columns_filter_too_brought_and_kept(runs: Path) -> None:
    doubt = np.random.default_rng(0).permutation(ROWS).astype(float)
    page = between(opened(brought={"doubt": doubt}), "doubt", "doubt", 0, 9)
    assert tiles_of(page) == np.flatnonzero(doubt <= 9).tolist()
    page.session_state[BROUGHT] = {}
    assert source_of(run_again(page))["count"] == ROWS, "a table that is gone filters nothing"
    page = between(opened(), "agreement", "agreement", 0.5, 0.6)
    assert tiles_of(page) == [row for row in range(ROWS) if 0.5 <= row / ROWS <= 0.6]


def test_an_address_gives_the_view_and_nonsense_none(runs: Path) -> None:
    ends: dict[str, Any] = {"between-entropy": ["0.2", "0.4"]}
    page = opened(where="entropy", **ends)
    kept = read_all(runs / "dr")["entropy"].between(0.2, 0.4)
    assert source_of(page)["count"] == int(kept.sum())
    ends["between-entropy"] = ["x", "9e9"]
    for page in (opened(where="nothing"), opened(where="entropy", **ends)):
        assert source_of(page)["count"] == ROWS
    other = opened("plain", where="saliency: spread")  # that run has no such column
    assert source_of(other)["count"] == ROWS


def test_an_empty_range_says_so_and_names_are_no_markup(runs: Path) -> None:
    values = np.r_[np.zeros(ROWS - 1), 100.0]
    page = between(opened(brought={"doubt": values}), "doubt", "doubt", 10, 90)
    assert any("No image meets all of the filters" in str(each.value) for each in page.info)
    name = "a [b](http://c.example) :red[d]"
    page = opened(brought={name: values}, where=name)
    (label,) = [each.label for each in page.slider if each.label.startswith("Range of")]
    assert "\\[b\\]" in label
    page = opened(brought={"same": np.ones(ROWS)}, where="same")
    assert any("same for every image" in str(each.value) for each in page.caption)


def test_columns_are_offered_as_they_are_found(runs: Path) -> None:
    run = cache.open_run(runs / "dr")
    table = cache.table(run)
    assert columns.offered(run, table) == columns.described(columns.frame(run, table), run)


def test_a_mask_that_is_not_kept_is_said() -> None:
    mask = np.array([True, False, True, True])
    query = among("answer=right", mask)
    assert only_among(query, np.array([3, 1, 0])).tolist() == [3, 0]
    assert only_among("answer=right", np.array([1])).tolist() == [1]
    with pytest.raises(QueryError, match="not at hand"):
        only_among("among=" + "0" * 64, np.array([1]))
    with pytest.raises(QueryError, match="other records"):
        only_among(query, np.array([800]))


@given(
    st.lists(
        st.floats(-1e12, 1e12, allow_subnormal=False) | st.just(float("nan")), max_size=30
    ).map(np.array)
)
def test_a_slider_holds_all_values(values: np.ndarray) -> None:
    finite = values[np.isfinite(values)] if len(values) else values
    found = ends_of(values.astype(float))
    if not len(finite) or finite.min() == finite.max():
        assert found is None
        return
    assert found is not None
    low, high, step, digits = found
    slack = 1e-9 * max(abs(low), abs(high))
    assert low <= finite.min() + slack
    assert high >= finite.max() - slack
    assert 0 < step <= (finite.max() - finite.min()) / 50
    assert low == round(low, digits)
