"""The page "Easy & hard" in a real browser: what AppTest cannot see."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from drnn_core.store.records import read_records
from tests.browser.conftest import Server
from tests.browser.test_distribution import address, heading, wait_for_address

pytestmark = pytest.mark.browser

FOCUSED = """() => {
  let each = document.activeElement;
  while (each && each.shadowRoot) each = each.shadowRoot.activeElement;
  return each && each.dataset.index;
}"""


def tile(page: Any, index: int) -> Any:
    return page.locator(f'.easy-hard .tile[data-index="{index}"]')


def easiest(server: Server, label: int) -> list[int]:
    """Indices of a class's images, fewest loops first."""
    frame = read_records(server.runs / "dr")
    part = frame[frame["label"] == label].sort_values(["loops", "index"])
    return part["index"].tolist()


def test_a_picture_leads_to_inspect_and_back(open_page: Any, server: Server) -> None:
    page = open_page("easy_hard?run=dr&each=5")
    first = easiest(server, 0)[0]
    image = tile(page, first).locator("img")
    image.wait_for()
    assert image.evaluate("each => each.complete && each.naturalWidth") == 32
    alt = image.get_attribute("alt")
    pattern = r"\w+, easy: \d+ of 16 loops, (right|wrong: answered \w+), confidence (> )?[\d.]+ %"
    assert re.fullmatch(pattern, alt)
    assert tile(page, first).get_attribute("href") == f"/inspect?run=dr&record={first}"
    tile(page, first).click()
    heading(page, "Inspect")
    wait_for_address(page, run=["dr"], record=[str(first)])
    page.go_back()
    tile(page, first).wait_for()


def test_the_keyboard_walks_over_the_pictures(open_page: Any, server: Server) -> None:
    page = open_page("easy_hard?run=dr&each=5&rows=2")
    few = easiest(server, 0)
    tile(page, few[0]).wait_for()
    assert page.locator('.easy-hard .tile[tabindex="0"]').count() == 1
    tile(page, few[0]).focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate(FOCUSED) == f"{few[1]}"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(FOCUSED) == f"{easiest(server, 1)[1]}"
    assert page.locator('.easy-hard .tile[tabindex="0"]').count() == 1
    page.keyboard.press("Home")
    assert page.evaluate(FOCUSED) == f"{few[0]}"
    page.keyboard.press("Enter")
    heading(page, "Inspect")
    wait_for_address(page, record=[str(few[0])])


def test_a_row_a_rule_and_their_address(open_page: Any) -> None:
    page = open_page("easy_hard?run=dr&each=5")
    forest = page.locator(".st-key-figure-easy_hard_forest .js-plotly-plot")
    forest.locator("g.trace.bars g.point path").first.wait_for(state="attached")
    labels = forest.evaluate("chart => chart.data[0].customdata.map((facts) => facts[0])")
    place = labels.index("occlusion (known)")
    bar = forest.locator("g.trace.bars g.point path").nth(place)
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    page.mouse.click(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
    wait_for_address(page, column=["occlusion (known)"])
    page.get_by_text("Share of the object's pixels that something hides.").first.wait_for()
    page.get_by_role("radio", name="loops", exact=True).click()
    wait_for_address(page, rule=["loops"], column=["occlusion (known)"])
    page.get_by_text("Easy up to, hard from").wait_for()
    where = address(page)
    other = open_page(page.url.split("/", 3)[3])
    other.get_by_text("Share of the object's pixels that something hides.").first.wait_for()
    other.get_by_text("Easy up to, hard from").wait_for()
    assert address(other) == where


def test_the_contact_sheet_is_one_picture_that_fits_its_screen(open_page: Any) -> None:
    page = open_page("easy_hard?run=dr&each=5", width=390, height=844)
    page.locator(".st-key-figure-easy_hard_distribution .js-plotly-plot").wait_for()
    main = page.locator('[data-testid="stMain"]')
    assert main.evaluate("each => each.scrollWidth <= each.clientWidth")
    with page.expect_download() as download:
        page.get_by_role("button", name="Contact sheet").click()
    assert download.value.suggested_filename == "dr easy and hard.png"
    sheet = Image.open(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert sheet.format == "PNG"
    assert sheet.width > 2000
