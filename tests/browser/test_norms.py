"""The Norm statistics page in a real browser: what AppTest cannot see."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drnn_core.analysis.norm_discrepancy import discrepancy_table
from drnn_core.querying.norms import read_statistics
from drnn_core.store.norms import has_norms
from tests.app.fake_runs import fake_run
from tests.app.norm_runs import fake_norms
from tests.browser.conftest import WAIT_MS, Server
from tests.browser.test_distribution import heading, wait_for_address

pytestmark = pytest.mark.browser

CHOSEN = """name => {
  const find = root => {
    for (const each of root.querySelectorAll("*")) {
      const found = each.matches("[data-blocks].chosen") && each.dataset.blocks === name
        || each.shadowRoot && find(each.shadowRoot);
      if (found) return true;
    }
    return false;
  };
  return find(document);
}"""


# The band over depth stands left of a place, or right of it: the figure is of that block already.
BAND = """([sign, x]) => {
  const plot = document.querySelector(".st-key-figure-norms_depth .js-plotly-plot");
  const shapes = plot?._fullLayout?.shapes ?? [];
  return shapes.length && sign * (shapes[0].x0 - x) > 0;
}"""


@pytest.fixture(scope="module")
def server(start_app: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Server:
    """An app on a pair of runs with statistics, and one that has yet to be measured."""
    runs = tmp_path_factory.mktemp("norms") / "runs"
    fake_run(runs / "ilvbn", 40, "dr_resnet16_l2", records=False)
    fake_norms(runs / "ilvbn", off=0.02)
    fake_run(runs / "lvbn", 40, "dr_resnet16_l2_lvbn", records=False)
    fake_norms(runs / "lvbn", off=0.2, seed=1)
    fake_run(runs / "missing", 12, "dr_resnet16_l2")
    return start_app(runs)


def block(page: Any, name: str) -> Any:
    return page.locator(f'[data-blocks="{name}"]:visible > .frame')


def drawn(page: Any, figures: int) -> None:
    page.wait_for_function(
        "count => document.querySelectorAll('.js-plotly-plot .main-svg').length >= 3 * count",
        arg=figures,
    )


def hover(page: Any, mark: Any, label: Any) -> tuple[float, float]:
    """Go over a mark until its label shows, and say where that was.

    Not once: a figure that is drawn anew, or moved by what is drawn above it, forgets the pointer.
    """
    from playwright.sync_api import Error as NotThere

    for _ in range(20):
        try:
            mark.scroll_into_view_if_needed()
            place = mark.bounding_box(timeout=WAIT_MS / 20)
            middle = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
            page.mouse.move(middle[0], middle[1] + 60)
            page.mouse.move(*middle)
            label.wait_for(timeout=WAIT_MS / 20)
        except NotThere:
            continue
        return middle
    raise AssertionError("no label of the mark under the pointer")


def test_a_block_is_chosen_in_the_picture_in_a_figure_and_by_keys(open_page: Any) -> None:
    page = open_page("norms?run=ilvbn")
    heading(page, "Stage 3 · block 2, norm1, channel by channel")
    page.wait_for_function(CHOSEN, arg="3.2")
    block(page, "2.2").click()
    heading(page, "Stage 2 · block 2, norm1, channel by channel")
    page.wait_for_function(CHOSEN, arg="2.2")
    wait_for_address(page, run=["ilvbn"], block=["2.2"])
    page.wait_for_function(BAND, arg=[-1, 0])
    box = page.get_by_role("combobox", name="Block")
    box.focus()
    page.keyboard.press("ArrowDown")
    page.get_by_role("option", name="3.2").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    heading(page, "Stage 3 · block 2, norm1, channel by channel")
    page.wait_for_function(CHOSEN, arg="3.2")
    # the first mark of the gap over depth is of block 2.2; it can be clicked once it says so
    page.wait_for_function(BAND, arg=[1, 2])
    drawn(page, 5)
    plot = page.locator(".st-key-figure-norms_depth .js-plotly-plot")
    mark = plot.locator("g.trace.scatter").last.locator("path.point").first
    middle = hover(page, mark, plot.locator(".hoverlayer").get_by_text("block 2.2, loop 1"))
    page.mouse.click(*middle)
    heading(page, "Stage 2 · block 2, norm1, channel by channel")


def test_an_address_gives_the_same_view_and_its_numbers(open_page: Any, server: Server) -> None:
    page = open_page("norms?run=ilvbn&block=2.2&norm=norm2&beside=lvbn&gap=difference+of+means")
    heading(page, "Stage 2 · block 2, norm2, channel by channel")
    page.get_by_text("by 0.20").first.wait_for()
    drawn(page, 5)
    wait_for_address(
        page, run=["ilvbn"], block=["2.2"], norm=["norm2"], beside=["lvbn"],
        gap=["difference of means"],
    )  # fmt: skip
    menu = page.locator(".st-key-figure-norms_depth").get_by_role("button", name="Save")
    menu.click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    _, found = read_statistics(server.runs / "ilvbn")
    table = discrepancy_table(found)
    wanted = table[table["norm"] == "norm2"]
    assert [float(row["value"]) for row in rows] == pytest.approx(wanted["mean_difference"])
    assert [(row["block"], int(row["loop"])) for row in rows] == [
        ("2.2", 1), ("2.2", 2), ("3.2", 1), ("3.2", 2),
    ]  # fmt: skip
    assert [int(row["executed"]) for row in rows] == wanted["executed"].tolist()


def test_a_run_is_measured_on_the_page(open_page: Any, server: Server) -> None:
    page = open_page("norms?run=missing")
    page.get_by_text(f"drnn norms {server.runs / 'missing'} --data generated").wait_for()
    page.get_by_role("button", name="Or measure here").click()
    page.get_by_text("All 8 norms and loops as a table").wait_for()
    page.get_by_text("12 of 12 images of generated (test)").wait_for()
    assert has_norms(server.runs / "missing")


def test_it_fits_a_phone(open_page: Any) -> None:
    page = open_page("norms?run=ilvbn&beside=lvbn", width=390, height=844)
    drawn(page, 5)
    main = page.locator('[data-testid="stMain"]')
    assert main.evaluate("each => each.scrollWidth <= each.clientWidth")
    for figure in page.locator(".js-plotly-plot").all():
        box = figure.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
