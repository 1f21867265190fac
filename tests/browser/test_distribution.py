"""The Distribution page in a real browser: what AppTest cannot see."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from drnn_core.analysis.loops import Selection, matching
from drnn_core.store.records import read_records
from tests.browser.conftest import Server, settled

pytestmark = pytest.mark.browser

PAINTED = """old => {
  const find = root => {
    for (const each of root.querySelectorAll("*")) {
      if (each.dataset && each.dataset.painted && each.dataset.painted !== old) {
        return each.dataset.painted;
      }
      const found = each.shadowRoot && find(each.shadowRoot);
      if (found) return found;
    }
    return null;
  };
  return find(document);
}"""
# Images that the chart of loops has drawn as chosen.
LOOPS_DRAWN = """document.querySelector(".st-key-figure-histogram .js-plotly-plot")?.calcdata[0]
  .reduce((sum, bar) => sum + (bar.s || 0), 0)"""
FOCUSED = """() => {
  let each = document.activeElement;
  while (each && each.shadowRoot) each = each.shadowRoot.activeElement;
  return each ? each.getAttribute("aria-label") : null;
}"""


def painted(page: Any, after: str = "") -> str:
    """Wait until every tile in view shows what was asked for last, and charts too; its stamp."""
    stamp = str(page.wait_for_function(PAINTED, arg=after, polling=50).json_value())
    settled(page)
    return stamp


def address(page: Any) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.evaluate("location.href")).query)


def wait_for_address(page: Any, **wanted: list[str]) -> None:
    page.wait_for_function(
        """wanted => {
          const found = new URLSearchParams(location.search);
          return Object.entries(wanted).every(
            ([name, values]) => JSON.stringify(found.getAll(name)) === JSON.stringify(values));
        }""",
        arg=wanted,
    )


def mark(page: Any, chart: str, number: int, trace: int = -1) -> Any:
    """A bar of the chart of this key, counted from the left or the top."""
    bars = page.locator(f".st-key-figure-{chart} .js-plotly-plot g.trace.bars")
    return bars.nth(bars.count() - 1 if trace < 0 else trace).locator("g.point path").nth(number)


def click(page: Any, bar: Any) -> None:
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 0.85 * box["height"])


def heading(page: Any, text: str) -> None:
    page.get_by_role("heading", name=text, exact=True).wait_for()


def records(server: Server, run: str = "dr") -> Any:
    return read_records(server.runs / run)


def count(server: Server, **conditions: Any) -> int:
    return int(matching(records(server), Selection(**conditions)).sum())


def test_a_bar_shows_its_images_and_again_all(open_page: Any, server: Server) -> None:
    page = open_page("distribution?run=dr")
    stamp = painted(page)
    heading(page, "400 images")
    click(page, mark(page, "histogram", 7))
    stamp = painted(page, stamp)
    heading(page, f"{count(server, loops=(7, 7))} of 400 images")
    wait_for_address(page, run=["dr"], loops=["7", "7"])
    tiles = page.locator(".tile[data-filled] .loops")
    assert set(tiles.all_inner_texts()) == {"7"}
    click(page, mark(page, "histogram", 7))
    painted(page, stamp)
    heading(page, "400 images")
    assert "loops" not in address(page)


def test_a_class_and_a_loop_narrow_further(open_page: Any, server: Server) -> None:
    page = open_page("distribution?run=dr")
    stamp = painted(page)
    chart = page.locator(".st-key-figure-class_chart .js-plotly-plot")
    name = chart.evaluate("chart => chart.data[0].customdata[0][0]")
    click(page, mark(page, "class_chart", 0, trace=0))
    stamp = painted(page, stamp)
    wait_for_address(page, **{"class": [name]})
    assert set(page.locator(".tile[data-filled]:not(.wrong) .caption").all_inner_texts()) == {name}
    click(page, mark(page, "steps", 5))
    painted(page, stamp)
    wait_for_address(page, **{"class": [name], "ran": ["2.3 loop 2"]})
    page.get_by_role("button", name="Show all").click()
    heading(page, "400 images")


def test_a_range_of_a_column_narrows_and_is_shared(open_page: Any, server: Server) -> None:
    page = open_page("distribution?run=dr&where=entropy")
    painted(page)
    last = page.get_by_role("slider", name="Range of entropy — end")
    last.focus()
    last.press("Home")  # no further than the other end
    for _ in range(30):
        last.press("ArrowRight")
    first = page.get_by_role("slider", name="Range of entropy — start")
    low, high = (float(each.input_value()) for each in (first, last))
    entropy = read_records(server.runs / "dr")["entropy"].to_numpy().astype(float)
    wanted = int(((entropy >= low - 1e-6) & (entropy <= high + 1e-6)).sum())
    assert 0 < wanted < 400
    heading(page, f"{wanted} of 400 images")
    wait_for_address(page, where=["entropy"], **{"between-entropy": [f"{low:g}", f"{high:g}"]})
    other = open_page(page.url.split("/", 3)[3])
    heading(other, f"{wanted} of 400 images")


def test_the_address_gives_the_same_view_to_another(open_page: Any, server: Server) -> None:
    query = "run=dr&loops=5&loops=9&answer=wrong&conf=20&conf=90&sort=most+loops+first"
    page = open_page(f"distribution?{query}")
    painted(page)
    wanted = count(server, loops=(5, 9), correct=False, confidence=(0.2, 0.9))
    heading(page, f"{wanted} of 400 images")
    loops = [int(text) for text in page.locator(".tile[data-filled] .loops").all_inner_texts()]
    assert loops == sorted(loops, reverse=True)
    assert address(page) == parse_qs(query)


def test_a_control_changes_the_address(open_page: Any) -> None:
    page = open_page("distribution?run=dr")
    stamp = painted(page)
    page.get_by_role("radio", name="wrong").or_(page.get_by_role("button", name="wrong")).click()
    stamp = painted(page, stamp)
    wait_for_address(page, answer=["wrong"])
    page.get_by_label("Order").click()
    page.get_by_role("option", name="most loops first").click()
    painted(page, stamp)
    wait_for_address(page, answer=["wrong"], sort=["most loops first"])


def test_the_keyboard_alone(open_page: Any) -> None:
    page = open_page("distribution?run=dr")
    painted(page)
    page.locator('.tile[data-position="0"]').focus()
    columns = int(page.locator(".scroller").get_attribute("aria-colcount"))
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowDown"):
        page.keyboard.press(key)
    tile = page.locator(f'.tile[data-position="{columns + 1}"]')
    assert tile.get_attribute("tabindex") == "0"
    label = page.evaluate(FOCUSED)
    assert label == tile.get_attribute("aria-label")
    assert re.fullmatch(r".+, (right|wrong: answered .+), \d+ of 16 loops, confidence .+ %", label)
    page.keyboard.press("Enter")
    dialog = page.locator("dialog[open]")
    dialog.get_by_text("name in the set").wait_for()
    assert dialog.get_attribute("aria-label") == label
    wait_for_address(page, image=[str(columns + 1)])
    page.keyboard.press("ArrowRight")
    wait_for_address(page, image=[str(columns + 2)])
    page.keyboard.press("Escape")
    wait_for_address(page, image=[])
    # The dialog gives the focus back, and the gallery moves it, a moment after the key.
    page.locator(f'.tile[data-position="{columns + 2}"]:focus').wait_for()
    page.keyboard.press("Control+End")
    page.locator('.tile[data-position="399"][data-filled]').wait_for()
    page.keyboard.press("Control+Home")
    page.locator('.tile[data-position="0"][tabindex="0"]').wait_for()


def test_charts_wait_for_pictures_but_not_for_ever(open_page: Any) -> None:
    page = open_page("distribution?run=dr")
    stamp = painted(page)
    page.wait_for_function(f"{LOOPS_DRAWN} === 400")
    with page.expect_response("**/gallery/painted/*") as told:
        page.get_by_test_id("stSidebar").get_by_text("wrong", exact=True).click()
    assert told.value.status == 204
    stamp = painted(page, after=stamp)
    page.wait_for_function(f"{LOOPS_DRAWN} < 400 && {LOOPS_DRAWN} > 0")

    page.route("**/gallery/painted/*", lambda route: route.abort())
    page.get_by_test_id("stSidebar").get_by_text("all", exact=True).click()
    painted(page, after=stamp)
    page.wait_for_function(f"{LOOPS_DRAWN} === 400")


def test_an_image_in_the_address_is_open(open_page: Any, server: Server) -> None:
    page = open_page("distribution?run=dr&image=42")
    dialog = page.locator("dialog[open]")
    dialog.get_by_text("g1000042").wait_for()
    row = records(server).iloc[42]
    dialog.get_by_text(f"{row['loops']} of 16 loops").wait_for()
    assert dialog.locator("i.ran").count() == row["loops"]
    stopped = int((~np.isnan(row["gate_prob"])).sum()) - int(row["loops"])
    assert dialog.locator("i.stopped").count() == stopped
    assert dialog.locator("img").evaluate("image => image.complete && image.naturalWidth") == 32


def test_inspect_opens_the_image(open_page: Any) -> None:
    page = open_page("distribution?run=dr&image=42")
    page.locator("dialog[open]").get_by_text("Inspect this image").click()
    heading(page, "Inspect")
    wait_for_address(page, run=["dr"], record=["42"])


def test_fifty_thousand_records_are_a_few_elements(open_page: Any) -> None:
    page = open_page("distribution?run=large")
    stamp = painted(page)
    heading(page, "50,000 images")
    assert page.locator(".tile").count() < 200
    page.locator(".scroller").evaluate("each => { each.scrollTop = each.scrollHeight; }")
    page.locator('.tile[data-position="49999"][data-filled]').wait_for()
    assert page.locator(".tile").count() < 200
    click(page, mark(page, "histogram", 8))
    painted(page, stamp)
    assert page.locator(".scroller").evaluate("each => each.scrollTop") == 0


def test_export_gives_the_records_shown(open_page: Any, server: Server) -> None:
    page = open_page("distribution?run=dr&answer=wrong&sort=most+loops+first")
    painted(page)
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Records as CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    assert len(rows) == count(server, correct=False)
    assert [int(row["loops"]) for row in rows] == sorted(
        (int(row["loops"]) for row in rows), reverse=True
    )
    assert rows[0]["correct"] == "False"


def test_tiles_without_pictures_tell_what_is_known(open_page: Any) -> None:
    page = open_page("distribution?run=elsewhere")
    painted(page)
    assert "--data" in page.locator(".notice").inner_text()
    assert page.locator(".tile canvas").count() == 0
    assert page.locator(".tile .nothing").first.inner_text() != ""
    page.locator(".tile").first.click()
    page.locator("dialog[open]").get_by_text("the picture is not here").wait_for()


def test_a_damaged_run_leaves_the_others_usable(open_page: Any) -> None:
    page = open_page("distribution?run=broken")
    page.get_by_text("The run broken cannot be opened").wait_for()
    page.get_by_label("Run", exact=True).click()
    page.get_by_role("option", name="dr", exact=True).click()
    painted(page)
    heading(page, "400 images")


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1200, 800)])
def test_it_fits_the_screen(open_page: Any, width: int, height: int) -> None:
    page = open_page("distribution?run=dr", width=width, height=height)
    painted(page)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    main = page.locator('[data-testid="stMain"]')
    assert main.evaluate("each => each.scrollWidth <= each.clientWidth")
    page.locator(".tile").first.click()
    page.locator("dialog[open] .body").wait_for()
    box = page.locator("dialog[open]").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width


def test_dark_charts_in_the_dark(open_page: Any) -> None:
    page = open_page("distribution?run=dr", dark=True)
    painted(page)
    fill = mark(page, "histogram", 7).evaluate("bar => getComputedStyle(bar).fill")
    assert fill == "rgb(86, 185, 224)"


def test_own_routes_and_strangers(status_of: Callable[..., int]) -> None:
    assert status_of("gallery/dr/tiles/0.json") == 200
    assert status_of("gallery/dr/tiles/999.json") == 404
    assert status_of("gallery/none/tiles/0.json") == 404
    assert status_of("gallery/anything") == 404
    assert status_of("", Origin="http://evil.example") == 403
    assert status_of("", Host="evil.example") == 403
    assert status_of("gallery/dr/tiles/0.json", Host="evil.example") == 403
