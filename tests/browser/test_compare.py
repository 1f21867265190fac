"""The Compare page in a real browser: what AppTest cannot see."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from drnn_core.store.records import read_records
from tests.app.fake_runs import fake_run
from tests.browser.conftest import Server
from tests.browser.test_distribution import (
    FOCUSED,
    address,
    heading,
    painted,
    wait_for_address,
)

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(start_app: Any, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """Three runs on the same 300 images."""
    runs = tmp_path_factory.mktemp("compare") / "runs"
    fake_run(runs / "deep", 300)
    fake_run(runs / "plain", 300, "resnet20", seed=1)
    fake_run(runs / "short", 300, "dr_resnet16_l2", seed=2)
    return start_app(runs)


def both(server: Server, a: str, b: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    return read_records(server.runs / a), read_records(server.runs / b)


def cell(page: Any, figure: str, number: int) -> Any:
    """A cell of a figure whose cells are bars, in the order of its marks."""
    return page.locator(f".st-key-figure-{figure} g.point path").nth(number)


def click(page: Any, mark: Any) -> None:
    mark.scroll_into_view_if_needed()
    box = mark.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 0.8 * box["height"])


def test_cells_lead_to_their_images_and_these_to_either_run(open_page: Any, server: Server) -> None:
    page = open_page("compare?run=deep&with=short")
    stamp = painted(page)
    a, b = both(server, "deep", "short")
    heading(page, f"{int((a['prediction'] != b['prediction']).sum())} of 300 images")

    only_b = a.index[~a["correct"] & b["correct"]]
    click(page, cell(page, "compare_outcomes", 2))
    stamp = painted(page, stamp)
    heading(page, f"{len(only_b)} of 300 images")
    wait_for_address(page, pick=["only B right"])

    figure = page.locator(".st-key-figure-compare_crossing .js-plotly-plot")
    marks = figure.evaluate("each => each.data[0].customdata")
    place = max(range(len(marks)), key=lambda each: marks[each][6])
    loops_a, _, loops_b, _ = marks[place][:4]
    click(page, cell(page, "compare_crossing", place))
    stamp = painted(page, stamp)
    wait_for_address(
        page, pick=["all images"], loops_a=[str(loops_a)] * 2, loops_b=[str(loops_b)] * 2
    )
    keep = (a["loops"] == loops_a) & (b["loops"] == loops_b)
    heading(page, f"{int(keep.sum())} of 300 images")
    assert set(page.locator(".tile[data-filled] .loops.other").all_inner_texts()) == {
        f"B {loops_b}"
    }

    page.locator(".tile[data-filled]").first.click()
    dialog = page.locator("dialog[open]")
    dialog.get_by_text("Inspect with B").wait_for()
    assert dialog.locator("i.ran").count() == loops_a + loops_b
    dialog.get_by_text("Inspect with B").click()
    heading(page, "Inspect")
    wait_for_address(page, run=["short"])
    assert int(address(page)["record"][0]) in set(b["index"][keep])


def test_the_address_gives_the_same_view_to_another(open_page: Any, server: Server) -> None:
    query = (
        "run=deep&with=plain&with=short&pair=A+and+C&pick=loops+differ"
        "&pick_order=largest+change+of+loops&loops_axis=share+of+the+most+loops&cost=parameters"
    )
    page = open_page(f"compare?{query}")
    painted(page)
    a, c = both(server, "deep", "short")
    heading(page, f"{int((a['loops'] != c['loops']).sum())} of 300 images")
    change = [
        abs(int(one.removeprefix("A ")) - int(other.removeprefix("C ")))
        for one, other in zip(
            page.locator(".tile[data-filled] .loops:not(.other)").all_inner_texts(),
            page.locator(".tile[data-filled] .loops.other").all_inner_texts(),
            strict=True,
        )
    ]
    assert change == sorted(change, reverse=True)
    page.get_by_role("heading", name="Calibration").wait_for()
    wait_for_address(
        page, pair=["A and C"], pick=["loops differ"], cost=["parameters"],
        loops_axis=["share of the most loops"], **{"with": ["plain", "short"]},
    )  # fmt: skip


def test_the_keyboard_reaches_images_and_the_export_has_them(
    open_page: Any, server: Server
) -> None:
    page = open_page("compare?run=deep", width=390, height=844)
    wait_for_address(page, **{"with": ["plain"]})
    stamp = painted(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("combobox", name="Images").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.type("only A")
    page.keyboard.press("Enter")
    painted(page, stamp)
    a, b = both(server, "deep", "plain")
    wanted = a["correct"] & ~b["correct"]
    heading(page, f"{int(wanted.sum())} of 300 images")

    page.locator('.tile[data-position="0"]').focus()
    page.keyboard.press("ArrowRight")
    label = page.evaluate(FOCUSED)
    assert "; A DR-Res 32 (l = 4): right" in label
    assert "; B ResNet-20: wrong: answered" in label
    page.keyboard.press("Enter")
    page.locator("dialog[open]").get_by_text("Inspect with A").wait_for()
    assert page.locator("dialog[open]").get_attribute("aria-label") == label
    page.keyboard.press("Escape")

    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    assert {int(row["index_a"]) for row in rows} == set(a["index"][wanted])
    sure = [float(row["confidence_b"]) for row in rows]
    assert sure == sorted(sure, reverse=True)
