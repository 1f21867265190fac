"""Every page of the app on 50,000 records: times in a headless browser, memory, many sessions.

    python -m benchmarks.app_pages [--visits 5] [--changes 12] [--sessions 25] [--out pages.json]

Four runs of 50,000 invented records, the first two with columns of measurements, the first with
statistics of its norms, stand in a temporary folder beside a folder of as many pictures. A visit is
of a server that has shown the page before, from the start of the navigation until the page's script
has ended, all of its charts are drawn and, where it has a gallery, every tile in view shows its
picture: by a browser that has never been here, by one that has (two visits before, which fill
its caches of scripts), and by a click on the navigation of the app that is open in it, from the
press. A click is on a bar of Distribution and a filter on
an answer in its sidebar, each from the press to the repainted gallery. Memory is the server's
resident size: browsing is after all pages on which no network runs, then come Saliency & loops,
which shows where the evidence of eight images lies, and Inspect. Sessions work at the same time,
each on a run and a class of its own, and every one is checked for errors and for what it should
show. Progress and the load average, which says how busy the machine was, go to stderr.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.app import (
    FLAGS,
    PAINTED,
    chromium_path,
    click_times,
    pictures,
    serving,
    told,
    watched,
)
from benchmarks.app_server import resident
from benchmarks.app_sessions import many_sessions
from benchmarks.app_visits import (
    BEFORE,
    LARGE,
    MORE,
    OTHER,
    PAGES,
    ROWS,
    RUN_A_NETWORK,
    move_times,
    say,
    visit,
    visit_anew,
    wanted_of,
)

COLUMNS = {
    "image": ("image_brightness", "image_contrast", "image_sharpness", "image_edge_density"),
    "outputs": ("margin",),
    "saliency": tuple(
        f"saliency_{name}"
        for name in ("entropy", "concentration", "area", "spread", "off_centre", "on_object")
    ),
}


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--visits", type=int, default=5, help="visits of each page")
    parser.add_argument("--changes", type=int, default=12, help="clicks on bars, and of filters")
    parser.add_argument("--sessions", type=int, default=25, help="sessions at once; 0 for none")
    parser.add_argument("--out", type=Path, default=None, help="also write the JSON here")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(Path(folder), chosen.visits, chosen.changes, chosen.sessions)
    text = json.dumps(result, indent=1)
    print(text)
    if chosen.out:
        chosen.out.write_text(text + "\n")


def measure(folder: Path, visits: int, changes: int, sessions: int) -> dict[str, Any]:
    """Times, memory and sessions, with what they were measured on."""
    from playwright.sync_api import sync_playwright

    chromium = chromium_path()
    prepare_pages(folder)
    say("runs and pictures made")
    before = os.getloadavg()
    with serving(folder) as (address, _):
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            memory = {"at the start": resident(address)}
            found = visit_all(browser, address, visits, memory)
            moved = move_times(browser, address, visits)
            say(f"within the app: {[told(each)['median'] for each in moved.values()]} s")
            clicked = click_times(browser, address, ROWS, changes)
            say(f"clicks: {told(clicked)['median']} s")
            filtered = filter_times(browser, f"{address}/{PAGES['Distribution']}", changes)
            say(f"filter: {told(filtered)['median']} s")
            memory["after clicks and filters"] = resident(address)
            browser.close()
        together = asyncio.run(many_sessions(chromium, address, sessions))
        memory["after all sessions"] = resident(address)
    return {
        "usable_s": found,
        "moved_s": {name: told(each) for name, each in moved.items()},
        "click_to_gallery_s": told(clicked),
        "filter_s": told(filtered),
        "resident_mb": memory,
        "sessions": together,
        "load_average": [*before, *os.getloadavg()],
        "processors": os.cpu_count(),
        "machine": platform.processor() or platform.machine(),
    }


def prepare_pages(folder: Path) -> None:
    """The runs, with columns and statistics of norms, and the pictures."""
    from drnn_core.store.columns import ColumnWriter
    from tests.app.fake_runs import fake_run
    from tests.app.norm_runs import fake_norms

    images, runs = pictures(folder / "data", ROWS), folder / "runs"
    for seed, name in enumerate((LARGE, OTHER, *MORE)):
        fake_run(runs / name, images=images, seed=seed)
    fake_norms(runs / LARGE, 2000, fingerprint=images.fingerprint)
    random = np.random.default_rng(0)
    for run in (LARGE, OTHER):
        for table, names in COLUMNS.items():
            with ColumnWriter(runs / run, table, names) as writer:
                for first, rows in writer.missing():
                    values = {name: random.random(rows, np.float32) for name in names}
                    writer.write_columns(first, values)


def visit_all(
    browser: Any, address: str, visits: int, memory: dict[str, float]
) -> dict[str, dict[str, Any]]:
    """Seconds to a usable page, by page; fills in the server's memory on the way."""
    found: dict[str, dict[str, Any]] = {}
    for name, path in PAGES.items():
        url, wanted = f"{address}/{path}", wanted_of(name)
        visit_anew(browser, url, wanted)  # the first one reads what the others find
        first = [visit_anew(browser, url, wanted) for _ in range(visits)]
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        again = [visit(context, url, wanted) for _ in range(BEFORE + visits)][BEFORE:]
        context.close()
        found[name] = {"first": told(first), "again": told(again)}
        memory["with the network" if name in RUN_A_NETWORK else "browsing"] = resident(address)
        say(
            f"{name}: {found[name]['first']['median']} s, again {found[name]['again']['median']} "
            f"s, {resident(address):.0f} MB"
        )
    return found


def filter_times(browser: Any, url: str, changes: int) -> list[float]:
    """Seconds from a click on an answer to the repainted gallery, at an address of Distribution."""
    context, page, stamp = watched(browser, url)
    times: list[float] = []
    for number in range(changes):
        answer = ("right", "wrong", "all")[number % 3]
        page.get_by_test_id("stSidebar").get_by_text(answer, exact=True).click()
        stamp, painted = page.evaluate(PAINTED, stamp)
        times.append((painted - page.evaluate("window.pressed")) / 1000)
        page.wait_for_timeout(700)
    context.close()
    return times


if __name__ == "__main__":
    main()
