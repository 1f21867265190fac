"""Visits of the app's pages in a headless browser, timed until every chart and picture is drawn.

Three kinds: by a browser that has never been here and loads all of Streamlit's scripts, by one that
has and loads the page anew, and by a click on the navigation within the app that is open.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from benchmarks.app import PRESSED

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
# By the navigation, which leads back to the first of these in the end.
WITHIN = [name for name in PAGES if name not in ("Distribution", "Compare, four runs")]
WITHIN.append("Distribution")
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
# The same after a click on the navigation: milliseconds since the press.
MOVED = """([path, charts, gallery]) => {
  const ready = READY;
  if (location.pathname !== path || document.querySelector("[data-stale=true]")) return false;
  return ready([charts, gallery]) && performance.timeOrigin + performance.now() - window.pressed;
}""".replace("READY", READY)


def say(words: str) -> None:
    """A line of progress."""
    print(f"{words} (load {os.getloadavg()[0]:.1f})", file=sys.stderr, flush=True)


def wanted_of(name: str) -> list[Any]:
    """What ``READY`` is asked of a page: how many charts it has, and whether a gallery."""
    return [CHARTS.get(name, 0), name in WITH_GALLERY]


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
        wanted: ``wanted_of`` it.
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


def move_times(browser: Any, address: str, rounds: int) -> dict[str, list[float]]:
    """Seconds from a click on the navigation of the open app to a usable page, by page.

    Each round goes through all pages of one run; a first one, that counts for nothing, brings what
    a session reads once.
    """
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(f"{address}/{PAGES['Distribution']}")
    page.wait_for_function(READY, arg=wanted_of("Distribution"))
    page.evaluate(PRESSED)
    times: dict[str, list[float]] = {name: [] for name in WITHIN}
    for number in range(1 + rounds):
        for name in WITHIN:
            path = "/" + PAGES[name].partition("?")[0]
            page.click(f"[data-testid=stSidebarNav] a[href$='{path}']")
            wanted = [path, *wanted_of(name)]
            passed = page.wait_for_function(MOVED, arg=wanted, polling="raf").json_value() / 1000
            if number:
                times[name].append(passed)
            page.wait_for_timeout(700)
    context.close()
    return times
