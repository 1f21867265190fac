"""The counterfactual lab in a real browser: sliders, the box, the sweep, and the address."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.app.inspect_runs import inspect_run
from tests.browser.conftest import settled

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser

# Generous: a busy machine takes its time, and a hanging page fails in the end.
PATIENCE = 180_000


@pytest.fixture(scope="module")
def address(start_app: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> str:
    runs = tmp_path_factory.mktemp("lab")
    inspect_run(runs / "tiny")
    return str(start_app(runs).address)


@pytest.fixture(scope="module")
def page(browser: Browser, address: str) -> Iterator[Page]:
    """One page for all tests, in a context that may ask nobody but the server."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE)
    asked: list[str] = []
    complaints: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    own = (address, address.replace("http", "ws"), "data:", "blob:")
    assert [url for url in asked if not url.startswith(own)] == []
    assert complaints == []


def show(page: Page, address: str, query: str = "") -> None:
    page.goto(f"{address}/inspect?view=Counterfactual+lab&sample=g1001686{query}")
    page.wait_for_selector(".st-key-lab_line .js-plotly-plot .bars path", state="attached")
    settled(page)


def edit(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query).get("edit", [""])[0]


def until_edit(page: Page, pattern: str) -> str:
    """Wait until the address says that the picture is changed so."""
    page.wait_for_url(lambda url: bool(re.fullmatch(pattern, edit_of(url))))
    settled(page)
    return edit(page)


def edit_of(url: str) -> str:
    return parse_qs(urlsplit(url).query).get("edit", [""])[0]


def changed(page: Page) -> Locator:
    return page.locator(".bench figure").nth(1)


def test_a_slider_moves_answer_and_path_and_stands_in_the_address(page: Page, address: str) -> None:
    show(page, address)
    assert page.locator(".st-key-lab_path .path-picture").count() == 0
    slider = page.get_by_label("Contrast", exact=True)
    slider.focus()
    page.keyboard.press("Home")
    until_edit(page, "contrast 15")
    page.get_by_text("As changed: ").wait_for()
    drawn = page.locator(".st-key-lab_path .path-picture svg:visible")
    assert drawn.count() == 1
    picture = changed(page).locator("img").get_attribute("src")
    assert picture != page.locator(".bench figure").first.locator("img").get_attribute("src")
    answer = changed(page).locator("strong").inner_text()
    page.reload()
    page.get_by_text("As changed: ").wait_for()
    assert changed(page).locator("img").get_attribute("src") == picture
    assert changed(page).locator("strong").inner_text() == answer
    assert page.get_by_label("Contrast, number").input_value() == "15"
    page.get_by_role("button", name="Reset all").click()
    until_edit(page, "")
    changed(page).get_by_text("nothing changed yet").wait_for()


def test_it_follows_a_slider_that_is_still_held(page: Page, address: str) -> None:
    show(page, address)
    before = changed(page).locator("img").get_attribute("src")
    box = page.get_by_label("Blur", exact=True).bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 8, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=4)
    page.wait_for_function(
        """old => [...document.querySelectorAll(".st-key-lab_bench *")].map(e => e.shadowRoot)
          .find(Boolean).querySelectorAll("figure img")[1].src !== old""",
        arg=before,
    )
    page.mouse.up()
    assert re.fullmatch(r"blur 1\.[4-7]", until_edit(page, r"blur 1\.\d"))


def test_a_box_is_dragged_moved_resized_and_removed(page: Page, address: str) -> None:
    show(page, address)
    stage = changed(page).locator(".cover")
    stage.scroll_into_view_if_needed()
    frame = stage.bounding_box()
    assert frame
    side = frame["width"]

    def drag(start: tuple[float, float], end: tuple[float, float]) -> None:
        page.mouse.move(frame["x"] + start[0] * side, frame["y"] + start[1] * side)
        page.mouse.down()
        page.mouse.move(frame["x"] + end[0] * side, frame["y"] + end[1] * side, steps=5)
        page.mouse.up()

    def sides(text: str) -> list[float]:
        return [float(number) for number in text.split()[1:]]

    drag((0.2, 0.3), (0.6, 0.5))
    assert sides(until_edit(page, "box 20.* 20.*")) == pytest.approx([20, 30, 40, 20], abs=1)
    drag((0.4, 0.4), (0.5, 0.6))
    # The box follows the pointer: on its way there it is elsewhere.
    there = r"box (29|30|31)\S* (49|50|51)\S* .*"
    assert sides(until_edit(page, there)) == pytest.approx([30, 50, 40, 20], abs=1)
    moved = sides(edit(page))
    drag((0.7, 0.7), (0.5, 0.9))  # its lower right corner
    assert sides(until_edit(page, r"box \S+ \S+ (19|20|21)\S* (39|40|41)\S*")) == pytest.approx(
        [30, 50, 20, 40], abs=1
    )
    stage.focus()
    before = sides(edit(page))
    page.keyboard.press("ArrowLeft")
    text = until_edit(page, rf"box {before[0] - 2:g} .*")
    page.keyboard.press("Shift+ArrowDown")
    assert sides(until_edit(page, f"(?!{re.escape(text)}$)box .*"))[3] == before[3] + 2
    assert page.get_by_label("Box, height in %").input_value() == f"{before[3] + 2:g}"
    assert moved[0] == before[0]
    page.keyboard.press("Delete")
    until_edit(page, "")
    page.keyboard.press("Enter")
    assert until_edit(page, "box .*")
    assert page.get_by_label("Occlusion, number").input_value() == "10"


def test_a_click_on_the_sweep_puts_the_slider_there(page: Page, address: str) -> None:
    show(page, address, "&sweep=Rotation")
    # one unseen bar a column in each of the two charts; the middle of the upper ones
    page.locator(".st-key-lab_line").scroll_into_view_if_needed()
    column = page.locator(".st-key-lab_line .js-plotly-plot .bars .point path").nth(4)
    box = column.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    until_edit(page, "rotation 20")
    assert page.get_by_label("Rotation, number").input_value() == "20"
    page.locator(".st-key-lab_line").get_by_text("the slider").wait_for()
    page.locator(".st-key-figure-lab_line").get_by_role("button", name="Save").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    lines = download.value.path().read_text().splitlines()
    assert lines[0] == "factor,strength,value,prediction,confidence,probability_of_first,loops,macs"
    assert [line.split(",")[2] for line in lines[1:6]] == ["0.0", "5.0", "10.0", "15.0", "20.0"]


def test_it_fits_a_phone_and_is_reached_by_the_keyboard(page: Page, address: str) -> None:
    show(page, address, "&edit=blur+1")
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("window.innerWidth === 390")
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0
    page.get_by_label("Blur", exact=True).focus()
    reached: list[str] = []
    for _ in range(3):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                """() => { let at = document.activeElement;
                  while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
                  return at.getAttribute("aria-label") || at.id; }"""
            )
        )
    page.set_viewport_size({"width": 1440, "height": 1000})
    assert reached == ["Blur, number", "range-occlusion", "Occlusion, number"]
