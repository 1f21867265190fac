"""What the tests of the app share: fresh caches, and runs that are written once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
import streamlit as st

from app.settings import ADDRESS_VARIABLE, DATA_VARIABLE, RUNS_VARIABLE
from tests.app.fake_runs import fake_run


@pytest.fixture(autouse=True)
def fresh_app(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Nothing kept from another test, and nothing written into the user's cache folder."""
    for name in (RUNS_VARIABLE, DATA_VARIABLE, ADDRESS_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.fixture(autouse=True, scope="session")
def no_installed_components() -> Iterator[None]:
    """Streamlit's test runner looks through all installed packages for components, every time.

    Loopscope uses none, and the search takes as long as a page.
    """
    with patch("streamlit.components.v2.manifest_scanner.scan_component_manifests", list):
        yield


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs: gated, plain, without records, of images elsewhere, and damaged."""
    folder = tmp_path_factory.mktemp("shelf")
    fake_run(folder / "dr", 300)
    fake_run(folder / "plain", 60, "resnet20")
    fake_run(folder / "unrecorded", 60, "dr_resnet16_l2", records=False)
    fake_run(folder / "elsewhere", 60, of=("CIFAR-10", "ab" * 32))
    (folder / "broken").mkdir()
    (folder / "broken" / "run.json").write_text('{"format": 1, "title": ')
    return folder


@pytest.fixture
def runs(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the app shows: ``shelf``, that of the module where it has one."""
    monkeypatch.setenv(RUNS_VARIABLE, str(shelf))
    return shelf
