"""Saliency & loops in a real browser: clicks on its figures, addresses, keyboard, files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from scipy import stats

from drnn_core.store.columns import read_all
from tests.app.evidence_columns import write_evidence
from tests.app.inspect_runs import inspect_run
from tests.browser.conftest import Server, Watched, watch
from tests.browser.test_distribution import heading, wait_for_address

pytestmark = pytest.mark.browser

WAIT_MS = 60_000


@pytest.fixture(scope="module")
def server(start_app: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Server:
    """An app on one tiny run with evidence by two methods."""
    runs = tmp_path_factory.mktemp("saliency") / "runs"
    inspect_run(runs / "tiny")
    write_evidence(runs / "tiny")
    return start_app(runs)


@pytest.fixture
def page(browser: Any, server: Server) -> Iterator[Any]:
    """A page that asks nothing foreign and has no script errors."""
    watched = Watched()
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    watch(page, server.address, watched)
    yield page
    context.close()
    assert watched.foreign == []
    assert watched.errors == []


def show(page: Any, server: Server, query: str = "") -> None:
    page.goto(f"{server.address}/saliency?run=tiny{query}")
    heading(page, "Images at both ends")


def centre(element: Any) -> None:
    """Scroll, away from the header that stays at the top."""
    element.evaluate("each => each.scrollIntoView({block: 'center'})")


def click(page: Any, chart: int, selector: str, number: int) -> None:
    mark = page.locator(".js-plotly-plot").nth(chart).locator(selector).nth(number)
    centre(mark)
    box = mark.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def wait_for_rho(page: Any, server: Server, column: str) -> None:
    """Until the first key figure is the correlation of a column with loops."""
    frame = read_all(server.runs / "tiny")
    rho: Any = stats.spearmanr(frame["loops"], frame[column])
    text = f"{rho.statistic:.2f}".replace("-", "−")
    page.get_by_test_id("stMetricValue").first.filter(has_text=text).wait_for()


def test_a_cell_is_chosen_and_its_address_gives_the_same_view(page: Any, server: Server) -> None:
    show(page, server)
    heading(page, "Saliency: entropy and loops")
    click(page, 0, "g.point path", 3 * 6 + 1)
    heading(page, "Grad-CAM: concentration and loops")
    wait_for_address(page, evidence=["Grad-CAM"], statistic=["concentration"])
    wait_for_rho(page, server, "grad_cam_concentration")
    page.goto(page.evaluate("location.href"))
    heading(page, "Grad-CAM: concentration and loops")
    wait_for_rho(page, server, "grad_cam_concentration")
    heading(page, "Images at both ends")
    click(page, 0, "g.point path", 1 * 6)
    page.get_by_text("has not been measured of this run").wait_for()
    page.get_by_text("--method input_x_gradient").wait_for()


def _classes(server: Server) -> tuple[str, ...]:
    from drnn_core.store.runs import read_run

    return read_run(server.runs / "tiny").classes


def test_by_keyboard_to_the_check_and_to_inspect(page: Any, server: Server) -> None:
    show(page, server, "&statistic=spread&checked=8+images")
    box = page.get_by_role("combobox", name="Evidence by")
    box.focus()
    page.keyboard.type("Grad")
    page.keyboard.press("Enter")
    heading(page, "Grad-CAM: spread and loops")
    page.get_by_role("button", name="Saliency", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_text("With all weights random").wait_for()
    wait_for_address(page, check=["Saliency"], checked=["8 images"], evidence=["Grad-CAM"])
    frame = read_all(server.runs / "tiny")
    lowest = int(frame["grad_cam_spread"].argmin())
    page.get_by_role("button", name=f"Inspect {lowest}", exact=True).focus()
    page.keyboard.press("Enter")
    heading(page, "Inspect")
    wait_for_address(page, run=["tiny"], record=[str(lowest)], method=["Grad-CAM"])


def test_it_fits_a_phone(page: Any, server: Server) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    show(page, server)
    main = page.locator('[data-testid="stMain"]')
    assert main.evaluate("each => each.scrollWidth <= each.clientWidth")
