"""Every page of the app on 50,000 records: times in a headless browser, memory, many sessions.

    python -m benchmarks.app_pages [--visits 5] [--changes 12] [--sessions 25] [--out pages.json]

Four runs of 50,000 invented records, the first two with columns of measurements, the first with
statistics of its norms, stand in a temporary folder beside a folder of as many pictures. A visit is
of a server that has shown the page before, from the start of the navigation until the page's script
has ended, all of its charts are drawn and, where it has a gallery, every tile in view shows its
picture: by a browser that has never been here, and by one that has (two visits before, which fill
its caches of scripts). A click is on a bar of Distribution and a filter on
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
import re
import sys
import tempfile
import time
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

ROWS = 50_000
LARGE, OTHER, MORE = "r50000", "s50000", ("t50000", "u50000")
# In the order of the visits: those that run no network first.
PAGES = {
    "Distribution": f"distribution?run={LARGE}",
    "Easy & hard": f"easy_hard?run={LARGE}",
    "Norm statistics": f"norms?run={LARGE}",
    "Budget": f"budget?run={LARGE}",
    "Your columns": f"columns?run={LARGE}",
    "Compare, two runs": f"compare?run={LARGE}&with={OTHER}",
    "Compare, four runs": f"compare?run={LARGE}&with={OTHER}&with={MORE[0]}&with={MORE[1]}",
    "Models": f"models?run={LARGE}",
    "Saliency & loops": f"saliency?run={LARGE}",
    "Inspect": f"inspect?run={LARGE}",
}
# Charts that each page draws: a visit is not over before them, also while there is none yet.
CHARTS = {
    "Distribution": 3, "Easy & hard": 2, "Norm statistics": 7, "Budget": 3, "Compare, two runs": 5,
    "Compare, four runs": 5, "Models": 4, "Saliency & loops": 4, "Inspect": 2,
}  # fmt: skip
RUN_A_NETWORK = ("Saliency & loops", "Inspect")
BEFORE = 2  # visits that fill the browser's caches
WITH_GALLERY = ("Distribution", "Compare, two runs", "Compare, four runs")
# Milliseconds since the start of the navigation, once the page can be used.
READY = """([charts, gallery]) => {
  const app = document.querySelector("[data-testid=stApp]");
  if (app?.dataset.testScriptState !== "notRunning" || !document.querySelector("h1")) return false;
  const figures = [...document.querySelectorAll('[class*="st-key-figure-"]')];
  if (figures.length < charts) return false;
  if (!figures.every((each) => each.querySelector(".main-svg"))) return false;
  const holders = [...document.querySelectorAll("[class*=gallery] *")];
  const roots = holders.map((each) => each.shadowRoot).filter(Boolean);
  const painted = roots.some((each) => each.querySelector("[data-painted]"));
  return (!gallery || painted) && performance.now();
}"""
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
        "click_to_gallery_s": told(clicked),
        "filter_s": told(filtered),
        "resident_mb": memory,
        "sessions": together,
        "load_average": [*before, *os.getloadavg()],
        "processors": os.cpu_count(),
        "machine": platform.processor() or platform.machine(),
    }


def say(words: str) -> None:
    """A line of progress."""
    print(f"{words} (load {os.getloadavg()[0]:.1f})", file=sys.stderr, flush=True)


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
        url, wanted = f"{address}/{path}", [CHARTS.get(name, 0), name in WITH_GALLERY]
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


def visit_anew(browser: Any, url: str, wanted: list[Any]) -> float:
    """``visit`` by a browser that has nothing in its caches."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    seconds = visit(context, url, wanted)
    context.close()
    return seconds


def visit(context: Any, url: str, wanted: list[Any]) -> float:
    """Seconds from the start of the navigation to a usable page.

    Args:
        context: of the browser.
        url: of the page.
        wanted: how many charts it has, and whether a gallery.
    """
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(url, wait_until="commit")
    seconds = page.wait_for_function(READY, arg=wanted, polling="raf").json_value() / 1000
    errors = page.locator("[data-testid=stException]").count()
    page.wait_for_timeout(700)  # what is left to do is not for the next one
    page.close()
    if errors:
        sys.exit(f"{url} shows an error")
    return float(seconds)


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


async def many_sessions(chromium: str, address: str, count: int) -> dict[str, Any]:
    """Sessions at once, each with a filter of its own; what they saw."""
    from playwright.async_api import async_playwright

    if not count:
        return {"n": 0}
    expected = expectations(address, count)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        started = time.monotonic()
        seen = await asyncio.gather(*(one_session(browser, address, path) for path, _ in expected))
        seconds = time.monotonic() - started
        await browser.close()
    wrong = [
        {"address": path, "expected": wanted, "saw": shown, "errors": errors}
        for (path, wanted), (shown, errors) in zip(expected, seen, strict=True)
        if shown != wanted or errors
    ]
    say(f"{count} sessions: {seconds:.0f} s, {len(wrong)} wrong")
    return {"n": count, "seconds": round(seconds, 1), "wrong": wrong}


async def one_session(browser: Any, address: str, path: str) -> tuple[str, list[str]]:
    """The number of images that a session is shown, and the errors that it met."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    page.set_default_timeout(240_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(f"{address}/{path}")
    title = page.locator("h3", has_text=re.compile(r"[\d,]+ of [\d,]+ images"))
    await title.wait_for()
    await page.wait_for_function(READY, arg=[CHARTS["Distribution"], True])
    if await page.locator("[data-testid=stException]").count():
        errors.append("an error on the page")
    shown = await title.inner_text()
    await context.close()
    return shown.strip(), errors


def expectations(address: str, count: int) -> list[tuple[str, str]]:
    """An address and the title that it must show, for each session; from the records themselves."""
    from drnn_core.store.records import read_records

    folder = _folder_of(address)
    frames = {name: read_records(folder / name, ["label", "loops"]) for name in (LARGE, OTHER)}
    names = json.loads((folder / LARGE / "run.json").read_text())["classes"]
    found: list[tuple[str, str]] = []
    for number in range(count):
        run, label, most = (LARGE, OTHER)[number % 2], number % len(names), 3 + number % 13
        frame = frames[run]
        kept = int(((frame["label"] == label) & (frame["loops"] <= most)).sum())
        path = f"distribution?run={run}&class={names[label]}&loops=0&loops={most}"
        found.append((path, f"{kept:,} of {len(frame):,} images"))
    return found


def _folder_of(address: str) -> Path:
    """Folder of the runs that the server at an address serves."""
    command = Path(f"/proc/{_process(address)}/cmdline").read_text().split("\0")
    return Path(command[command.index("--runs") + 1])


def resident(address: str) -> float:
    """Resident memory of the server's process, in MB (Linux)."""
    status = Path(f"/proc/{_process(address)}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return round(int(found.group(1)) / 1024, 1)


def _process(address: str) -> int:
    """Process that listens at an address (Linux)."""
    port = int(address.rsplit(":", 1)[1])
    table = Path("/proc/net/tcp").read_text().splitlines()[1:]
    inodes = {
        line.split()[9] for line in table
        if int(line.split()[1].split(":")[1], 16) == port and line.split()[3] == "0A"
    }  # fmt: skip
    for entry in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = str(entry.readlink())
        except OSError:
            continue
        if target.startswith("socket:[") and target[8:-1] in inodes:
            return int(entry.parts[2])
    raise RuntimeError(f"no process listens at {address}")


if __name__ == "__main__":
    main()
