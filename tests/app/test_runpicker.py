"""Which run the app opens with."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.settings import DATA_VARIABLE, RUNS_VARIABLE
from tests.app.fake_runs import fake_run
from tests.seed_runs import seed_run

PAGE = """
from app import runpicker

runpicker.choose_run()
"""


@pytest.mark.parametrize(("data", "first"), [("", "drawn"), ("a folder", "cifar10")])
def test_a_run_whose_pictures_are_at_hand_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: str, first: str
) -> None:
    """Of CIFAR-10 there are none without a folder, however deep the network; ours are drawn."""
    seed_run(tmp_path, "dr_resnet32_l4_short", 1)
    fake_run(tmp_path / "drawn", 50, "dr_resnet16_l2")
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path))
    monkeypatch.setenv(DATA_VARIABLE, data)
    page = AppTest.from_string(PAGE, default_timeout=60).run()
    assert not page.exception
    assert str(page.selectbox(key="run").value).startswith(first)


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    fake_run(tmp_path / "deep", 20)
    fake_run(tmp_path / "plain", 20, "resnet20", dataset="cifar10 (image Parquet)")
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path))
    return tmp_path


def opened(run: str) -> AppTest:
    page = AppTest.from_string(PAGE, default_timeout=60)
    page.query_params["run"] = run
    return page.run()


def captions(page: AppTest) -> str:
    return "\n".join(str(each.value) for each in page.caption)


def test_a_run_that_is_not_there_is_said_until_another_is_chosen(two: Path) -> None:
    page = opened("nobody")
    for _ in range(2):  # also after the address was written anew
        assert [each.value for each in page.warning] == [
            "There is no run `nobody` here; this is `deep`."
        ]
        assert page.query_params["run"] in ("deep", ["deep"])
        page.run()
    page.selectbox(key="run").set_value("plain")
    page.run()
    assert not page.warning
    page.selectbox(key="run").set_value("deep")
    assert not page.run().warning


def test_an_address_that_is_gone_to_and_not_there_is_said_too(two: Path) -> None:
    page = opened("plain")
    assert not page.warning
    page.query_params["run"] = "nobody"
    page.run()
    assert page.selectbox(key="run").value == "plain"
    assert "no run `nobody` here; this is `plain`" in str(page.warning[0].value)


def test_what_an_address_asks_for_is_no_markup(two: Path) -> None:
    (said,) = opened("`![x](http://elsewhere)`\n# big").warning
    assert said.value == "There is no run `'![x](http://elsewhere)' # big` here; this is `deep`."


def test_the_card_has_the_name_that_the_box_cuts_off(two: Path) -> None:
    long = "cifar10_dr_resnet16_l2_always_long-batchrate_s3"
    fake_run(two / long, 20, "dr_resnet16_l2")
    assert f"`{long}`" in captions(opened(long))
    assert "`deep`" not in captions(opened("deep"))


def test_the_card_names_the_data_set_as_the_other_pages_do(two: Path) -> None:
    assert "on CIFAR-10" in captions(opened("plain"))
