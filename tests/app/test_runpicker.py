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
