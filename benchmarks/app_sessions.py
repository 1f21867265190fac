"""Many sessions of the app at once: each has its own filter and must be shown its own images."""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any

from benchmarks.app import FLAGS
from benchmarks.app_server import folder_of
from benchmarks.app_visits import LARGE, OTHER, READY, say, wanted_of


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
    await page.wait_for_function(READY, arg=wanted_of("Distribution"))
    if await page.locator("[data-testid=stException]").count():
        errors.append("an error on the page")
    shown = await title.inner_text()
    await context.close()
    return shown.strip(), errors


def expectations(address: str, count: int) -> list[tuple[str, str]]:
    """An address and the title that it must show, for each session; from the records themselves."""
    from drnn_core.store.records import read_records

    folder = folder_of(address)
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
