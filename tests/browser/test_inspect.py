"""The Inspect page in a real browser, served as `drnn app` serves it."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from tests.app.inspect_runs import inspect_run
from tests.browser.conftest import settled
from tests.hostile_pictures import scene

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, FilePayload, Page

pytestmark = pytest.mark.browser

# Generous: a busy machine takes its time, and a hanging page fails in the end.
PATIENCE = 180_000
UPLOADER = '[data-testid="stFileUploader"] input[type=file]'


@pytest.fixture(scope="module")
def address(start_app: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The app on a runs folder of one small run."""
    runs = tmp_path_factory.mktemp("runs")
    inspect_run(runs / "tiny")
    return str(start_app(runs).address)


@pytest.fixture(scope="module")
def context(browser: Browser, address: str) -> Iterator[BrowserContext]:
    """One for all tests, so that the app's scripts are fetched and compiled once."""
    shared = browser.new_context(viewport={"width": 1440, "height": 1000})
    shared.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
    yield shared
    shared.close()


@pytest.fixture
def page(context: BrowserContext, address: str) -> Iterator[Page]:
    """A fresh page that may ask nobody but the server, and must not complain."""
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE)
    asked: list[str] = []
    complaints: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    opened.close()
    foreign = [url for url in asked if not url.startswith((address, "data:", "blob:"))]
    foreign = [url for url in foreign if not url.startswith(address.replace("http", "ws"))]
    assert not foreign
    assert not complaints


def show(page: Page, address: str, query: str = "") -> None:
    page.goto(f"{address}/inspect{query}")
    ready(page)


def ready(page: Page) -> None:
    page.wait_for_selector(".ls-evidence svg")
    settled(page)


def heading(page: Page, text: str) -> None:
    """Wait until the picture of this name is inspected."""
    page.get_by_role("heading", name=text, exact=True).wait_for()
    ready(page)


def picture(kind: str = "JPEG", size: tuple[int, int] = (90, 60)) -> bytes:
    buffer = io.BytesIO()
    scene(*size).save(buffer, kind)
    return buffer.getvalue()


def file(name: str, data: bytes, kind: str = "image/jpeg") -> FilePayload:
    return {"name": name, "mimeType": kind, "buffer": data}


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


VISIBLE_PATHS = """() => [...document.querySelectorAll("*")].filter(each => each.shadowRoot)
  .flatMap(each => [...each.shadowRoot.querySelectorAll(".path-picture svg")])
  .map(each => each.getBoundingClientRect()).filter(each => each.width)
  .map(each => [each.left, each.right])"""


def test_the_first_sample_and_its_path_are_shown(page: Page, address: str) -> None:
    page.goto(address)
    heading(page, "bird-1")
    assert page.url.startswith(f"{address}/inspect")
    shown = page.locator(".path-picture svg:visible")
    assert shown.count() == 1
    label = shown.get_attribute("aria-label") or ""
    assert re.search(r"block 2\.2 ran \d of 2 loops", label)
    assert shown.locator("title").count() > 5
    assert page.locator(".cell.selected").get_attribute("aria-pressed") == "true"
    assert page.locator(".ls-evidence svg path").count() == 2, "the object's outline"


def test_it_fits_every_width(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 900})
    show(page, address)
    for width in (390, 768, 1200, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("(width) => window.innerWidth === width", arg=width)
        assert overflow(page) <= 0, width
        # in one go: what a new width draws anew is gone between two questions
        ((left, right),) = page.evaluate(VISIBLE_PATHS)
        assert left >= 0
        assert right <= width


def test_a_sample_is_chosen_by_mouse_and_by_keyboard(page: Page, address: str) -> None:
    show(page, address)
    page.get_by_role("button", name="boat, sample boat-1").click()
    heading(page, "boat-1")
    assert "sample=g" in page.url
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    heading(page, "boat-2")
    page.reload()
    heading(page, "boat-2")


def test_method_class_and_overlay_stand_in_the_address(page: Page, address: str) -> None:
    show(page, address, "?sample=g1001686&method=Grad-CAM&target=boat")
    heading(page, "bird-2")
    drawn = page.locator(".ls-evidence svg")
    assert drawn.get_attribute("aria-label") == "Grad-CAM: evidence of each pixel for boat"
    method = page.get_by_role("combobox", name="Method")
    method.press_sequentially("Integrated")
    method.press("Enter")
    page.wait_for_selector('svg[aria-label^="Integrated gradients"]')
    ready(page)
    assert "method=Integrated" in page.url
    assert "target=boat" in page.url
    page.reload()
    page.wait_for_selector(
        'svg[aria-label="Integrated gradients: evidence of each pixel for boat"]'
    )


def test_one_upload(page: Page, address: str) -> None:
    show(page, address)
    page.set_input_files(UPLOADER, [file("holiday.jpg", picture())])
    heading(page, "holiday.jpg")
    assert page.locator(".ls-pair img").count() == 2
    assert page.get_by_text("as it came, 90 × 60").count() == 1
    assert page.get_by_text("no label to compare with").count() == 1
    assert page.locator(".ls-evidence svg path").count() == 0


def test_many_uploads_with_bad_ones_among_them(page: Page, address: str) -> None:
    show(page, address)
    page.set_input_files(
        UPLOADER,
        [
            file("one.jpg", picture()),
            file("notes.jpg", b"not a picture"),
            file("two.png", picture("PNG"), "image/png"),
            file("cut.jpg", picture()[:500]),
            file("three.webp", picture("WEBP"), "image/webp"),
        ],
    )
    heading(page, "one.jpg")
    page.get_by_text("2 files could not be opened").wait_for()
    lines = page.locator(".ls-refused li").all_inner_texts()
    assert [line.split(" ")[0] for line in lines] == ["notes.jpg", "cut.jpg"]
    rows = page.locator("tr[data-id]")
    assert rows.count() == 3
    rows.nth(2).click()
    heading(page, "three.webp")
    assert rows.nth(2).get_attribute("class") == "selected"
    page.get_by_role("button", name="Confidence").click()
    shown = page.locator("td.confidence").all_inner_texts()
    values = [float(text.removesuffix(" %")) for text in shown]
    assert values == sorted(values, reverse=True)


def test_a_file_over_the_limit_is_named_and_another_can_be_removed(
    page: Page, address: str
) -> None:
    show(page, address)
    huge = file("huge.jpg", bytes(21 << 20))
    page.set_input_files(UPLOADER, [file("a.jpg", picture()), huge, file("b.jpg", picture())])
    heading(page, "a.jpg")
    page.get_by_text("File must be 20.0MB or smaller.").wait_for()
    page.get_by_role("button", name="Remove a.jpg").click()
    heading(page, "b.jpg")
    assert page.locator("tr[data-id]").count() == 0, "with one picture there is nothing to choose"


def test_an_upload_survives_another_page_and_goes_when_cleared(page: Page, address: str) -> None:
    show(page, address)
    page.set_input_files(UPLOADER, [file("a.jpg", picture()), file("b.jpg", picture())])
    heading(page, "a.jpg")
    page.get_by_role("link", name="Distribution").click()
    page.get_by_role("heading", name="Distribution", exact=True).wait_for()
    page.get_by_role("link", name="Inspect").click()
    heading(page, "a.jpg")
    assert page.locator("tr[data-id]").count() == 2
    page.get_by_role("button", name="Clear all").click()
    heading(page, "bird-1")
    assert page.locator("tr[data-id]").count() == 0


PASTE = """(data) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const parcel = new DataTransfer();
  parcel.items.add(new File([bytes], "image.png", { type: "image/png" }));
  document.body.dispatchEvent(
    new ClipboardEvent("paste", { clipboardData: parcel, bubbles: true, cancelable: true }));
}"""


def test_a_pasted_picture_is_inspected(page: Page, address: str) -> None:
    show(page, address)
    data = base64.b64encode(picture("PNG")).decode()
    page.evaluate(PASTE, data)
    page.wait_for_selector("h3:has-text('pasted ')")
    ready(page)
    assert page.get_by_text("as it came, 90 × 60").count() == 1
    page.evaluate(PASTE, data)
    page.get_by_text("Your 2 pictures").wait_for()


def test_the_paste_button_takes_the_clipboard(page: Page, address: str) -> None:
    show(page, address)
    page.evaluate(
        """async (data) => {
          const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
          const blob = new Blob([bytes], { type: "image/png" });
          await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
        }""",
        base64.b64encode(picture("PNG")).decode(),
    )
    page.get_by_role("button", name="Paste a picture").click()
    page.wait_for_selector("h3:has-text('pasted ')")


def test_names_from_outside_are_text(page: Page, address: str) -> None:
    show(page, address)
    name = "<img src=x onerror=document.title='owned'>.jpg"
    page.set_input_files(
        UPLOADER, [file(name, picture()), file(f"bad {name}", b""), file("b.jpg", picture())]
    )
    page.wait_for_selector("tr[data-id]")
    ready(page)
    page.get_by_text("1 file could not be opened").wait_for()
    assert page.locator("tr[data-id] .pick").first.get_attribute("title") == name
    assert page.title() != "owned"
    assert page.locator("img[src=x]").count() == 0


def test_the_seen_pixels_are_the_ones_that_were_sent(page: Page, address: str) -> None:
    """A picture of the network's own size arrives untouched."""
    exact = scene(32, 32)
    buffer = io.BytesIO()
    exact.save(buffer, "PNG")
    show(page, address)
    page.set_input_files(UPLOADER, [file("exact.png", buffer.getvalue(), "image/png")])
    heading(page, "exact.png")
    source = page.locator(".ls-pair img").nth(1).get_attribute("src") or ""
    with Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))) as seen:
        assert seen.tobytes() == exact.tobytes()
