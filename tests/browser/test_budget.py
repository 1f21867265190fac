"""The Budget page in a real browser: what AppTest cannot see."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drnn_core.commands.curves import measure_curve
from drnn_core.data.generated import GeneratedSet
from drnn_core.inference.recording import record_run
from drnn_core.store.budget import BudgetCurve
from tests.browser.conftest import Server
from tests.browser.test_distribution import heading, wait_for_address
from tests.tiny_runs import PREPROCESSING, tiny_network, tiny_run

pytestmark = pytest.mark.browser

IMAGES = GeneratedSet("test", 60)
PLACE_OF = """threshold => {
  const plot = document.querySelector(".st-key-figure-budget_tradeoff .js-plotly-plot");
  if (!plot?._fullLayout?.xaxis?._offset) return null;
  for (const trace of plot.data) {
    const found = (trace.customdata ?? []).findIndex((each) => each[0] === threshold);
    if (found >= 0) {
      const { xaxis, yaxis } = plot._fullLayout;
      const box = plot.getBoundingClientRect();
      return [box.x + xaxis._offset + xaxis.l2p(trace.x[found]),
              box.y + yaxis._offset + yaxis.l2p(trace.y[found])];
    }
  }
}"""


@pytest.fixture(scope="module")
def curve(server: Server) -> Iterator[BudgetCurve]:
    """A run with records of its own network, and a curve of three points."""
    folder: Path = server.runs / "budget"
    sizing = replace(PREPROCESSING, image_size=32, resize=32)
    network = tiny_network(classes=len(IMAGES.classes))
    tiny_run(folder, network, classes=IMAGES.classes, preprocessing=sizing)
    record_run(folder, IMAGES)
    yield measure_curve(folder, IMAGES, [0.3, 0.5, 0.8])
    shutil.rmtree(folder)


def figure(page: Any, label: str) -> str:
    metric = page.locator('[data-testid="stMetric"]').filter(has_text=label)
    return str(metric.locator('[data-testid="stMetricValue"]').inner_text())


def test_a_point_of_the_curve_is_chosen_shared_and_saved(
    open_page: Any, curve: BudgetCurve
) -> None:
    page = open_page("budget?run=budget")
    heading(page, "Error against cost")
    page.wait_for_function(PLACE_OF, arg=0.3)
    page.locator(".st-key-figure-budget_tradeoff .js-plotly-plot").scroll_into_view_if_needed()
    page.mouse.click(*page.evaluate(PLACE_OF, 0.3))
    wait_for_address(page, threshold=["0.3"])
    heading(page, "Which classes pay")
    point = curve.points[0]
    assert figure(page, "Test error") == f"{point.error[0]:.2f} %"
    page.get_by_text(f"{point.lost} lost, {point.won} won").wait_for()
    page.get_by_role("button", name="⤓ Save").first.click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    assert [float(row["threshold"]) for row in rows] == [0.3, 0.5, 0.8]
    other = open_page(page.evaluate("location.pathname + location.search").lstrip("/"))
    heading(other, "Which classes pay")
    assert figure(other, "Mean loops") == figure(page, "Mean loops")


def test_the_keyboard_moves_gates_and_the_network_runs_anew(
    open_page: Any, curve: BudgetCurve
) -> None:
    page = open_page("budget?run=budget&own=3.2&own=9.9")
    slider = page.get_by_role("slider", name="Threshold of all gates")
    slider.focus()
    page.keyboard.press("ArrowRight")
    # one stop on: the next threshold at which enough decisions change
    page.wait_for_function("Number(new URL(location).searchParams.get('threshold')) > 0.5")
    wait_for_address(page, own=["3.2"])
    page.get_by_role("slider", name="stage 3 · block 2").focus()
    page.keyboard.press("End")
    wait_for_address(page, **{"at-3.2": ["1"]})
    metrics = page.locator('[data-testid="stMetric"]')
    metrics.get_by_text("bounds, from the records").first.wait_for()
    run = page.get_by_role("button", name="Run the network here")
    run.focus()
    page.keyboard.press("Enter")
    heading(page, "Answers that change")
    assert metrics.get_by_text("bounds, from the records").count() == 0


def test_it_fits_a_phone(open_page: Any, curve: BudgetCurve) -> None:
    page = open_page("budget?run=budget&threshold=0.8", width=390, height=844)
    heading(page, "Which classes pay")
    main = page.locator('[data-testid="stMain"]')
    assert main.evaluate("each => each.scrollWidth <= each.clientWidth")
