"""The Models page in a real browser: what AppTest cannot see."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from app.models.tables import names_of
from tests.browser.test_distribution import address, heading, wait_for_address

pytestmark = pytest.mark.browser

PLACE_OF = """([chart, network]) => {
  const plot = document.querySelector(`.st-key-figure-${chart} .js-plotly-plot`);
  for (const [number, trace] of plot.data.entries()) {
    const found = (trace.customdata ?? []).findIndex((each) => each[0] === network);
    if (found >= 0) {
      const { xaxis, [trace.yaxis === "y2" ? "yaxis2" : "yaxis"]: yaxis } = plot._fullLayout;
      const box = plot.getBoundingClientRect();
      return [
        box.x + xaxis._offset + xaxis.l2p(trace.x[found]),
        box.y + yaxis._offset + yaxis.l2p(trace.y[found]),
      ];
    }
  }
}"""


def row(page: Any, title: str) -> Any:
    return page.get_by_role("button", name=title, exact=True).first


def drawn(page: Any, words: str) -> Any:
    """The drawing of the width that fits, once it is of the network with these words."""
    picture = page.locator(f'.path-picture svg[aria-label*="{words}"]:visible')
    picture.wait_for()
    return picture


def test_a_row_draws_its_network(open_page: Any) -> None:
    page = open_page("models?table=cifar10&network=resnet20")
    drawn(page, "It has no loops")
    row(page, "DR-Res 74 (l = 2)").click()
    picture = drawn(page, "In all up to 32 loops, 19.04 expected")
    wait_for_address(page, table=["cifar10"], network=["dr_resnet74_l2"])
    assert row(page, "DR-Res 74 (l = 2)").get_attribute("aria-pressed") == "true"
    assert row(page, "ResNet-20").get_attribute("aria-pressed") == "false"
    # what was asked for below is brought into view
    page.wait_for_function(
        "each => each.getBoundingClientRect().top < innerHeight", arg=picture.element_handle()
    )


def test_a_point_and_the_keyboard_choose_too(open_page: Any) -> None:
    page = open_page("models?table=imagenet&network=resnet50")
    drawn(page, "It has no loops")
    page.locator(".st-key-figure-models_macs_ImageNet .points path").first.wait_for()
    page.mouse.click(*page.evaluate(PLACE_OF, ["models_macs_ImageNet", "dr_resnet47_l4"]))
    drawn(page, "In all up to 22 loops, 10.06 expected")
    wait_for_address(page, network=["dr_resnet47_l4"])
    row(page, "AIG-ResNet-101").focus()
    page.keyboard.press("Enter")
    drawn(page, "In all up to 33 loops, 23.10 expected")
    wait_for_address(page, network=["aig_resnet101"])


def test_the_address_gives_the_same_view_to_another(open_page: Any) -> None:
    page = open_page("distribution?run=dr")
    page.get_by_role("link", name="Models").click()
    heading(page, "Models")
    heading(page, "Table 1 · CIFAR-10")
    page.get_by_role("radio", name="Table 2 · ImageNet").or_(
        page.get_by_role("button", name="Table 2 · ImageNet")
    ).click()
    heading(page, "Table 2 · ImageNet")
    page.get_by_role("combobox", name="Beside").click()
    page.get_by_role("option", name="ResNet-50", exact=True).click()
    wait_for_address(page, family=["ResNet-50"])
    drawn(page, "In all up to 8 loops")
    found = address(page)
    assert found == {
        "run": ["dr"],
        "table": ["imagenet"],
        "family": ["ResNet-50"],
        "network": ["dr_resnet35_l2"],
    }
    other = open_page(f"models?{'&'.join(f'{key}={value[0]}' for key, value in found.items())}")
    drawn(other, "In all up to 8 loops")
    rows = other.locator("tr[data-pick]:has(button)")
    rows.nth(3).wait_for()  # the table may come after the network's picture
    assert rows.count() == 4


def test_export_gives_the_table(open_page: Any) -> None:
    page = open_page("models?table=imagenet")
    heading(page, "Table 2 · ImageNet")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Table as CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    assert [line["network"] for line in rows] == list(names_of("imagenet"))
    assert {line["network"]: line["params"] for line in rows}["dr_resnet53_l3"] == "23525680"


@pytest.mark.parametrize("network", ["aig_resnet101", "dr_resnet53_l3"])
def test_it_fits_a_phone(open_page: Any, network: str) -> None:
    page = open_page(f"models?table=imagenet&network={network}", width=390, height=844)
    picture = drawn(page, "In all up to")
    main = page.locator('[data-testid="stMain"]')
    assert main.evaluate("each => each.scrollWidth <= each.clientWidth")
    box = picture.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert "blocks" in picture.text_content(), "blocks that are alike are drawn as one"
    scroller = page.locator(".scroller").first
    assert scroller.evaluate("each => each.scrollWidth > each.clientWidth")
    scroller.evaluate("each => { each.scrollLeft = each.scrollWidth; }")
    name = row(page, "ResNet-101").bounding_box()
    assert name["x"] >= 0, "the names stay while the figures scroll"


def test_dark_marks_in_the_dark(open_page: Any) -> None:
    page = open_page("models?table=imagenet&network=dr_resnet53_l3", dark=True)
    page.locator(".js-plotly-plot .points path").first.wait_for()
    fills = page.locator(".js-plotly-plot .points path").evaluate_all(
        "paths => paths.map((each) => getComputedStyle(each).fill)"
    )
    assert "rgb(86, 185, 224)" in fills
    assert "rgb(11, 110, 153)" not in fills
