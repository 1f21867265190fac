"""The page Your columns as Streamlit runs it, without a browser."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from streamlit.testing.v1 import AppTest

from app import cache
from app.joining.page import template
from app.settings import RUNS_VARIABLE
from drnn_core.analysis.outside import binned_loops
from drnn_core.data.generated import GeneratedSet
from drnn_core.store.columns import column_tables, keep_columns, read_all
from drnn_core.store.records import read_records
from tests.app.fake_runs import fake_run
from tests.app.plotted import numbers

PAGE = """
import streamlit as st
from app import columns, cache, runpicker
from app.joining import page

runpicker.choose_run()
page.show()
"""
SECONDS = 300
ROWS = 80


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("joining")
    fake_run(folder / "dr", ROWS)
    fake_run(folder / "plain", ROWS, "resnet20")
    fake_run(folder / "elsewhere", ROWS, of=("CIFAR-10", "ab" * 32))
    fake_run(folder / "unrecorded", 20, records=False)
    return folder


@pytest.fixture
def runs(master: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = Path(shutil.copytree(master, tmp_path / "runs"))
    monkeypatch.setenv(RUNS_VARIABLE, str(folder))
    return folder


def opened(run: str = "dr", **params: str) -> AppTest:
    page = AppTest.from_string(PAGE, default_timeout=SECONDS)
    page.query_params["run"] = run
    for name, value in params.items():
        page.query_params[name] = value
    return again(page)


def again(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception, page.exception
    return page


def drop(page: AppTest, text: str | bytes, name: str = "mine.csv") -> AppTest:
    data = text.encode() if isinstance(text, str) else text
    page.file_uploader[0].upload(name, data)
    return again(page)


def ratings(runs: Path, **more: Any) -> tuple[str, pd.DataFrame]:
    """A table that goes with the loops, and the records."""
    records = read_records(runs / "dr")
    human = records["loops"] + np.random.default_rng(0).normal(0, 2, ROWS)
    table = pd.DataFrame({"id": records["id"], "human": human.round(6), **more})
    return table.to_csv(index=False), records.assign(human=human.round(6))


def texts(page: AppTest) -> str:
    parts = [*page.markdown, *page.caption, *page.info, *page.error, *page.code, *page.subheader]
    return "\n".join(str(part.value) for part in [*parts, *page.success])


def shown(page: AppTest) -> dict[str, str]:
    return {metric.label: str(metric.value) for metric in page.metric}


def button(page: AppTest, label: str) -> Any:
    return next(each for each in page.button if each.label == label)


def figure(page: AppTest, chart: int) -> dict[str, Any]:
    return json.loads(page.get("plotly_chart")[chart].proto.spec)


def test_a_table_is_matched_and_related(runs: Path) -> None:
    text, frame = ratings(runs, note="word")
    page = drop(opened(), text + "stranger,1,word\n")
    assert shown(page) == {
        "Images matched": "80", "Rows without an image": "1", "Images without a row": "0",
        "Columns": "1",
    }  # fmt: skip
    assert "stranger" in texts(page)
    assert "Without numbers, and ignored: note" in texts(page)
    expected = stats.spearmanr(frame["loops"], frame["human"])
    loops, _, _, confidence, _ = figure(page, 0)["data"]
    assert loops["x"] == [pytest.approx(expected.statistic)]
    expected = stats.spearmanr(frame["confidence"], frame["human"])
    assert confidence["x"] == [pytest.approx(expected.statistic)]
    binned = binned_loops(frame["loops"].to_numpy(), frame["human"].to_numpy())
    assert len(binned) == 10
    np.testing.assert_allclose(numbers(figure(page, 1)["data"][0]["y"]), binned["loops"])
    assert "Loops rise with human: ρ +0." in texts(page)


def test_it_says_where_else_the_columns_stand(runs: Path) -> None:
    said = texts(drop(opened(), ratings(runs)[0]))
    for name in ("Distribution", "Compare", "Inspect", "Easy & hard", "Saliency & loops"):
        assert name in said


def test_given_reliabilities_correct(runs: Path) -> None:
    text, frame = ratings(runs)
    page = drop(opened(), text)
    assert "corrected" not in page.dataframe[0].value.columns
    page.number_input(key="reliability_human").set_value(0.64)
    again(page)
    rho = stats.spearmanr(frame["loops"], frame["human"]).statistic
    assert page.dataframe[0].value["corrected"][0] == f"{rho / 0.8:+.2f}"


def test_one_session_does_not_see_anothers_columns(runs: Path) -> None:
    first, second = opened(), opened()
    drop(first, ratings(runs)[0])
    again(second)
    assert shown(first)["Images matched"] == "80"
    assert shown(second) == {}
    assert not second.get("plotly_chart")


def test_runs_of_the_same_images_have_the_columns_too(runs: Path) -> None:
    page = drop(opened(), ratings(runs)[0])
    page.selectbox(key="run").set_value("plain")
    again(page)
    assert shown(page)["Images matched"] == "80"
    assert "All images of this run take the same loops" in texts(page)
    page.selectbox(key="run").set_value("elsewhere")
    again(page)
    assert shown(page) == {}
    assert "was joined to a run of other images" in texts(page)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("name,x\na,1\n", "expected a column 'id' or 'index'"),
        ("id,x\nnobody,1\n", "none of the 1 rows has an id"),
        (b"PAR1 damaged", "which is damaged"),
        (b"\x89PNG\r\n", "is neither"),
        ("", "is empty"),
    ],
)
def test_a_file_that_is_no_table_is_one_sentence(
    runs: Path, data: str | bytes, message: str
) -> None:
    page = drop(opened(), data, "../../<script>alert(1)</script>.csv")
    (error,) = page.error
    said = str(error.value).replace("\\", "")
    assert message in said
    assert "<script>" not in said
    assert "Traceback" not in said
    assert shown(page) == {}
    drop(page, ratings(runs)[0])  # the next one is welcome
    assert not page.error
    assert shown(page)["Images matched"] == "80"


def test_a_file_that_one_run_refuses_another_may_take(runs: Path) -> None:
    images = GeneratedSet("train", 40)
    fake_run(runs / "train", images=images)
    rows = "".join(f"{name},{place}\n" for place, name in enumerate(images.ids))
    page = drop(opened(), "id,x\n" + rows)
    assert "none of the 40 rows has an id" in texts(page).replace("\\", "")
    page.selectbox(key="run").set_value("train")
    again(page)
    assert not page.error
    assert shown(page)["Images matched"] == "40"
    page.selectbox(key="run").set_value("dr")
    again(page)
    assert not page.error
    assert "was joined to a run of other images" in texts(page)


def test_kept_for_everybody_and_removed_again(runs: Path) -> None:
    page = drop(opened(), ratings(runs)[0], "Ratings 2.csv")
    name = next(each for each in page.text_input if each.label == "Name of the table")
    assert name.value == "ratings_2"
    button(page, "Keep in the run").click()
    again(page)
    assert "The run keeps ratings_2 now." in texts(page)
    assert column_tables(runs / "dr") == ["own_ratings_2"]
    assert "human" in read_all(runs / "dr")
    other = opened()
    assert "**ratings_2**: human" in texts(other)
    assert len(other.get("plotly_chart")) == 2  # it is related as a session's own is
    button(other, "Remove it").click()
    again(other)
    assert column_tables(runs / "dr") == []
    assert "The table ratings_2 is removed." in texts(other)
    assert not other.get("plotly_chart")


def test_what_one_run_keeps_other_runs_still_show(runs: Path) -> None:
    shutil.copytree(runs / "dr", runs / "again")
    page = drop(opened(), ratings(runs)[0], "ratings.csv")
    button(page, "Keep in the run").click()
    again(page)
    assert "other images" not in texts(page)
    assert "**ratings.csv**" not in texts(page)  # the run has it
    page.selectbox(key="run").set_value("again")
    again(page)
    assert "**ratings.csv**" in texts(page)
    assert shown(page)["Images matched"] == "80"
    page.selectbox(key="run").set_value("dr")
    keep_columns(runs / "dr", "another", {"random": np.arange(float(ROWS))})
    again(page)
    page.button(key="remove_another").click()
    assert "**ratings.csv**" not in texts(again(page))  # the run keeps that one still
    button(page, "Remove it").click()
    assert "**ratings.csv**" in texts(again(page))


def test_forgotten_at_once(runs: Path) -> None:
    page = drop(opened(), ratings(runs)[0])
    button(page, "Forget this table").click()
    again(page)
    assert shown(page) == {}
    assert not page.get("plotly_chart")


def test_the_column_is_in_the_address(runs: Path) -> None:
    text, _ = ratings(runs, second=range(ROWS))
    page = drop(opened(column="second"), text)
    assert page.selectbox(key="column").value in ("human", "second")
    page.selectbox(key="column").set_value("second")
    again(page)
    assert figure(page, 1)["layout"]["xaxis"]["title"]["text"].startswith("second")
    assert page.selectbox(key="column").value == "second"
    drop(opened(column="../../x"), text)


def test_an_address_chooses_columns_and_their_reliabilities(runs: Path) -> None:
    many = {f"own{place}": np.random.default_rng(place).normal(size=ROWS) for place in range(9)}
    text, frame = ratings(runs, **many)
    state = {"joining_names": "human", "reliability_human": "0.64"}
    page = drop(opened(), text)
    assert len(page.multiselect(key="joining_names").value) == 8
    button(page, "Keep in the run").click()
    again(page)
    other = opened(**state)  # of somebody else, who was sent the address
    assert other.multiselect(key="joining_names").value == ["human"]
    assert other.dataframe[0].value["column"].tolist() == ["human"]
    rho = stats.spearmanr(frame["loops"], frame["human"]).statistic
    assert other.dataframe[0].value["corrected"][0] == f"{rho / 0.8:+.2f}"


def test_the_template_is_filled_in_and_comes_back(runs: Path) -> None:
    table = cache.table(cache.open_run(runs / "dr"))
    info = cache.open_run(runs / "dr").info
    assert info is not None
    empty = template(table, info.classes)
    assert empty.columns.tolist() == ["id", "label", "value"]
    assert (empty["value"] == "").all()
    buffer = io.StringIO()
    empty.assign(value=range(ROWS)).to_csv(buffer, index=False)
    page = drop(opened(), buffer.getvalue())
    assert shown(page)["Images matched"] == "80"
    assert "ignored: label" in texts(page)


def test_without_records_the_command_is_named(runs: Path) -> None:
    assert f"drnn records {runs / 'unrecorded'} --data" in texts(opened("unrecorded"))
