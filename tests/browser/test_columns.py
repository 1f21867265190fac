"""The page Your columns in a real browser: a file dropped, other sessions, other pages."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from drnn_core.store.records import read_records
from tests.browser.conftest import Server
from tests.browser.test_distribution import heading

pytestmark = pytest.mark.browser


def drop(page: Any, name: str, data: str) -> None:
    file = {"name": name, "mimeType": "text/csv", "buffer": data.encode()}
    page.locator('input[type="file"]').set_input_files(file)


def test_a_dropped_table_is_on_other_pages_and_in_no_other_session(
    open_page: Any, server: Server
) -> None:
    records = read_records(server.runs / "dr")
    lines = [f"{i},{n}" for i, n in zip(records["id"], 2 * records["loops"] + 1, strict=True)]
    page = open_page("columns?run=dr")
    page.get_by_role("button", name="Template as CSV").wait_for()
    drop(page, "ratings.csv", "\n".join(["id,human rating", *lines]))
    heading(page, "Loops along a column")
    page.get_by_text("Loops rise with human rating: ρ +1.00").wait_for()
    page.get_by_role("link", name="Easy & hard").click()
    heading(page, "Easy & hard")
    page.get_by_text("human rating").first.wait_for()
    page.get_by_role("link", name="Your columns").click()
    heading(page, "Loops along a column")  # still there
    other = open_page("columns?run=dr")
    other.get_by_text("Nothing is kept.").wait_for()
    assert other.get_by_text("human rating").count() == 0


def test_a_hostile_file_is_a_sentence_and_the_template_helps(
    open_page: Any, server: Server
) -> None:
    page = open_page("columns?run=dr")
    template = page.get_by_role("button", name="Template as CSV")
    template.wait_for()
    drop(page, "![x](http://evil.example/x.png).csv", "name,<img src=http://evil.example>\na,1\n")
    page.get_by_text("This table cannot be used").wait_for()
    page.get_by_text("expected a column 'id' or 'index'").wait_for()
    assert page.locator('[data-testid="stAlert"] img').count() == 0
    with page.expect_download() as download:
        template.click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    assert [row["id"] for row in rows] == read_records(server.runs / "dr")["id"].tolist()
    assert {row["value"] for row in rows} == {""}
