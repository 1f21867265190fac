"""Work in the background as the browser shows it: the bar, its end, and clicks meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from drnn_core.store.norms import has_norms
from tests.app.fake_runs import fake_run
from tests.browser.conftest import Server

pytestmark = pytest.mark.browser

LOOKS = 4  # of the browser, half a second apart
# A click on a link as the document sees it, while the next page is not there yet.
SLOW_CLICK = """() => {
  const link = document.body.appendChild(document.createElement("a"));
  link.href = "/models";
  link.onclick = event => event.preventDefault();
  link.click();
  link.remove();
}"""


@pytest.fixture(scope="module")
def server(start_app: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Server:
    """An app on runs whose norms have yet to be measured, one for each test."""
    runs = tmp_path_factory.mktemp("waiting") / "runs"
    for name in ("once", "clicked", "unclicked"):
        fake_run(runs / name, 2000, "dr_resnet16_l2")
    return start_app(runs)


def begin(page: Any, server: Server, run: str) -> None:
    page.goto(f"{server.address}/norms?run={run}")
    page.get_by_role("button", name="Or measure here").wait_for()
    page.get_by_role("button", name="Or measure here").click()
    page.get_by_role("progressbar", name="Progress").wait_for()


def test_the_bar_moves_and_ends_in_what_was_waited_for(page: Any, server: Server) -> None:
    begin(page, server, "once")
    page.get_by_text("of 1,000 images").wait_for()
    page.get_by_text("1,000 of 2,000 images of generated").wait_for()
    assert has_norms(server.runs / "once")
    assert page.get_by_role("progressbar").count() == 0


class Heard:
    """What the browser hears of the work, made up here, and what it then sends to Streamlit."""

    def __init__(self, page: Any) -> None:
        self.page, self.looks, self.sent, self.ended = page, 0, 0, 0
        page.route("**/waiting/*", self._answer)
        page.on("websocket", lambda socket: socket.on("framesent", self._count))

    def look(self, times: int) -> None:
        """Until the browser has looked so many times more."""
        wanted = self.looks + times
        while self.looks < wanted:
            self.page.wait_for_event("response")

    def _answer(self, route: Any) -> None:
        self.looks += 1
        told = {"text": "Measuring: 7 of 1,000 images", "share": 0.007, "ended": self.ended}
        route.fulfill(content_type="application/json", body=json.dumps(told))

    def _count(self, _: Any) -> None:
        self.sent += 1


def test_no_request_follows_a_click_until_the_next_page(page: Any, server: Server) -> None:
    """Such a request would carry the page that is left, and lead back to it."""
    heard = Heard(page)
    begin(page, server, "clicked")
    page.get_by_text("7 of 1,000 images").wait_for()
    page.evaluate(SLOW_CLICK)
    before = heard.sent
    heard.ended = 1
    heard.look(LOOKS)
    assert heard.sent == before


def test_without_a_click_the_page_is_asked_for_at_once(page: Any, server: Server) -> None:
    heard = Heard(page)
    begin(page, server, "unclicked")
    page.get_by_text("7 of 1,000 images").wait_for()
    heard.look(LOOKS)  # the click that began it is over
    before = heard.sent
    heard.ended = 1
    heard.look(2)
    assert heard.sent == before + 1
