"""Saliency & loops in a real browser: clicks on its figures, addresses, keyboard, files."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from drnn_core.store.columns import read_all
from tests.app.evidence_columns import write_evidence
from tests.app.fake_runs import fake_run
from tests.browser.conftest import Server
from tests.browser.test_distribution import address, heading, wait_for_address

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(start_app: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Server:
    """An app on one run with evidence by two methods."""
    runs = tmp_path_factory.mktemp("saliency") / "runs"
    fake_run(runs / "dr", 300)
    write_evidence(runs / "dr")
    return start_app(runs)


def show(page: Any, server: Server, query: str = "") -> None:
    page.goto(f"{server.address}/saliency?run=dr{query}")
    heading(page, "Images at both ends")


def centre(element: Any) -> None:
    """Scroll, away from the header that stays at the top."""
    element.evaluate("each => each.scrollIntoView({block: 'center'})")


def click(page: Any, chart: str, selector: str, number: int) -> None:
    mark = page.locator(f".st-key-figure-{chart} .js-plotly-plot {selector}").nth(number)
    centre(mark)
    box = mark.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def wait_for_rho(page: Any, server: Server, column: str) -> None:
    """Until the first key figure is the correlation of a column with loops."""
    frame = read_all(server.runs / "dr")
    rho: Any = stats.spearmanr(frame["loops"], frame[column])
    text = f"{rho.statistic:.2f}".replace("-", "−")
    page.get_by_test_id("stMetricValue").first.filter(has_text=text).wait_for()


def test_a_cell_is_chosen_and_its_address_gives_the_same_view(page: Any, server: Server) -> None:
    show(page, server)
    heading(page, "Saliency: entropy and loops")
    page.get_by_text("white line: the object").wait_for()  # nothing moves after that
    click(page, "overview", "g.point path", 3 * 6 + 1)
    heading(page, "Grad-CAM: concentration and loops")
    wait_for_address(page, evidence=["Grad-CAM"], statistic=["concentration"])
    wait_for_rho(page, server, "grad_cam_concentration")
    page.goto(page.evaluate("location.href"))
    heading(page, "Grad-CAM: concentration and loops")
    wait_for_rho(page, server, "grad_cam_concentration")
    page.get_by_text("white line: the object").wait_for()
    click(page, "overview", "g.point path", 1 * 6)
    page.get_by_text("has not been measured of this run").wait_for()
    page.get_by_text("--method input_x_gradient").wait_for()


def test_a_class_narrows_and_the_numbers_are_saved(page: Any, server: Server) -> None:
    show(page, server)
    frame = read_all(server.runs / "dr")
    page.get_by_text("white line: the object").wait_for()
    page.locator(".st-key-figure-density").get_by_role("button", name="Save").press("Enter")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    assert sum(int(row["images"]) for row in rows) == len(frame)
    page.keyboard.press("Escape")
    click(page, "classes", ".scatterlayer path.point", 0)
    page.wait_for_function("() => new URLSearchParams(location.search).has('class')")
    (name,) = address(page)["class"]
    count = int((frame["label"] == _classes(server).index(name)).sum())
    page.get_by_text(f"{count} of {len(frame)} images").wait_for()


def _classes(server: Server) -> tuple[str, ...]:
    from drnn_core.store.runs import read_run

    return read_run(server.runs / "dr").classes


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
    frame = read_all(server.runs / "dr")
    lowest = int(frame["grad_cam_spread"].argmin())
    page.get_by_role("button", name=f"Inspect {lowest}", exact=True).focus()
    page.keyboard.press("Enter")
    heading(page, "Inspect")
    wait_for_address(page, run=["dr"], record=[str(lowest)], method=["Grad-CAM"])


def test_it_fits_a_phone(page: Any, server: Server) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    show(page, server)
    main = page.locator('[data-testid="stMain"]')
    assert main.evaluate("each => each.scrollWidth <= each.clientWidth")
