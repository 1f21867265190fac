"""The Inspect page as Streamlit runs it without a browser, and ways to look at what it shows."""

from __future__ import annotations

import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from app.settings import RUNS_VARIABLE

PAGE = """
from app import runpicker
from app.inspection import page

runpicker.choose_run()
page.show(runpicker.require_run())
"""


def shelf_of(run: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runs folder for the app that holds a copy of a sound run, which a test may damage."""
    shutil.copytree(run, folder / "runs" / "tiny")
    monkeypatch.setenv(RUNS_VARIABLE, str(folder / "runs"))
    return folder / "runs"


def opened(**params: str) -> AppTest:
    page = AppTest.from_string(PAGE, default_timeout=60)
    for name, value in params.items():
        page.query_params[name] = value
    return run_again(page)


def run_again(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception, page.exception
    return page


def components(page: AppTest, name: str) -> list[dict[str, Any]]:
    found = [each.proto for each in page.get("bidi_component")]
    return [json.loads(each.json) for each in found if each.component_name == f"loopscope_{name}"]


def table(page: AppTest) -> dict[str, Any]:
    (found,) = [data for data in components(page, "picker") if data["table"]]
    return found


def drawings(page: AppTest) -> str:
    return " ".join(data["markup"] for data in components(page, "drawing"))


def html(page: AppTest) -> str:
    return " ".join(each.proto.body for each in page.get("html"))


def headings(page: AppTest) -> list[str]:
    return [as_read(each.value) for each in page.subheader]


def as_read(markdown: str) -> str:
    """A text in Markdown without the backslashes that keep its signs as they are."""
    return re.sub(r"\\([^\w\s])", r"\1", markdown)


def refusals(page: AppTest) -> list[str]:
    listed = html(page).partition("ls-refused")[2].partition("</ul>")[0]
    return re.findall(r"<li>(.*?)</li>", listed)


def png(colour: tuple[int, int, int] = (200, 30, 30), size: int = 40) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (size, size), colour).save(buffer, "PNG")
    return buffer.getvalue()
