"""A user's columns on the pages that look at images: as orders, and beside one image."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from streamlit.testing.v1 import AppTest

from app import cache, columns
from app.columns import BROUGHT, Brought, Column
from app.gallery import routes, source
from app.gallery.own import OwnOrder, put_in_order
from app.query import QueryError
from app.settings import RUNS_VARIABLE
from drnn_core.store.columns import keep_columns
from drnn_core.store.records import read_records
from tests.app import inspect_pages
from tests.app.asgi import get
from tests.app.fake_runs import fake_run
from tests.app.inspect_pages import run_again
from tests.app.inspect_runs import IMAGES, inspect_run

ROWS = 80
PAGE = """
from app import runpicker
from app.{name} import page

runpicker.choose_run()
page.show()
"""


def doubts(rows: int = ROWS) -> np.ndarray:
    """Numbers in another order than the records; two images have none."""
    found = np.random.default_rng(5).permutation(rows).astype(float)
    found[[3, 7]] = np.nan
    return found


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    fake_run(folder / "dr", ROWS)
    fake_run(folder / "plain", ROWS, "resnet20", seed=1)
    return folder


def opened(name: str, brought: bool = True, **params: str) -> AppTest:
    page = AppTest.from_string(PAGE.format(name=name), default_timeout=60)
    if brought:
        page.session_state[BROUGHT] = {"dr": Brought("doubts.csv", {"<doubt>": doubts()})}
    for key, value in {"run": "dr", **params}.items():
        page.query_params[key] = value
    return run_again(page)


def shown(page: AppTest) -> tuple[str, list[int]]:
    """The gallery's query, and the images in its order."""
    given = [json.loads(each.proto.json) for each in page.get("bidi_component")]
    (query,) = [data["source"]["query"] for data in given if "source" in data]
    app = Starlette(routes=routes.ROUTES)
    tiles: list[dict[str, Any]] = []
    for number in range(2):
        answer = get(app, f"/gallery/dr/tiles/{number}.json?{query}")
        tiles += answer.json["tiles"] if answer.status == 200 else []
    return query, [tile["index"] for tile in tiles]


def test_distribution_shows_the_images_in_the_order_of_a_column(runs: Path) -> None:
    page = opened("distribution")
    page.selectbox(key="sort").set_value("largest <doubt> first")
    query, found = shown(run_again(page))
    values = doubts()
    assert found == [*np.argsort(-values, kind="stable")[: ROWS - 2], 3, 7]
    page.segmented_control(key="answer").set_value("right")
    page.selectbox(key="sort").set_value("smallest <doubt> first")
    _, found = shown(run_again(page))
    right = read_records(runs / "dr")["correct"].to_numpy()
    assert found == [row for row in np.argsort(values, kind="stable") if right[row]]
    # the detail view says the number
    record = get(Starlette(routes=routes.ROUTES), f"/gallery/dr/at/0.json?{query}").json
    assert ["<doubt>", "79", "From your table doubts.csv."] in record["facts"]


def test_an_address_of_a_column_that_is_not_there_is_the_sets_order(runs: Path) -> None:
    page = opened("distribution", brought=False, sort="largest <doubt> first")
    query, found = shown(page)
    assert (query, found) == ("", list(range(ROWS)))
    assert not [name for name in page.selectbox(key="sort").options if "doubt" in name]


def test_a_forgotten_column_leaves_the_sets_order(runs: Path) -> None:
    page = opened("distribution")
    page.selectbox(key="sort").set_value("largest <doubt> first")
    run_again(page)
    page.session_state[BROUGHT] = {}
    assert shown(run_again(page))[0] == ""


def test_compare_shows_the_images_in_the_order_of_a_column(runs: Path) -> None:
    page = opened("compare", True, pick="all images", **{"with": "plain"})
    page.selectbox(key="pick_order").set_value("smallest <doubt> first")
    _, found = shown(run_again(page))
    assert found == [*np.argsort(doubts(), kind="stable")[: ROWS - 2], 3, 7]


def test_an_order_goes_by_what_the_column_is(runs: Path) -> None:
    run = cache.open_run(runs / "dr")
    column = Column("doubt", "doubt", "From your table.", "brought")
    one, other = (OwnOrder(column, doubts() + more, True) for more in (0, 1))
    assert one.appended("") != other.appended("")
    assert one.appended("loops=1&loops=2").startswith("loops=1&loops=2&by=")
    rows = source.rows_of(run, cache.table(run), one.appended(""))
    assert rows[0] == int(np.nanargmin(doubts()))
    short = OwnOrder(column, doubts()[:9], True).appended("")
    for query in ("by=" + "0" * 64, one.appended("").replace("way=up", "way=on"), short):
        with pytest.raises(QueryError):
            put_in_order(query, np.arange(ROWS))


def test_inspect_shows_them_beside_a_recorded_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = inspect_run(tmp_path / "made" / "tiny")
    inspect_pages.shelf_of(folder, tmp_path, monkeypatch)
    values = np.arange(IMAGES) / 4
    values[5] = np.nan
    page = AppTest.from_string(inspect_pages.PAGE, default_timeout=60)
    page.session_state[BROUGHT] = {"tiny": Brought("doubts.csv", {"<doubt>": values})}
    page.query_params["record"] = "3"
    run_again(page)
    part = inspect_pages.html(page).partition("your columns")[2]
    assert re.search(
        r'<abbr title="From your table doubts.csv.">&lt;doubt&gt;</abbr></dt><dd>0.75</dd>', part
    )
    for address in ({"record": "5"}, {"sample": "g1001686"}):  # no number, and no recorded image
        page.query_params.clear()
        page.query_params.update(address)
        assert "your columns" not in inspect_pages.html(run_again(page))


def test_what_the_run_keeps_is_the_users_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_run(tmp_path / "dr", ROWS)
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path))
    run = cache.open_run(tmp_path / "dr")
    assert columns.own_of(run, 4) == []
    keep_columns(tmp_path / "dr", "ratings", {"doubt": doubts()})
    ((column, value),) = columns.own_of(run, 4)
    assert (column.name, column.kind, value) == ("doubt", "brought", doubts()[4])
    assert columns.own_of(run, 3) == []
    assert columns.own_of(run, ROWS) == []
